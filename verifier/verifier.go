package verifier

import (
	"context"
	"time"

	"example.com/devicetotp/credential"
)

// A Query is one presented value and what it may be compared with. It holds no
// more than its factor needs: the hash of the factor that is asked about, and
// for an OTP the one-time codes and devices that are not blocked.
type Query struct {
	// AccountID is the host's id for the account. The account may be unknown to
	// the store: the rest of the Query is then empty, and a StatusValid verdict
	// is ignored.
	AccountID string
	// Presented is what the caller presents; never absent and never empty.
	Presented credential.Secret
	// Now is the time of the request.
	Now time.Time
	// Hash is the stored hash of the password or the PIN. It is absent for an
	// OTP and where none is set.
	Hash credential.Secret
	// Kinds are the kinds of OTP that the request accepts, for an OTP only. Nil
	// means every kind that the verifier knows. An OTP of another kind is wrong.
	Kinds []string
	// Codes, Spent, Devices and Recovery are copied from the account's State,
	// for an OTP only. Recovery is empty while the recovery codes are blocked.
	Codes    []credential.OneTimeCode
	Spent    []credential.SpentProof
	Devices  []credential.Device
	Recovery credential.RecoveryCodes
}

// NewQuery returns the query about what account a presents for f.
func NewQuery(a credential.Account, f credential.Factor, presented credential.Secret, now time.Time) Query {
	q := Query{AccountID: a.ID, Presented: presented, Now: now, Hash: credential.Optional(a.Hash(f))}
	if f == credential.FactorOTP {
		q.Codes, q.Spent, q.Devices = a.State.Codes, a.State.Spent, a.State.Devices
		q.Recovery = a.State.Recovery
	}
	return q
}

// A Verifier decides whether a presented value is right. Verify only reads: it
// may be called several times for one request, and must return the same verdict
// for the same Query. It must be safe for concurrent use, honor ctx, and must
// not modify or keep the slices of the Query.
//
// A Verifier should take as long for a value that is not set as for a wrong one.
//
// An error means that there is no verdict: the request fails as an internal
// error, or as unavailable if the error is or wraps [ErrBusy] or a context
// error, and what was found wrong before still counts.
type Verifier interface {
	Verify(ctx context.Context, q Query) (Verdict, error)
}

// Func makes a function a [Verifier].
type Func func(ctx context.Context, q Query) (Verdict, error)

// Verify calls f.
func (f Func) Verify(ctx context.Context, q Query) (Verdict, error) { return f(ctx, q) }

// Status is what a verifier found. The zero value, StatusUndecided, is never a
// valid result.
type Status uint8

// The statuses.
const (
	StatusUndecided Status = iota // no answer: as a verdict without an error, a fault
	StatusValid                   // right
	StatusWrong                   // wrong, expired, malformed, or none is set
	StatusSpent                   // right once, and used up since; counts as wrong
)

// String returns "undecided", "valid", "wrong" or "spent".
func (s Status) String() string {
	switch s {
	case StatusValid:
		return "valid"
	case StatusWrong:
		return "wrong"
	case StatusSpent:
		return "spent"
	default:
		return "undecided"
	}
}

// Verdict is the answer of a [Verifier].
type Verdict struct {
	// Status says what was found.
	Status Status
	// ProofID names a valid OTP, so that it makes one device only: 1 to 255
	// bytes, the same for the same code and never the code itself. Required
	// with a valid OTP, ignored otherwise. A recovery code has none: it is spent
	// by taking it out of the account's.
	ProofID string
	// Until is how long ProofID must be remembered as spent: at least as long
	// as the code would be accepted. Required with ProofID. It may be remembered
	// much longer, so give each OTP a ProofID that no later one has, even if the
	// digits are the same: make it of a serial number or time too.
	Until time.Time
	// DeviceID and Step are set when the OTP is a code of one of the account's
	// own devices. The step of that device is then spent, in place of ProofID; a
	// step that is not newer than the device's LastStep was spent before.
	DeviceID string
	Step     int64
	// Rotated reports that the code is one of the new secret of the device's
	// pending rotation. Step is then one of that secret.
	Rotated bool
	// Compared is what a user OTP was compared with, right or wrong, so that
	// failures are counted against each of them: what is neither a device of the
	// account nor its recovery codes, against its Kind. While a kind or a device is
	// blocked, what the verifier says of it is left out. Nil means that the verifier
	// does not say: a failure then counts against the verifier as a whole, and any OTP
	// that it finds valid resets that.
	Compared []Compared
	// Outdated reports that the stored hash or sealed value should be renewed,
	// because its algorithm, cost or key is no longer current. See [Rehasher].
	Outdated bool
}

// A Rehasher is a Verifier that can make a new stored hash of a value that it
// has just found valid. Those of [Password] and [PIN] are.
type Rehasher interface {
	Verifier
	// Rehash returns the hash of q.Presented to store in place of q.Hash, for a
	// PIN sealed.
	Rehash(ctx context.Context, q Query) (string, error)
}

// Kind returns the kind of a valid OTP: [KindDeviceTOTP], [KindRecovery], or that
// of the one-time code. It is "" if the OTP is not valid, or if the verifier does
// not say what it compared.
func (v Verdict) Kind() string {
	switch {
	case v.Status != StatusValid:
		return ""
	case v.DeviceID != "":
		return KindDeviceTOTP
	}
	for _, c := range v.Compared {
		if c.Right && c.DeviceID == "" {
			return c.Kind
		}
	}
	return ""
}

// Off returns the verifier of a factor that this service never accepts: every
// value is wrong, and compared with nothing. It does no hashing, so its speed also
// reveals that the factor is off for everybody.
func Off() Verifier {
	return Func(func(context.Context, Query) (Verdict, error) {
		return Verdict{Status: StatusWrong, Compared: []Compared{}}, nil
	})
}
