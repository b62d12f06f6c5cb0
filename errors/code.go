package errors

// A Code says what went wrong. The set of the domain is closed: [Codes] lists it. A
// transport may add codes of its own for what never reaches the domain.
type Code string

// The codes. Each one's class is in its comment.
const (
	// CodeInvalidID (invalid): the id of the device, or of the rotation, is not a UUID
	// in 8-4-4-4-12 form.
	CodeInvalidID Code = "invalid-id"
	// CodeIDInUse (invalid): the account has a device of that id already, and
	// the request is not a retry of the one that made it. From Rotate: the
	// device had a rotation of that id, and the request is not a retry of the
	// one that began it, or comes late.
	CodeIDInUse Code = "id-in-use"
	// CodeInvalidArgument (invalid): the host called an operation with a value
	// that does not work. Verify never returns it, and Create only for the name
	// of a device, which the documented endpoint does not take. If the store does
	// not know the account, the error wraps credential.ErrNotFound.
	CodeInvalidArgument Code = "invalid-argument"
	// CodeNotFound (invalid): the account has no device of that id. Create and
	// Verify never return it.
	CodeNotFound Code = "not-found"

	// CodeInvalidCredentials (denied): none of the presented values was accepted,
	// for whatever reason: wrong, spent, expired, malformed, none set, or the
	// account is unknown.
	CodeInvalidCredentials Code = "invalid-credentials"
	// CodeCredentialsRequired (denied): nothing was presented and the grace
	// window is not open for this request.
	CodeCredentialsRequired Code = "credentials-required"
	// CodeTooManyAttempts (denied): every presented factor is blocked after too
	// many failures. RetryAfter is the time until the first opens again; 0 if none does by itself.
	// From Rotate also: the device was rotated credential.MaxRotations times within
	// Policy.RetryWindow.
	CodeTooManyAttempts Code = "too-many-attempts"
	// CodeAccountLocked (denied): the host has locked the account.
	CodeAccountLocked Code = "account-locked"
	// CodeDeviceLimitReached (denied): the account has as many devices as the
	// policy allows, and none that may make room.
	CodeDeviceLimitReached Code = "device-limit-reached"

	// CodeUnavailable (internal): a store that did not answer, a queue that is
	// full, or time that ran out. After a failed save the outcome is unknown to
	// the caller, not unchanged: retry the same request, with the same ids.
	CodeUnavailable Code = "unavailable"
	// CodeInternal (internal): anything else. A fault of the library, of its
	// configuration or of a collaborator that the host plugged in.
	CodeInternal Code = "internal-error"
)

// Codes lists every code, the denied ones and the invalid ones first.
func Codes() []Code {
	return []Code{
		CodeInvalidCredentials, CodeCredentialsRequired, CodeTooManyAttempts, CodeAccountLocked, CodeDeviceLimitReached,
		CodeInvalidID, CodeIDInUse, CodeInvalidArgument, CodeNotFound,
		CodeUnavailable, CodeInternal,
	}
}

// A Class groups codes by what a caller can do about them.
type Class uint8

// The classes. The zero value is ClassInternal, so that what nobody
// classified is a fault and never a statement about the caller.
const (
	// ClassInternal is for faults that the caller did not cause. HTTP 500.
	ClassInternal Class = iota
	// ClassDenied is for requests that are understood and refused. HTTP 403.
	ClassDenied
	// ClassInvalid is for requests that are understood and cannot be processed
	// as sent. HTTP 422.
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
	case CodeInvalidCredentials, CodeCredentialsRequired, CodeTooManyAttempts, CodeAccountLocked, CodeDeviceLimitReached:
		return ClassDenied
	case CodeInvalidID, CodeIDInUse, CodeInvalidArgument, CodeNotFound:
		return ClassInvalid
	default:
		return ClassInternal
	}
}
