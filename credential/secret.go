package credential

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"log/slog"
)

// Secret is a value that must not be seen: a password, a PIN, a one-time code,
// the key of a device. The zero value is absent, which is something else than
// present and empty.
//
// A Secret never prints. Every verb of fmt, log/slog, encoding/json, text and
// XML marshalling yield a fixed word, gob refuses it, and the value is held
// behind a pointer so that printing a struct around it shows an address at
// most. [Secret.Reveal] is the only way to the value.
type Secret struct {
	value *string
}

// NewSecret returns a present secret; an empty value is present too.
func NewSecret(value string) Secret { return Secret{value: &value} }

// Optional returns the secret of value, or the absent one if value is empty.
// Use it where a form or a flag leaves out what is not given.
func Optional(value string) Secret {
	if value == "" {
		return Secret{}
	}
	return NewSecret(value)
}

// FromPtr returns the secret of *value, or the absent one if value is nil. Use
// it where the wire tells absent from empty.
func FromPtr(value *string) Secret {
	if value == nil {
		return Secret{}
	}
	return NewSecret(*value)
}

// Reveal returns the value; "" if the secret is absent.
func (s Secret) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// Present tells whether there is a value, be it an empty one.
func (s Secret) Present() bool { return s.value != nil }

// Equal compares in a time that depends on the lengths only. Two absent
// secrets are not equal: nothing proves nothing.
func (s Secret) Equal(other Secret) bool {
	if s.value == nil || other.value == nil {
		return false
	}
	return subtle.ConstantTimeCompare([]byte(*s.value), []byte(*other.value)) == 1
}

// String returns a fixed word that tells presence only.
func (s Secret) String() string {
	if s.value == nil {
		return "[absent]"
	}
	return "[redacted]"
}

// Format writes the fixed word whatever the verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// LogValue returns the fixed word.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText returns the fixed word; JSON and XML use it too.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// GobEncode refuses.
func (s Secret) GobEncode() ([]byte, error) {
	return nil, errors.New("credential: a Secret is not encoded")
}
