package verifier

import (
	"context"
	"time"

	"example.com/devicetotp/credential"
)

// A Verifier decides whether a presented value is right for an account. Verify
// is read-only and repeatable: it may be called several times for one request,
// and must then say the same for the same account. It must be safe for
// concurrent use, honour ctx, and not alter or keep the account's slices.
//
// presented is never absent and never empty. The account may be unknown to the
// store; it then has an ID only, and a Valid verdict about it is not believed.
// A host's verifier should take as long for a value that is not set as for a
// wrong one.
//
// An error means that there is no verdict: the request fails as an internal
// error, or as unavailable if the error is or wraps [ErrBusy] or a context
// error, and what was found wrong before still counts.
type Verifier interface {
	Verify(ctx context.Context, a credential.Account, presented credential.Secret, now time.Time) (Verdict, error)
}

// Func makes a function a [Verifier].
type Func func(ctx context.Context, a credential.Account, presented credential.Secret, now time.Time) (Verdict, error)

// Verify calls f.
func (f Func) Verify(ctx context.Context, a credential.Account, presented credential.Secret, now time.Time) (Verdict, error) {
	return f(ctx, a, presented, now)
}

// Status is what a verifier found. The zero value is not an answer.
type Status uint8

// The statuses.
const (
	Undecided Status = iota // no answer: as a verdict without an error, a fault
	Valid                   // right
	Invalid                 // wrong, expired, malformed, or none is set
	Spent                   // right once, and used up since; counts as wrong
)

// String returns "undecided", "valid", "invalid" or "spent".
func (s Status) String() string {
	switch s {
	case Valid:
		return "valid"
	case Invalid:
		return "invalid"
	case Spent:
		return "spent"
	default:
		return "undecided"
	}
}

// Verdict is the answer of a [Verifier].
type Verdict struct {
	// Status says what was found.
	Status Status
	// Proof names a valid OTP, so that it makes one device only: 1 to 255
	// bytes, the same for the same code and never the code itself. Required
	// with a Valid OTP, ignored otherwise.
	Proof string
	// Until is how long Proof must be remembered as spent: at least as long
	// as the code would be accepted. Required with Proof.
	Until time.Time
	// DeviceID and Step are set when the OTP is a code of one of the account's
	// own devices. The step of that device is then spent, in place of Proof; a
	// step that is not newer than the device's LastStep was spent before.
	DeviceID string
	Step     int64
	// Outdated hints that what was compared with should be stored anew: the
	// algorithm, the cost or the key is behind. See [Rehasher].
	Outdated bool
}

// A Rehasher is a Verifier that can make a new stored hash of a value that it
// has just found valid. Those of [Password] and [PIN] are.
type Rehasher interface {
	Verifier
	// Rehash returns what should stand in place of the account's stored hash.
	Rehash(ctx context.Context, a credential.Account, presented credential.Secret) (string, error)
}

// Off returns the verifier of a factor that this service never accepts: every
// value is wrong. It does no hashing, so it also tells by its speed that the
// factor is off for everybody.
func Off() Verifier {
	return Func(func(context.Context, credential.Account, credential.Secret, time.Time) (Verdict, error) {
		return Verdict{Status: Invalid}, nil
	})
}
