package credential

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"log/slog"
)

// Secret is a value that must not be seen: a password, a PIN, a one-time code,
// the key of a device. The zero value is absent, which differs from
// present and empty.
//
// A Secret never prints. Every verb of fmt, log/slog, encoding/json, text and
// XML marshalling yield a fixed word, and gob refuses it. Code that prints by
// reflection without calling methods, such as the diff of a failing test, finds
// a mark that shows whether two secrets are the same. [Secret.Reveal] is the
// only way to the value.
//
// Two Secrets of the same value are equal for reflect.DeepEqual, and by
// [Secret.Equal], but not by ==. To check a credential use [Secret.Matches],
// which is false when nothing was presented.
type Secret struct {
	held *held
}

// held is a value where the reader of a Secret finds it and no printer does:
// behind the end of a slice, whose elements reflection visits up to its length.
// Hiding it in a closure would be simpler, but two closures are never deeply
// equal; and a value that is merely masked can be had from its mask by whoever
// knows another value that was masked alike.
type held struct {
	mark   [16]byte // in place of the value, where values are compared by reflection
	beyond []string // of length 0 and capacity 1, whatever the value
}

// markKey makes the marks of this process mean nothing to anybody else: without
// it every PIN could be tried against a mark in a log.
var markKey = newMarkKey()

func newMarkKey() (key [32]byte) {
	_, _ = rand.Read(key[:]) // never fails: crypto/rand ends the process instead
	return key
}

// NewSecret returns a present secret; an empty value is present too.
func NewSecret(value string) Secret {
	room := &struct { // one allocation for both
		held
		value [1]string
	}{value: [1]string{value}}
	room.beyond = room.value[:0]
	var buffer [256]byte // room for a key and for the usual values, an argon2id hash included
	mark := sha256.Sum256(append(append(buffer[:0], markKey[:]...), value...))
	copy(room.mark[:], mark[:])
	return Secret{held: &room.held}
}

// Optional returns the secret of value, or the absent one if value is empty.
// Use it where a form or a flag leaves out what is not given.
func Optional(value string) Secret {
	if value == "" {
		return Secret{}
	}
	return NewSecret(value)
}

// FromPtr returns the secret of *value, or the absent one if value is nil. Use
// it where the wire format distinguishes absent from empty.
func FromPtr(value *string) Secret {
	if value == nil {
		return Secret{}
	}
	return NewSecret(*value)
}

// Reveal returns the value; "" if the secret is absent.
func (s Secret) Reveal() string {
	if s.held == nil {
		return ""
	}
	return s.held.beyond[:1][0]
}

// Present reports whether there is a value, which may be empty.
func (s Secret) Present() bool { return s.held != nil }

// Matches reports whether both secrets are present and hold the same value. It
// is the comparison that checks a credential: an absent secret matches nothing,
// not even another absent one. It takes a time that depends on the lengths only.
func (s Secret) Matches(other Secret) bool {
	return s.Present() && other.Present() && s.sameValue(other)
}

// Equal reports whether both secrets are absent, or both are present and hold
// the same value. It is for comparing structs in tests, where
// github.com/google/go-cmp calls it; check a credential with [Secret.Matches].
// It takes a time that depends on the lengths only.
func (s Secret) Equal(other Secret) bool {
	return s.Present() == other.Present() && s.sameValue(other)
}

func (s Secret) sameValue(other Secret) bool {
	return subtle.ConstantTimeCompare([]byte(s.Reveal()), []byte(other.Reveal())) == 1
}

// String returns a fixed word: "[redacted]", or "[absent]".
func (s Secret) String() string {
	if s.held == nil {
		return "[absent]"
	}
	return "[redacted]"
}

// Format writes the fixed word for every verb but %p and %w, for which fmt does not
// call it and prints an address.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// LogValue returns the fixed word.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText returns the fixed word; JSON and XML use it too.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// GobEncode refuses.
func (s Secret) GobEncode() ([]byte, error) {
	return nil, errors.New("credential: refusing to gob-encode a Secret")
}
