// Package errors has the one error type of this library and its closed set of
// codes.
//
// Ask [CodeOf] what happened, or match a whole class with the standard
// library's errors.Is and [ErrDenied] or [ErrInvalid]:
//
//	switch {
//	case errors.Is(err, totperrors.ErrDenied):  // HTTP 403, gRPC PERMISSION_DENIED
//	case errors.Is(err, totperrors.ErrInvalid): // HTTP 422, gRPC INVALID_ARGUMENT
//	default:                                    // HTTP 500; worth a retry if the code is CodeUnavailable
//	}
//
// A transport that has a "not found" (HTTP 404, gRPC NOT_FOUND) looks for
// [CodeNotFound] first, which is one of ErrInvalid.
//
// An [Error]'s text is for the operator's log: it may carry what a store or
// another collaborator of the host said. What a caller may see is the code, the
// field and the retry time. No HTTP number is in here: that table belongs to
// the transport.
//
// Compatibility: a code is never renamed and never moves to another class. New
// codes may be added; treat one you do not know by its class.
//
// Import it under another name, such as totperrors, beside the standard
// library's errors.
package errors
