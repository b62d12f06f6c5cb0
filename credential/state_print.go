package credential

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
)

// A State and its parts print as their JSON. fmt does not call Format on a value
// in an unexported field of another struct, nor for the verbs %p and %w: a host
// that keeps an Account or a State in such a field must not print that struct.

// String returns [State.MarshalJSON] as text.
func (s State) String() string { return viewText("state", s.view()) }

// String returns [Device.MarshalJSON] as text.
func (d Device) String() string { return viewText("device", d.view()) }

// String returns [OneTimeCode.MarshalJSON] as text.
func (c OneTimeCode) String() string { return viewText("one-time code", c.view()) }

// String returns [SpentProof.MarshalJSON] as text.
func (p SpentProof) String() string { return viewText("spent proof", p.view()) }

// String returns [Attempts.MarshalJSON] as text.
func (a Attempts) String() string { return viewText("attempts", a.view()) }

// viewText returns view as JSON; the name alone if it holds a time that JSON
// cannot write.
func viewText(name string, view any) string {
	b, err := json.Marshal(view)
	if err != nil {
		return name
	}
	return string(b)
}

// Format writes [State.String] for every verb but %p and %w.
func (s State) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// Format writes [Device.String] for every verb but %p and %w.
func (d Device) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, d.String()) }

// Format writes [OneTimeCode.String] for every verb but %p and %w.
func (c OneTimeCode) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, c.String()) }

// Format writes [SpentProof.String] for every verb but %p and %w.
func (p SpentProof) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, p.String()) }

// Format writes [Attempts.String] for every verb but %p and %w.
func (a Attempts) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, a.String()) }

// LogValue returns [State.String].
func (s State) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText returns [State.String]; XML uses it.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// MarshalText returns [Device.String]; XML uses it.
func (d Device) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// MarshalText returns [OneTimeCode.String]; XML uses it.
func (c OneTimeCode) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// MarshalText returns [SpentProof.String]; XML uses it.
func (p SpentProof) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// MarshalText returns [Attempts.String]; XML uses it.
func (a Attempts) MarshalText() ([]byte, error) { return []byte(a.String()), nil }
