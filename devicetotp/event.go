package devicetotp

import (
	"time"

	"example.com/devicetotp/credential"
)

// Event tells what one request came to. The Observer gets exactly one a
// request, after the save and before the answer. It holds no secret, no code
// and no hash, unless the host's own errors do (Err), so it can be logged whole.
//
// Tell the user of each new device: the grace window needs no proof, so the
// notice is what reveals a stolen session.
type Event struct {
	// Op is the operation.
	Op Op
	// At is the request's one reading of the clock; zero if the request was
	// refused for its form, before the clock was read.
	At time.Time
	// AccountID is the account, as the host gave it.
	AccountID string
	// DeviceID is the device created, given again or matched. On a refusal it
	// is the one asked for, or the one made up for a Create that named none;
	// empty if its form is not valid.
	DeviceID string
	// Code is the error code of the answer; "" for success.
	Code Code
	// Basis is what the device was created on; zero unless Create succeeded.
	Basis credential.Basis
	// Replayed tells that Create gave an existing device again.
	Replayed bool
	// Factors are the presented factors that were looked at or were blocked,
	// in that order.
	Factors []FactorResult
	// RetryAfter is that of the error.
	RetryAfter time.Duration
	// Evicted are never-used devices that made room for the new one.
	Evicted []string
	// AuthenticatedAt is that of the request.
	AuthenticatedAt time.Time
	// Rounds is how often the request was decided: 1 unless others changed
	// the account meanwhile, 0 if it was refused before.
	Rounds int
	// Err is the cause of an internal error, or what is wrong with an invalid
	// argument; nil otherwise. What a collaborator of the host said is in it
	// word for word.
	Err error
}

// FactorResult tells what became of one presented factor.
type FactorResult struct {
	Factor credential.Factor
	Result Result
	// Failures in a row of this factor after the request.
	Failures int
}

// Result is what became of a presented factor.
type Result uint8

// The results. The zero value is none.
const (
	ResultValid     Result = iota + 1 // accepted
	ResultWrong                       // looked at and wrong, or none is set
	ResultSpent                       // right once, but used up
	ResultBlocked                     // not looked at, after too many failures
	ResultUndecided                   // the verifier gave no answer
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
