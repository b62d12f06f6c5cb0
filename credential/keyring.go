package credential

import (
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"

	"golang.org/x/crypto/chacha20poly1305"
	"golang.org/x/crypto/cryptobyte"
)

// KeySize is the length of a key in bytes.
const KeySize = 32

// A Key is one named secret of [KeySize] bytes from a strong random source.
type Key struct {
	// ID is stored beside everything the key has sealed: 1 to 32 characters of
	// A-Z, a-z, 0-9, ".", "_" and "-". Never give it to another key.
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

// A Purpose keeps values apart: what was sealed or digested for one purpose
// opens or matches for no other. Each has a key of its own, derived with HKDF.
type Purpose string

// The purposes.
const (
	PurposeDeviceSecret Purpose = "device-secret" // the shared secret of a device
	PurposePINHash      Purpose = "pin"           // a PIN hash at rest
	PurposeOneTimeCode  Purpose = "one-time-code" // the digest of a pending code
	PurposeProof        Purpose = "proof"         // the digest of the OTP a device was created on
)

var purposes = [...]Purpose{PurposeDeviceSecret, PurposePINHash, PurposeOneTimeCode, PurposeProof}

// A Scope says what a sealed or digested value belongs to. It is authenticated
// with the value, so that a value moved elsewhere is refused.
type Scope struct {
	Purpose   Purpose
	AccountID string
	Subject   string // a device id, the id of a one-time code, or "" for a PIN
}

var (
	// ErrTampered says that a sealed value does not open: it was altered, or
	// belongs to another account, device or purpose.
	ErrTampered = errors.New("credential: sealed value does not open here")
	// ErrMissingKey says that a value needs a key that the Keyring lacks.
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
// Take an old key away when nothing needs it any more; what does then fails
// with [ErrMissingKey], which names the key.
//
// The zero value is refused by every user of it. A Keyring is safe for
// concurrent use and never prints its keys.
type Keyring struct {
	keys    []*ringKey // pointers, so that printing a copy of a Keyring shows addresses
	primary int
}

type ringKey struct {
	id    string
	aeads map[Purpose]cipher.AEAD
	macs  map[Purpose]Secret // not bytes, which a mistaken verb of fmt would print
}

// NewKeyring returns a keyring of keys from the oldest to the newest. primary
// is the id of the key that seals. Every mistake is reported at once.
func NewKeyring(primary string, keys ...Key) (*Keyring, error) {
	ring := &Keyring{primary: -1}
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
			mistakes = append(mistakes, fmt.Errorf("credential: key %d: id %q is there twice", i+1, key.ID))
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
		if !isKeyID(primary) {
			primary = "of that id" // which may be a key given by mistake
		}
		mistakes = append(mistakes, fmt.Errorf("credential: the primary key %s is not among the keys", primary))
	}
	if len(mistakes) > 0 {
		return nil, errors.Join(mistakes...)
	}
	return ring, nil
}

func checkKey(key Key) error {
	if !isKeyID(key.ID) {
		// Without the id itself: where two columns were swapped it is the key.
		return fmt.Errorf("the id is not 1 to %d characters of A-Z a-z 0-9 . _ -", maxKeyID)
	}
	if n := len(key.Secret.Reveal()); n != KeySize {
		return fmt.Errorf("key %q has %d bytes, not %d", key.ID, n, KeySize)
	}
	return nil
}

const (
	maxKeyID        = 32
	keyIDCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"
)

func isKeyID(id string) bool {
	return id != "" && len(id) <= maxKeyID && strings.Trim(id, keyIDCharacters) == ""
}

// deriveKey makes one sub-key a purpose (RFC 5869, HKDF with SHA-256).
func deriveKey(key Key) (*ringKey, error) {
	out := &ringKey{id: key.ID, aeads: map[Purpose]cipher.AEAD{}, macs: map[Purpose]Secret{}}
	for _, p := range purposes {
		sub, err := hkdf.Key(sha256.New, []byte(key.Secret.Reveal()), nil, "devicetotp/1/"+string(p), KeySize)
		if err != nil {
			return nil, err
		}
		switch p {
		case PurposeDeviceSecret, PurposePINHash:
			if out.aeads[p], err = chacha20poly1305.NewX(sub); err != nil {
				return nil, err
			}
		case PurposeOneTimeCode, PurposeProof:
			out.macs[p] = NewSecret(string(sub))
		}
	}
	return out, nil
}

// Valid tells whether k came from a constructor; a nil or zero Keyring did not.
func (k *Keyring) Valid() bool { return k != nil && len(k.keys) > 0 }

func (k *Keyring) index(id string) int {
	for i := range k.keys {
		if k.keys[i].id == id {
			return i
		}
	}
	return -1
}

const sealedFormat = 1

// Seal encrypts plain for s with the primary key (XChaCha20-Poly1305, random
// nonce). The purpose must be one that is sealed: PurposeDeviceSecret or
// PurposePINHash.
func (k *Keyring) Seal(s Scope, plain Secret) ([]byte, error) {
	if !k.Valid() {
		return nil, fmt.Errorf("%w: the keyring is empty", ErrMissingKey)
	}
	key := k.keys[k.primary]
	aead, ok := key.aeads[s.Purpose]
	if !ok {
		return nil, fmt.Errorf("credential: purpose %q is not one that seals", s.Purpose)
	}
	header := header(sealedFormat, key.id)
	nonceEnd := len(header) + chacha20poly1305.NonceSizeX
	out := make([]byte, nonceEnd, nonceEnd+len(plain.Reveal())+chacha20poly1305.Overhead)
	copy(out, header)
	nonce := out[len(header):nonceEnd]
	_, _ = rand.Read(nonce) // never fails: crypto/rand ends the process instead
	aad, err := s.bind(header)
	if err != nil {
		return nil, err
	}
	return aead.Seal(out, nonce, []byte(plain.Reveal()), aad), nil
}

// Open decrypts what Seal made for the same scope. outdated tells that a newer
// key than the one used is primary now, so that it is worth sealing again.
// Errors wrap [ErrTampered] or [ErrMissingKey].
func (k *Keyring) Open(s Scope, sealed []byte) (plain Secret, outdated bool, err error) {
	index, header, rest, err := k.find(sealedFormat, sealed)
	if err != nil {
		return Secret{}, false, err
	}
	aead, ok := k.keys[index].aeads[s.Purpose]
	if !ok || len(rest) < chacha20poly1305.NonceSizeX {
		return Secret{}, false, ErrTampered
	}
	aad, err := s.bind(header)
	if err != nil {
		return Secret{}, false, fmt.Errorf("%w: %w", ErrTampered, err)
	}
	b, err := aead.Open(nil, rest[:chacha20poly1305.NonceSizeX], rest[chacha20poly1305.NonceSizeX:], aad)
	if err != nil {
		return Secret{}, false, ErrTampered
	}
	return NewSecret(string(b)), index < k.primary, nil
}

const digestFormat = 2

// Digest returns value under the primary key (HMAC-SHA-256), for values that
// need comparing only. The purpose must be PurposeOneTimeCode or PurposeProof.
func (k *Keyring) Digest(s Scope, value Secret) ([]byte, error) {
	if !k.Valid() {
		return nil, fmt.Errorf("%w: the keyring is empty", ErrMissingKey)
	}
	key := k.keys[k.primary]
	return key.digest(s, header(digestFormat, key.id), value)
}

// Matches tells in constant time whether digest was made of value for the same
// scope. Errors wrap [ErrTampered] or [ErrMissingKey].
func (k *Keyring) Matches(s Scope, digest []byte, value Secret) (bool, error) {
	index, header, _, err := k.find(digestFormat, digest)
	if err != nil {
		return false, err
	}
	want, err := k.keys[index].digest(s, header, value)
	if err != nil {
		return false, fmt.Errorf("%w: %w", ErrTampered, err)
	}
	return hmac.Equal(want, digest), nil
}

func (key *ringKey) digest(s Scope, header []byte, value Secret) ([]byte, error) {
	sub, ok := key.macs[s.Purpose]
	if !ok {
		return nil, fmt.Errorf("credential: purpose %q is not one that digests", s.Purpose)
	}
	bound, err := s.bind(header)
	if err != nil {
		return nil, err
	}
	mac := hmac.New(sha256.New, []byte(sub.Reveal()))
	mac.Write(bound)
	mac.Write([]byte(value.Reveal()))
	return mac.Sum(header), nil
}

// header is what stands before every stored value: the format and the key id.
// Its capacity is its length, so that appending to it copies.
func header(format byte, id string) []byte {
	out := make([]byte, 0, 2+len(id))
	out = append(out, format, byte(len(id)))
	return append(out, id...)
}

// find splits a stored value into header and rest, and finds its key.
func (k *Keyring) find(format byte, stored []byte) (index int, header, rest []byte, err error) {
	if !k.Valid() {
		return 0, nil, nil, fmt.Errorf("%w: the keyring is empty", ErrMissingKey)
	}
	s := cryptobyte.String(stored)
	var got uint8
	var id cryptobyte.String
	if !s.ReadUint8(&got) || got != format || !s.ReadUint8LengthPrefixed(&id) {
		return 0, nil, nil, ErrTampered
	}
	if !isKeyID(string(id)) {
		return 0, nil, nil, ErrTampered
	}
	if index = k.index(string(id)); index < 0 {
		return 0, nil, nil, fmt.Errorf("%w: %q", ErrMissingKey, string(id))
	}
	n := len(stored) - len(s)
	return index, stored[:n:n], s, nil
}

// bind encodes header and scope without ambiguity: the additional data of what
// is sealed, and the beginning of what is digested.
func (s Scope) bind(header []byte) ([]byte, error) {
	out := make([]byte, 0, len(header)+len(s.Purpose)+len(s.AccountID)+len(s.Subject)+8)
	for _, part := range [...]string{string(header), string(s.Purpose), s.AccountID, s.Subject} {
		if len(part) > math.MaxUint16 {
			return nil, fmt.Errorf("credential: %d bytes are too long for the scope of a sealed value", len(part))
		}
		out = binary.BigEndian.AppendUint16(out, uint16(len(part)))
		out = append(out, part...)
	}
	return out, nil
}

const sealedPINPrefix = "$sealed$"

// SealPINHash seals a PIN hash for storing. A four-digit PIN has 10,000 values
// and a hash takes milliseconds, so that a bare hash falls in minutes to
// whoever reads the database; a sealed one needs the keyring too.
func (k *Keyring) SealPINHash(accountID, hash string) (string, error) {
	sealed, err := k.Seal(Scope{Purpose: PurposePINHash, AccountID: accountID}, NewSecret(hash))
	if err != nil {
		return "", err
	}
	return sealedPINPrefix + base64.RawStdEncoding.EncodeToString(sealed), nil
}

// OpenPINHash returns the hash in a stored PIN hash. A bare one is returned as
// it is. outdated tells that it should be sealed (again).
func (k *Keyring) OpenPINHash(accountID, stored string) (hash string, outdated bool, err error) {
	text, ok := strings.CutPrefix(stored, sealedPINPrefix)
	if !ok {
		return stored, stored != "", nil
	}
	sealed, ok := strictBase64(base64.RawStdEncoding, text)
	if !ok {
		return "", false, ErrTampered
	}
	plain, outdated, err := k.Open(Scope{Purpose: PurposePINHash, AccountID: accountID}, sealed)
	return plain.Reveal(), outdated, err
}

// String tells the ids of the keys, never a key.
func (k *Keyring) String() string {
	if !k.Valid() {
		return "keyring without keys"
	}
	ids := make([]string, len(k.keys))
	for i := range k.keys {
		ids[i] = k.keys[i].id
	}
	return fmt.Sprintf("keyring %v, primary %s", ids, k.keys[k.primary].id)
}

// Format writes [Keyring.String] whatever the verb.
func (k *Keyring) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, k.String()) }
