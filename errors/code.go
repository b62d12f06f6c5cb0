package errors

// A Code says what went wrong. The set is closed: [Codes] lists it.
type Code string

// The codes. Each one's class is in its comment.
const (
	// InvalidID (invalid): the device id is not a UUID in 8-4-4-4-12 form.
	InvalidID Code = "invalid-id"
	// IDInUse (invalid): the account has a device of that id already, and the
	// request is not a repetition of the one that made it.
	IDInUse Code = "id-in-use"
	// InvalidArgument (invalid): the host called an operation with a value
	// that can never work. Neither Create nor Verify answers it; a host's own
	// endpoint for AddCode or Unblock may.
	InvalidArgument Code = "invalid-argument"

	// InvalidCredentials (denied): none of the presented values was accepted,
	// for whatever reason: wrong, spent, expired, malformed, none set, or the
	// account is unknown.
	InvalidCredentials Code = "invalid-credentials"
	// CredentialsRequired (denied): nothing was presented and the grace
	// window is not open for this request.
	CredentialsRequired Code = "credentials-required"
	// TooManyAttempts (denied): every presented factor is blocked after too
	// many failures. RetryAfter tells when the first opens again, if ever.
	TooManyAttempts Code = "too-many-attempts"
	// AccountLocked (denied): the host has locked the account.
	AccountLocked Code = "account-locked"
	// DeviceLimitReached (denied): the account has as many devices as the
	// policy allows, and none that may make room.
	DeviceLimitReached Code = "device-limit-reached"

	// Unavailable (internal): a store that did not answer, a queue that is
	// full, or time that ran out. Worth trying again. After a failed save the
	// outcome is unknown to the caller, not unchanged: send the same request
	// again, with the same device id.
	Unavailable Code = "unavailable"
	// Internal (internal): anything else. A fault of the library, of its
	// configuration or of a collaborator that the host plugged in.
	Internal Code = "internal-error"
)

// Codes lists every code, the denied ones and the invalid ones first.
func Codes() []Code {
	return []Code{
		InvalidCredentials, CredentialsRequired, TooManyAttempts, AccountLocked, DeviceLimitReached,
		InvalidID, IDInUse, InvalidArgument,
		Unavailable, Internal,
	}
}

// A Class groups codes by what a caller can do about them.
type Class uint8

// The classes. The zero value is ClassInternal, so that what nobody
// classified is a fault and never a statement about the caller.
const (
	// ClassInternal: not the caller's doing. HTTP 500.
	ClassInternal Class = iota
	// ClassDenied: understood and refused. HTTP 403.
	ClassDenied
	// ClassInvalid: cannot be followed as it is. HTTP 422.
	ClassInvalid
)

// String returns "internal", "denied" or "invalid".
func (c Class) String() string {
	switch c {
	case ClassDenied:
		return "denied"
	case ClassInvalid:
		return "invalid"
	default:
		return "internal"
	}
}

// Class returns the code's class; [ClassInternal] for a code not in the set.
func (c Code) Class() Class {
	switch c {
	case InvalidCredentials, CredentialsRequired, TooManyAttempts, AccountLocked, DeviceLimitReached:
		return ClassDenied
	case InvalidID, IDInUse, InvalidArgument:
		return ClassInvalid
	default:
		return ClassInternal
	}
}
