package credential

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"hash"
	"math"

	"golang.org/x/crypto/chacha20poly1305"
	"golang.org/x/crypto/cryptobyte"
)

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

// What stands before every stored value: a format, and the id of the key with its
// length before it.
const (
	sealedFormat = 1
	digestFormat = 2
)

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
	header := key.headers[sealedFormat]
	aad, err := s.bind(header, len(plain.Reveal()))
	if err != nil {
		return nil, err
	}
	nonceEnd := len(header) + chacha20poly1305.NonceSizeX
	out := make([]byte, nonceEnd, nonceEnd+len(plain.Reveal())+chacha20poly1305.Overhead)
	nonce := out[copy(out, header):]
	_, _ = rand.Read(nonce) // never fails: crypto/rand ends the process instead
	return aead.Seal(out, nonce, append(aad[len(aad):], plain.Reveal()...), aad), nil
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
	aad, err := s.bind(header, len(rest))
	if err != nil {
		return Secret{}, false, fmt.Errorf("%w: %w", ErrTampered, err)
	}
	b, err := aead.Open(aad[len(aad):], rest[:chacha20poly1305.NonceSizeX], rest[chacha20poly1305.NonceSizeX:], aad)
	if err != nil {
		return Secret{}, false, ErrTampered
	}
	return NewSecret(string(b)), index < k.primary, nil
}

// Digest returns value under the primary key (HMAC-SHA-256), for values that
// need comparing only. The purpose must be PurposeOneTimeCode or PurposeProof.
func (k *Keyring) Digest(s Scope, value Secret) ([]byte, error) {
	if !k.Valid() {
		return nil, fmt.Errorf("%w: the keyring is empty", ErrMissingKey)
	}
	key := k.keys[k.primary]
	return key.digest(s, key.headers[digestFormat], value)
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
	macs, ok := key.macs[s.Purpose]
	if !ok {
		return nil, fmt.Errorf("credential: purpose %q is not one that digests", s.Purpose)
	}
	bound, err := s.bind(header, len(value.Reveal()))
	if err != nil {
		return nil, err
	}
	mac := macs.Get().(hash.Hash)
	defer macs.Put(mac)
	mac.Reset()
	mac.Write(append(bound, value.Reveal()...))
	out := make([]byte, len(header), len(header)+mac.Size())
	copy(out, header)
	return mac.Sum(out), nil
}

// find splits a stored value into header and rest, and finds its key.
func (k *Keyring) find(format byte, stored []byte) (index int, header, rest []byte, err error) {
	if !k.Valid() {
		return 0, nil, nil, fmt.Errorf("%w: the keyring is empty", ErrMissingKey)
	}
	for i, key := range k.keys {
		if rest, ok := bytes.CutPrefix(stored, key.headers[format]); ok {
			return i, key.headers[format], rest, nil
		}
	}
	s := cryptobyte.String(stored)
	var got uint8
	var id cryptobyte.String
	if s.ReadUint8(&got) && got == format && s.ReadUint8LengthPrefixed(&id) && isKeyID(string(id)) {
		return 0, nil, nil, fmt.Errorf("%w: %q", ErrMissingKey, string(id))
	}
	return 0, nil, nil, ErrTampered
}

// bind encodes header and scope without ambiguity: the additional data of what
// is sealed, and the beginning of what is digested. There is room for so many
// bytes more behind it.
func (s Scope) bind(header []byte, room int) ([]byte, error) {
	out := make([]byte, 0, len(header)+len(s.Purpose)+len(s.AccountID)+len(s.Subject)+8+room)
	for _, part := range [...]string{string(header), string(s.Purpose), s.AccountID, s.Subject} {
		if len(part) > math.MaxUint16 {
			return nil, fmt.Errorf("credential: %d bytes are too long for the scope of a sealed value", len(part))
		}
		out = binary.BigEndian.AppendUint16(out, uint16(len(part)))
		out = append(out, part...)
	}
	return out, nil
}
