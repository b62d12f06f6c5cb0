package credential

import (
	"bytes"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
)

// The header of every stored value says which key made it:
//
//	header = format length id check
//
// format is one byte, length that of the id in one byte, and check is derived
// from the key, so that a different key of the same id is noticed. The whole
// header is authenticated with the value.
const (
	sealedFormat = 1
	digestFormat = 2

	keyCheckSize = 8
)

func newHeader(format byte, id string, check []byte) []byte {
	return append(append([]byte{format, byte(len(id))}, id...), check...)
}

var errEmptyKeyring = fmt.Errorf("%w: the keyring is empty", ErrMissingKey)

// KeyID returns the id of the key that a sealed or digested value was made
// with. ok is false if stored is no such value. It is what the value says:
// [Keyring.Open] and [Keyring.Matches] authenticate it.
func KeyID(stored []byte) (id string, ok bool) {
	s := cryptobyte.String(stored)
	var format uint8
	var name cryptobyte.String
	if !s.ReadUint8(&format) || format != sealedFormat && format != digestFormat ||
		!s.ReadUint8LengthPrefixed(&name) || !s.Skip(keyCheckSize) || !isKeyID(string(name)) {
		return "", false
	}
	return string(name), true
}

// Has reports whether the keyring has the key that a sealed or digested value
// was made with: the very key, not only one of that id.
func (k *Keyring) Has(stored []byte) bool { return k.keyOf(stored) >= 0 }

// Foreign reports whether a sealed or digested value was made by a different
// key than the one that the keyring has under the same id. Two processes then
// disagree about a key, and nothing should be sealed until that is mended.
func (k *Keyring) Foreign(stored []byte) bool {
	id, ok := KeyID(stored)
	return ok && k.index(id) >= 0 && !k.Has(stored)
}

// Outdated reports whether a sealed or digested value was made by a key of the
// keyring that is older than the primary.
func (k *Keyring) Outdated(stored []byte) bool {
	i := k.keyOf(stored)
	return i >= 0 && i < k.primary
}

// IDs returns the ids of the keys, from the oldest to the newest.
func (k *Keyring) IDs() []string {
	if !k.Valid() {
		return nil
	}
	ids := make([]string, len(k.keys))
	for i := range k.keys {
		ids[i] = k.keys[i].id
	}
	return ids
}

// PrimaryID returns the id of the key that seals; "" if there is none.
func (k *Keyring) PrimaryID() string {
	if !k.Valid() {
		return ""
	}
	return k.keys[k.primary].id
}

// keyOf returns the index of the key that made stored; -1 if it is not there.
func (k *Keyring) keyOf(stored []byte) int {
	if !k.Valid() {
		return -1
	}
	for i, key := range k.keys {
		if bytes.HasPrefix(stored, key.headers[sealedFormat]) || bytes.HasPrefix(stored, key.headers[digestFormat]) {
			return i
		}
	}
	return -1
}

// index returns the index of the key of that id; -1 if there is none.
func (k *Keyring) index(id string) int {
	if !k.Valid() {
		return -1
	}
	for i := range k.keys {
		if k.keys[i].id == id {
			return i
		}
	}
	return -1
}
