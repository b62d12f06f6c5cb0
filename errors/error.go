package errors

import (
	"errors"
	"strings"
	"time"
)

// The values of [Error.Field]: the names of the fields of the requests of package
// devicetotp.
const (
	FieldAccountID  = "AccountID"
	FieldDeviceID   = "DeviceID"
	FieldRotationID = "RotationID"
	FieldOTP        = "OTP"
	FieldPassword   = "Password"
	FieldPIN        = "PIN"
	FieldKind       = "Kind"
	FieldCode       = "Code"
	FieldTTL        = "TTL"
	FieldFactors    = "Factors"
	FieldName       = "Name"
	FieldSecret     = "Secret"
	FieldAlgorithm  = "Algorithm"
	FieldDigits     = "Digits"
	FieldPeriod     = "Period"
	FieldLastUsed   = "LastUsedAt"
	FieldDeviceIDs  = "DeviceIDs"
	FieldKinds      = "Kinds"
	FieldCount      = "Count"
)

// Match a whole class of errors with the standard library's errors.Is.
var (
	// ErrDenied matches every error of [ClassDenied].
	ErrDenied = errors.New("devicetotp: denied")
	// ErrInvalid matches every error of [ClassInvalid].
	ErrInvalid = errors.New("devicetotp: invalid")
)

// Error is the error that every operation of the library returns. Functions
// return it as a plain error; find it with errors.As, or call [CodeOf].
type Error struct {
	// Op is the operation that failed.
	Op Op
	// Code says what went wrong.
	Code Code
	// Field names the field of the request, or the path of the configuration
	// value, that is at fault. It is empty if no one field is at fault. The names
	// of the fields of requests are the constants [FieldAccountID] and so on.
	Field string
	// RetryAfter is how long to wait before the same request can do better. It
	// is zero if that is unknown, or if waiting does not help.
	RetryAfter time.Duration
	// Err is the cause, for the operator. Context errors and the errors of the
	// host's collaborators stay findable in it with errors.Is.
	Err error
}

// Error returns one line for the operator's log. It is not meant for callers.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("devicetotp: ")
	for _, part := range []string{string(e.Op), e.Field} {
		if part != "" {
			b.WriteString(part)
			b.WriteString(": ")
		}
	}
	b.WriteString(string(e.Code))
	if e.RetryAfter > 0 {
		b.WriteString(" (retry after ")
		b.WriteString(e.RetryAfter.String())
		b.WriteString(")")
	}
	if e.Err != nil {
		b.WriteString(": ")
		b.WriteString(e.Err.Error())
	}
	return b.String()
}

// Unwrap returns the cause, or nil. If there is an error of a class in the
// cause, for instance because a collaborator of the host asked another Issuer,
// then what is returned matches all that the cause does but its class: only the
// outermost code classifies an error.
func (e *Error) Unwrap() error {
	if mayHaveClass(e.Err) {
		return unclassified{e.Err}
	}
	return e.Err
}

// mayHaveClass reports whether err holds an [Error], of whatever code, or a
// class. It must not ask a nested Error what it wraps, because that one would
// look through everything below it as well, and so on: each level would double
// the work. So it goes down to the first Error only.
func mayHaveClass(err error) bool {
	var inner *Error
	return errors.As(err, &inner) || errors.Is(err, ErrDenied) || errors.Is(err, ErrInvalid)
}

// unclassified is a cause whose class must not show through.
type unclassified struct{ cause error }

func (u unclassified) Error() string { return u.cause.Error() }

// Is makes errors.Is match whatever the cause matches, except a class.
func (u unclassified) Is(target error) bool {
	return target != ErrDenied && target != ErrInvalid && errors.Is(u.cause, target)
}

// As makes errors.As find whatever the cause holds.
func (u unclassified) As(target any) bool { return errors.As(u.cause, target) }

// Is makes errors.Is match [ErrDenied] and [ErrInvalid] by class.
func (e *Error) Is(target error) bool {
	switch target {
	case ErrDenied:
		return e.Code.Class() == ClassDenied
	case ErrInvalid:
		return e.Code.Class() == ClassInvalid
	default:
		return false
	}
}

// CodeOf returns the code of err, or "" if and only if err is nil. An error
// that this library did not make, or that has no code, is [CodeInternal]. Of
// several that are wrapped or joined it is the outermost, then the first.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	var e *Error
	if errors.As(err, &e) && e != nil && e.Code != "" {
		return e.Code
	}
	return CodeInternal
}
