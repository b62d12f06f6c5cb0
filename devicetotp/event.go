package devicetotp

import (
	"time"

	"example.com/devicetotp/credential"
)

// Event describes the outcome of one request. The Observer receives exactly one
// for each request, after the save and before the response. It holds no secret,
// no code and no hash, unless the host's own errors do (Err), so it can be logged
// whole.
//
// Tell the user of each new device and each new secret: the grace window needs no
// proof, so the notice is what reveals a stolen session. The first Event of a
// device may be that of a retry, because the response to the request that made it
// was lost. So tell of every Event of OpCreate or OpRotate without a Code, Replayed
// or not, once for each pair of DeviceID and CreatedAt. After one with CodeUnavailable
// the device may exist: if no retry follows, ask Inspect.
//
// Tell the user also of each recovery code that was used (a FactorResult of the
// Kind verifier.KindRecovery) and of new recovery codes (OpReplaceRecoveryCodes).
type Event struct {
	// Op is the operation.
	Op Op
	// At is the request's one reading of the clock; zero if the request was
	// refused for its form, before the clock was read.
	At time.Time
	// AccountID is the account, as the host gave it.
	AccountID string
	// DeviceID is the device that was created, returned again or matched. On a
	// refusal it is the requested one, or the one generated for a Create that
	// named none; it is empty if its form is not valid.
	DeviceID string
	// Code is the code of the returned error; "" for success.
	Code Code
	// Basis is what the device was created or rotated on, or what was proved, or
	// credential.BasisImported; zero unless Create, Prove, Rotate or Import
	// succeeded.
	Basis credential.Basis
	// CreatedAt is when the device was created or imported, or its new secret made;
	// zero unless Create, Rotate or Import succeeded.
	CreatedAt time.Time
	// Replayed reports that Create returned an existing device again, Rotate the
	// secret of a pending rotation, or that Import found the device there already.
	// Replaced reports that Create put a new device in the place of one of the same
	// id that was never used, or Rotate a new rotation in the place of one that was
	// pending.
	Replayed, Replaced bool
	// RotationsConfirmed are the devices that an accepted code made take over the
	// new secret of their rotation. Their old secret is gone.
	RotationsConfirmed []string
	// RestsOnGrace reports that what was created or accepted rests on grace alone:
	// on the grace window, or on a code of a device that rests on it.
	RestsOnGrace bool
	// Factors are the presented factors that were checked or were blocked, in
	// that order.
	Factors []FactorResult
	// Unreadable lists the stored values that could not be compared, and why.
	// Everything beside them works.
	Unreadable []Unreadable
	// RetryAfter is Error.RetryAfter, or zero.
	RetryAfter time.Duration
	// Evicted are never-used devices that made room for the new one.
	Evicted []string
	// Revoked are the devices that Revoke removed.
	Revoked []string
	// AuthenticatedAt is copied from the request.
	AuthenticatedAt time.Time
	// Rounds is how often the request was decided: more than 1 only if the account
	// changed meanwhile, 0 if the request was refused before.
	Rounds int
	// Duration is how long the request took until now, by the real time and not by
	// Config.Clock: waiting, hashing and the store included.
	Duration time.Duration
	// Err is the cause of an internal or unavailable error, or what is wrong with an
	// invalid argument; nil otherwise. An error of the host's own store, verifier,
	// clock or secret source is in it unchanged.
	Err error
}

// Unreadable is a stored value that does not open, for instance because its key
// is missing: a device, a one-time code, the recovery codes, or the hash of a
// password or PIN. In the Event of a Reseal, Err says what the value is for,
// see [Resealed].Unreadable.
type Unreadable struct {
	// Factor is what it belongs to.
	Factor credential.Factor
	// DeviceID is the device, and Kind that of the one-time code, or
	// verifier.KindRecovery; "" otherwise.
	DeviceID, Kind string
	// Err is the reason.
	Err error
}

// FactorResult describes the result of one presented factor.
type FactorResult struct {
	Factor credential.Factor
	Result Result
	// Kind is the kind of the OTP that was accepted: verifier.KindDeviceTOTP,
	// verifier.KindRecovery or that of the one-time code. It is "" for any other
	// result, and where the verifier does not say or a retry is recognized by the
	// OTP that it repeats.
	Kind string
	// Failures in a row of this factor after the request.
	Failures int
}

// Result is what became of a presented factor.
type Result uint8

// The results. The zero value is none.
const (
	ResultValid     Result = iota + 1 // accepted
	ResultWrong                       // checked and wrong, or none is set
	ResultSpent                       // right once, but used up
	ResultBlocked                     // not checked, after too many failures
	ResultUndecided                   // the verifier returned no verdict
)

// String returns "valid", "wrong", "spent", "blocked" or "undecided".
func (r Result) String() string {
	switch r {
	case ResultValid:
		return "valid"
	case ResultWrong:
		return "wrong"
	case ResultSpent:
		return "spent"
	case ResultBlocked:
		return "blocked"
	case ResultUndecided:
		return "undecided"
	default:
		return "none"
	}
}
