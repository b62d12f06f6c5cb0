package credential

import (
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"golang.org/x/crypto/chacha20poly1305"
)

// KeySize is the length of a key in bytes.
const KeySize = 32

// A Key is one named secret of [KeySize] bytes from a strong random source.
type Key struct {
	// ID is stored beside everything the key has sealed: 1 to 21 characters of
	// A-Z, a-z, 0-9, ".", "_" and "-". Never give it to another key. A key of 16
	// bytes or more, in whatever spelling, is too long to be taken for an id.
	ID string
	// Secret is the key itself.
	Secret Secret
}

// NewKey makes a random key.
func NewKey(id string) Key {
	b := make([]byte, KeySize)
	_, _ = rand.Read(b) // never fails: crypto/rand ends the process instead
	return Key{ID: id, Secret: NewSecret(string(b))}
}

var (
	// ErrTampered says that a sealed value does not open: it was altered, belongs
	// to another account, device or purpose, or a field of the device that is
	// bound to it was changed, see [DeviceScope].
	ErrTampered = errors.New("credential: sealed value was altered or belongs elsewhere")
	// ErrMissingKey says that a value needs a key that the Keyring lacks.
	// The Keyring may have a different key of the same id; the error says so. It
	// names the id only.
	ErrMissingKey = errors.New("credential: key not in the keyring")
)

// Keyring seals values at rest and digests one-time codes. It holds named keys
// from the oldest to the newest, one of which is the primary: it seals what is
// new, while every key still opens what it sealed.
//
// A key is rolled out in two steps, so that no process meets a value that it
// cannot open: first add it as the newest key everywhere, not yet primary; then
// make it primary everywhere. Values are sealed again as they are used, and
// only ever with a newer key, so processes of both steps may run side by side.
// Remove an old key once no stored value uses it. Opening a value that still does
// fails with [ErrMissingKey], which names the key.
//
// To seal the rest again, once the key is primary everywhere: for each account,
// store what [Keyring.ResealPINHash] returns in the place of the PIN hash, if that
// has not changed meanwhile (RotateHash of the stores does so), and then call
// Issuer.Reseal of package devicetotp. The old key can go once Issuer.Inspect names
// it in Overview.Keys of no account. One-time codes cannot be sealed again, so do
// it all once more after ten minutes. The module's examples/reseal does so for a
// whole database.
//
// The zero value is refused by every user of it. A Keyring is safe for
// concurrent use and never prints its keys.
type Keyring struct {
	keys    []*ringKey // pointers, so that printing a copy of a Keyring shows addresses
	primary int
}

type ringKey struct {
	id      string
	headers [digestFormat + 1][]byte // by format
	// derived returns the sub-keys. They stand behind a function because test
	// libraries that print a difference walk through pointers and unexported
	// fields, but not into a closure.
	derived func() *derivedKeys
}

// derivedKeys has a cipher or a pool of keyed hashes for each purpose.
type derivedKeys struct {
	aeads [len(purposes)]cipher.AEAD
	macs  [len(purposes)]*sync.Pool // of hash.Hash, keyed: setting one up costs as much as using it
}

// aead returns the cipher of p; nil if p is not a purpose that is sealed.
func (key *ringKey) aead(p Purpose) cipher.AEAD {
	if i, ok := p.slot(); ok {
		return key.derived().aeads[i]
	}
	return nil
}

// mac returns the pool of p; nil if p is not a purpose that is digested.
func (key *ringKey) mac(p Purpose) *sync.Pool {
	if i, ok := p.slot(); ok {
		return key.derived().macs[i]
	}
	return nil
}

// NewKeyring returns a keyring of keys from the oldest to the newest. primary
// is the id of the key that seals. Every mistake is reported at once. Errors say
// which key by its number, from 1, and show neither a key nor an id, which may
// be a key that stands in the wrong place.
func NewKeyring(primary string, keys ...Key) (*Keyring, error) {
	ring := &Keyring{}
	var mistakes []error
	if len(keys) == 0 {
		mistakes = append(mistakes, errors.New("credential: a keyring needs at least one key"))
	}
	for i, key := range keys {
		if err := checkKey(key); err != nil {
			mistakes = append(mistakes, fmt.Errorf("credential: key %d: %w", i+1, err))
			continue
		}
		if ring.index(key.ID) >= 0 {
			mistakes = append(mistakes, fmt.Errorf("credential: key %d: duplicate id", i+1))
			continue
		}
		if slices.ContainsFunc(keys[:i], func(other Key) bool { return other.Secret.Equal(key.Secret) }) {
			mistakes = append(mistakes, fmt.Errorf("credential: key %d: the same key as one before it", i+1))
			continue
		}
		derived, err := deriveKey(key)
		if err != nil {
			mistakes = append(mistakes, fmt.Errorf("credential: key %d: %w", i+1, err))
			continue
		}
		ring.keys = append(ring.keys, derived)
	}
	if ring.primary = ring.index(primary); ring.primary < 0 && len(keys) > 0 {
		mistakes = append(mistakes, fmt.Errorf("credential: none of the %d keys has the id of the primary", len(keys)))
	}
	if len(mistakes) > 0 {
		return nil, errors.Join(mistakes...)
	}
	return ring, nil
}

// checkKey returns an error that shows neither part of key: where two columns
// were swapped the id is the key.
func checkKey(key Key) error {
	if !isKeyID(key.ID) {
		return fmt.Errorf("the id is not 1 to %d characters of A-Z a-z 0-9 . _ -", maxKeyID)
	}
	if n := len(key.Secret.Reveal()); n != KeySize {
		return fmt.Errorf("the key has %d bytes, not %d", n, KeySize)
	}
	if key.Secret.Equal(NewSecret(strings.Repeat("\x00", KeySize))) {
		return errors.New("the key is all zeros")
	}
	return nil
}

// maxKeyID is one character less than the shortest usual spelling of 16 bytes,
// which is base64 without padding.
const maxKeyID = 21

func isKeyID(id string) bool {
	for i := range len(id) {
		switch c := id[i]; {
		case 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '.', c == '_', c == '-':
		default:
			return false
		}
	}
	return id != "" && len(id) <= maxKeyID
}

// deriveKey makes one sub-key a purpose, and the check in the headers (RFC 5869,
// HKDF with SHA-256).
func deriveKey(key Key) (*ringKey, error) {
	derive := func(info string, size int) ([]byte, error) {
		return hkdf.Key(sha256.New, []byte(key.Secret.Reveal()), nil, "devicetotp/1/"+info, size)
	}
	check, err := derive("key-check", keyCheckSize)
	if err != nil {
		return nil, err
	}
	keys := &derivedKeys{}
	out := &ringKey{id: key.ID, derived: func() *derivedKeys { return keys }}
	for _, format := range [...]byte{sealedFormat, digestFormat} {
		out.headers[format] = newHeader(format, key.ID, check)
	}
	for i, p := range purposes {
		sub, err := derive(string(p), KeySize)
		if err != nil {
			return nil, err
		}
		switch p {
		case PurposeDeviceSecret, PurposePINHash, PurposeRevoked, PurposeRecovery:
			if keys.aeads[i], err = chacha20poly1305.NewX(sub); err != nil {
				return nil, err
			}
		case PurposeOneTimeCode, PurposeProof:
			keys.macs[i] = &sync.Pool{New: func() any { return hmac.New(sha256.New, sub) }}
		}
	}
	return out, nil
}

// Valid reports whether k came from a constructor; a nil or zero Keyring did not.
func (k *Keyring) Valid() bool { return k != nil && len(k.keys) > 0 }

// String returns the ids of the keys, never a key.
func (k *Keyring) String() string {
	if !k.Valid() {
		return "keyring without keys"
	}
	return fmt.Sprintf("keyring %v, primary %s", k.IDs(), k.PrimaryID())
}

// Format writes [Keyring.String] for every verb but %p and %w, for which fmt does not
// call it and prints an address.
func (k *Keyring) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, k.String()) }
