package main

import (
	"context"
	"errors"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/durationpb"

	"example.com/devicetotp/devicetotp"
	totperrors "example.com/devicetotp/errors"
)

// errorDomain is the domain of every ErrorInfo.
const errorDomain = "devicetotp.example.com"

// statusOf is the whole mapping from the errors of the library to gRPC.
//
// Too many attempts are PERMISSION_DENIED and not RESOURCE_EXHAUSTED, and a
// wrong credential is not UNAUTHENTICATED: clients and proxies send again on
// those by themselves, and every time would be another attempt.
func statusOf(ctx context.Context, err error) error {
	var e *devicetotp.Error
	_ = errors.As(err, &e) // nil for a foreign error, whose code is internal-error
	code := devicetotp.CodeOf(err)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, devicetotp.ErrDenied):
		return withDetails(codes.PermissionDenied, code, e)
	case errors.Is(err, devicetotp.ErrInvalid):
		return withDetails(codes.InvalidArgument, code, e)
	case code == totperrors.CodeUnavailable && ctx.Err() != nil:
		return status.FromContextError(ctx.Err()).Err() // it was the caller who had no more time
	case code == totperrors.CodeUnavailable:
		return withDetails(codes.Unavailable, code, e)
	default:
		return withDetails(codes.Internal, totperrors.CodeInternal, nil)
	}
}

// withDetails builds the error. Its message is the code in words: the text of
// the library's error is for the operator, who gets it from the Observer.
func withDetails(c codes.Code, code devicetotp.Code, e *devicetotp.Error) error {
	reason := strings.ToUpper(strings.ReplaceAll(string(code), "-", "_"))
	message := strings.ReplaceAll(string(code), "-", " ")
	details := []protoadapt.MessageV1{&errdetails.ErrorInfo{Reason: reason, Domain: errorDomain}}
	if e != nil && e.RetryAfter > 0 {
		details = append(details, &errdetails.RetryInfo{RetryDelay: durationpb.New(e.RetryAfter)})
	}
	if e != nil && c == codes.InvalidArgument {
		details = append(details, &errdetails.BadRequest{FieldViolations: []*errdetails.BadRequest_FieldViolation{
			{Field: protoFields[e.Field], Description: message, Reason: reason},
		}})
	}
	s, err := status.New(c, message).WithDetails(details...)
	if err != nil { // only if a detail cannot be marshalled
		return status.Error(c, message)
	}
	return s.Err()
}

// protoFields are the names that the fields of a request have in the messages.
var protoFields = map[string]string{
	totperrors.FieldDeviceID: "device_id",
	totperrors.FieldOTP:      "otp",
	totperrors.FieldPassword: "password",
	totperrors.FieldPIN:      "pin",
	totperrors.FieldCode:     "code",
}
