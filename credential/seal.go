package credential

import (
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
	macs, ok := key.macs[s.Purpose]
	if !ok {
		return nil, fmt.Errorf("credential: purpose %q is not one that digests", s.Purpose)
	}
	bound, err := s.bind(header)
	if err != nil {
		return nil, err
	}
	mac := macs.Get().(hash.Hash)
	defer macs.Put(mac)
	mac.Reset()
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
