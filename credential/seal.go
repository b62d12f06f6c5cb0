package credential

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"fmt"
	"hash"
	"slices"
	"sync"

	"golang.org/x/crypto/chacha20poly1305"
)

// Seal encrypts plain for s with the primary key (XChaCha20-Poly1305, random
// nonce). The purpose must be one that is sealed: PurposeDeviceSecret, with a Scope
// made by [DeviceScope] or [RotationScope], PurposePINHash, PurposeRevoked or
// PurposeRecovery.
func (k *Keyring) Seal(s Scope, plain Secret) ([]byte, error) {
	if !k.Valid() {
		return nil, errEmptyKeyring
	}
	key := k.keys[k.primary]
	aead := key.aead(s.Purpose)
	if aead == nil {
		return nil, fmt.Errorf("credential: purpose %q cannot be sealed", s.Purpose)
	}
	text, header := plain.Reveal(), key.headers[sealedFormat]
	buffer := newBuffer()
	defer buffer.release()
	aad, err := s.bind(buffer[:0], header)
	if err != nil {
		return nil, err
	}
	nonceEnd := len(header) + chacha20poly1305.NonceSizeX
	out := make([]byte, nonceEnd, nonceEnd+len(text)+chacha20poly1305.Overhead)
	nonce := out[copy(out, header):]
	_, _ = rand.Read(nonce) // never fails: crypto/rand ends the process instead
	return aead.Seal(out, nonce, append(aad[len(aad):], text...), aad), nil
}

// Open decrypts what Seal made for the same scope. outdated reports that a newer
// key than the one used is primary now, so that it is worth sealing again.
// Errors wrap [ErrTampered] or [ErrMissingKey].
func (k *Keyring) Open(s Scope, sealed []byte) (plain Secret, outdated bool, err error) {
	outdated, err = k.OpenFor(s, sealed, func(b []byte) { plain = NewSecret(string(b)) })
	return plain, outdated, err
}

// OpenFor is [Keyring.Open] for a secret that is needed only once: it is passed to
// use, and erased when use returns or panics. Where OpenFor returns an error, use was
// not called. use must not be nil, and may call methods of the keyring.
//
// use must not keep plain, nor give it to another goroutine: the same memory holds the
// next secret that is opened, of any account. Code that has kept plain reads that one,
// and alters it by a write.
func (k *Keyring) OpenFor(s Scope, sealed []byte, use func(plain []byte)) (outdated bool, err error) {
	index, rest, err := k.find(sealedFormat, sealed)
	if err != nil {
		return false, err
	}
	aead := k.keys[index].aead(s.Purpose)
	if aead == nil || len(rest) < chacha20poly1305.NonceSizeX {
		return false, ErrTampered
	}
	nonce, box := rest[:chacha20poly1305.NonceSizeX], rest[chacha20poly1305.NonceSizeX:]
	buffer := newBuffer()
	defer buffer.release()
	aad, err := s.bind(buffer[:0], k.keys[index].headers[sealedFormat])
	if err != nil {
		return false, fmt.Errorf("%w: %w", ErrTampered, err)
	}
	plain, err := aead.Open(aad[len(aad):], nonce, box, aad)
	if err != nil {
		return false, ErrTampered
	}
	defer clear(plain)      // it may have been too long for the buffer
	use(slices.Clip(plain)) // what follows it in the buffer is not for use to append to
	return index < k.primary, nil
}

// Digest returns value under the primary key (HMAC-SHA-256), for values that
// need comparing only. The purpose must be PurposeOneTimeCode or PurposeProof.
func (k *Keyring) Digest(s Scope, value Secret) ([]byte, error) {
	if !k.Valid() {
		return nil, errEmptyKeyring
	}
	return k.keys[k.primary].digest(s, value)
}

// Matches reports in constant time whether digest was made of value for the
// same scope. Errors wrap [ErrTampered] or [ErrMissingKey].
func (k *Keyring) Matches(s Scope, digest []byte, value Secret) (bool, error) {
	index, _, err := k.find(digestFormat, digest)
	if err != nil {
		return false, err
	}
	want, err := k.keys[index].digest(s, value)
	if err != nil {
		return false, fmt.Errorf("%w: %w", ErrTampered, err)
	}
	return hmac.Equal(want, digest), nil
}

func (key *ringKey) digest(s Scope, value Secret) ([]byte, error) {
	macs := key.mac(s.Purpose)
	if macs == nil {
		return nil, fmt.Errorf("credential: purpose %q cannot be digested", s.Purpose)
	}
	text, header := value.Reveal(), key.headers[digestFormat]
	buffer := newBuffer()
	defer buffer.release()
	bound, err := s.bind(buffer[:0], header)
	if err != nil {
		return nil, err
	}
	mac := macs.Get().(hash.Hash)
	defer macs.Put(mac)
	mac.Reset()
	mac.Write(append(bound, text...))
	out := make([]byte, len(header), len(header)+mac.Size())
	copy(out, header)
	return mac.Sum(out), nil
}

// find returns the index of the key that stored was made with, and what follows
// the header.
func (k *Keyring) find(format byte, stored []byte) (index int, rest []byte, err error) {
	if !k.Valid() {
		return 0, nil, errEmptyKeyring
	}
	for i, key := range k.keys {
		if rest, ok := bytes.CutPrefix(stored, key.headers[format]); ok {
			return i, rest, nil
		}
	}
	id, ok := KeyID(stored)
	switch {
	case !ok || stored[0] != format:
		return 0, nil, ErrTampered
	case k.index(id) >= 0:
		return 0, nil, fmt.Errorf("%w: %q; the keyring has a different key of that id", ErrMissingKey, id)
	default:
		return 0, nil, fmt.Errorf("%w: %q", ErrMissingKey, id)
	}
}

// A buffer has room for the encoded scope of an account id of 255 bytes, and behind it
// for the longest secret of a device, 128 bytes. What is longer is allocated.
type buffer [512]byte

var buffers = sync.Pool{New: func() any { return new(buffer) }}

// newBuffer returns an empty buffer, which must be released.
func newBuffer() *buffer { return buffers.Get().(*buffer) }

// release gives b back, without the secret that was in it.
func (b *buffer) release() {
	clear(b[:])
	buffers.Put(b)
}
