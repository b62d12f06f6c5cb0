package credential

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"
)

// Account is what a store loads: five fields of the host's and the library's
// State. It prints without its hashes, with two exceptions. fmt does not call
// Format on a value in an unexported field, nor for the verbs %p and %w: a struct
// that holds an Account in such a field prints the hashes.
type Account struct {
	// ID is the host's name for the account. It binds sealed secrets, so it
	// must never change and never be given to another account.
	ID string
	// RegisteredAt opens the grace window. If zero, the time is unknown, and
	// there is no grace.
	RegisteredAt time.Time
	// PasswordHash is of a form that package verifier lists: argon2id in PHC
	// form, bcrypt, or what some other systems store. "" if none is set.
	PasswordHash string
	// PINHash is the same, or such a hash sealed with [Keyring.SealPINHash].
	PINHash string
	// Locked is set by the host. A request for a locked account is refused, except
	// where an operation says otherwise.
	Locked bool
	// State is what this library remembers.
	State State
	// Version is the version of State that was loaded, 1 to [MaxVersion]. It is
	// 0 if no State is stored yet. It is opaque: no order, and no arithmetic.
	Version int64
	// Next is the version that [Store.Save] stores together with State. The
	// library draws it at random for each Save, so that no version is ever
	// seen twice, not even after a fail-over that lost a save. A Store stores
	// it as it is and never counts; Load leaves it 0.
	Next int64
}

// MaxVersion is the largest version of a State, 2^62. A signed 64-bit column
// holds every version, and drawn at random from so many none comes back.
const MaxVersion = 1 << 62

// CheckNext returns an error that wraps [ErrVersion] if Next is not 1 to
// [MaxVersion] or is the same as Version. A [Store] calls it in Save.
func (a Account) CheckNext() error {
	switch {
	case a.Next < 1 || a.Next > MaxVersion:
		return fmt.Errorf("%w: Next is %d, must be 1 to 2^62", ErrVersion, a.Next)
	case a.Next == a.Version:
		return fmt.Errorf("%w: Next is %d, as Version is", ErrVersion, a.Next)
	default:
		return nil
	}
}

// Hash returns the stored hash that f is compared with; "" for OTP.
func (a Account) Hash(f Factor) string {
	switch f {
	case FactorPassword:
		return a.PasswordHash
	case FactorPIN:
		return a.PINHash
	default:
		return ""
	}
}

// Attempts returns the failures of f that count now: those counted against the
// hash that is stored now. A new password or PIN starts at zero.
func (a Account) Attempts(f Factor) Attempts {
	counted := a.State.Attempts(f)
	if against := Fingerprint(a.Hash(f)); counted.Against != against {
		counted = counted.Cleared()
		counted.Against = against
	}
	return counted
}

const fingerprintSize = 16

// Fingerprint names a stored hash in [Attempts.Against] without giving it
// away: the first 16 bytes of its SHA-256; "" for "". A hash that was sealed
// with [Keyring.SealPINHash] has the same fingerprint as the bare one.
func Fingerprint(hash string) string {
	if hash == "" {
		return ""
	}
	if fingerprint, _, ok := splitPINHash(hash); ok {
		return fingerprint
	}
	return hashFingerprint(hash)
}

// hashFingerprint returns the fingerprint of a bare hash.
func hashFingerprint(hash string) string {
	sum := sha256.Sum256([]byte(hash))
	return string(sum[:fingerprintSize])
}

// SameHostFields reports whether everything but State, Version and Next is
// equal: what [Store.Save] must find unchanged. Registration times are compared as instants.
func (a Account) SameHostFields(b Account) bool {
	return a.ID == b.ID && a.RegisteredAt.Equal(b.RegisteredAt) &&
		a.PasswordHash == b.PasswordHash && a.PINHash == b.PINHash && a.Locked == b.Locked
}

// String describes the account without hashes or sealed values.
func (a Account) String() string {
	return fmt.Sprintf("account %q version %d (password set: %t, pin set: %t, locked: %t, devices: %d)",
		a.ID, a.Version, a.PasswordHash != "", a.PINHash != "", a.Locked, len(a.State.Devices))
}

// Format writes [Account.String] for every verb but %p and %w, for which fmt does not
// call it.
func (a Account) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, a.String()) }

// LogValue returns [Account.String].
func (a Account) LogValue() slog.Value { return slog.StringValue(a.String()) }

// MarshalText returns [Account.String]; JSON and XML use it too. An Account is
// not stored this way: see [State.MarshalBinary].
func (a Account) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// GobEncode refuses: gob would write the hashes.
func (a Account) GobEncode() ([]byte, error) {
	return nil, errors.New("credential: refusing to gob-encode an Account")
}
