package main

import (
	"context"
	"errors"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/durationpb"

	"example.com/devicetotp/credential"
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
func statusOf(ctx context.Context, request proto.Message, err error) error {
	code := devicetotp.CodeOf(err)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, devicetotp.ErrDenied):
		return refuse(codes.PermissionDenied, code, detailsOf(request, code, err)...)
	case code == devicetotp.CodeNotFound, errors.Is(err, devicetotp.ErrInvalid) && errors.Is(err, credential.ErrNotFound):
		code = devicetotp.CodeNotFound // the device or the account
		return refuse(codes.NotFound, code, detailsOf(request, code, err)...)
	case errors.Is(err, devicetotp.ErrInvalid):
		return refuse(codes.InvalidArgument, code, detailsOf(request, code, err)...)
	case code == devicetotp.CodeUnavailable && ctx.Err() != nil:
		return status.FromContextError(ctx.Err()).Err() // it was the caller who had no more time
	case code == devicetotp.CodeUnavailable:
		return refuse(codes.Unavailable, code, detailsOf(request, code, err)...)
	default:
		return refuse(codes.Internal, devicetotp.CodeInternal)
	}
}

// refuse builds the error. Its message is the code in words: the text of the
// library's error is for the operator, who gets it from the Observer.
func refuse(c codes.Code, code devicetotp.Code, more ...protoadapt.MessageV1) error {
	info := &errdetails.ErrorInfo{Reason: reasonOf(code), Domain: errorDomain}
	s, err := status.New(c, inWords(code)).WithDetails(append([]protoadapt.MessageV1{info}, more...)...)
	if err != nil { // only if a detail cannot be marshalled
		return status.Error(c, inWords(code))
	}
	return s.Err()
}

// detailsOf returns the time to wait and the field at fault, where there is one
// and the message has it.
func detailsOf(request proto.Message, code devicetotp.Code, err error) []protoadapt.MessageV1 {
	var e *devicetotp.Error
	if !errors.As(err, &e) {
		return nil
	}
	var details []protoadapt.MessageV1
	if e.RetryAfter > 0 {
		details = append(details, &errdetails.RetryInfo{RetryDelay: durationpb.New(e.RetryAfter)})
	}
	if field := protoFields[e.Field]; request.ProtoReflect().Descriptor().Fields().ByName(field) != nil {
		details = append(details, &errdetails.BadRequest{FieldViolations: []*errdetails.BadRequest_FieldViolation{
			{Field: string(field), Description: inWords(code), Reason: reasonOf(code)},
		}})
	}
	return details
}

func reasonOf(code devicetotp.Code) string {
	return strings.ToUpper(strings.ReplaceAll(string(code), "-", "_"))
}

func inWords(code devicetotp.Code) string { return strings.ReplaceAll(string(code), "-", " ") }

// invalid is the error of a field that the transport itself cannot read.
func invalid(field string, err error) error {
	return &devicetotp.Error{Code: devicetotp.CodeInvalidArgument, Field: field, Err: err}
}

// protoFields are the names that the fields of a request have in the messages.
var protoFields = map[string]protoreflect.Name{
	totperrors.FieldAccountID: "account_id",
	totperrors.FieldDeviceID:  "device_id",
	totperrors.FieldDeviceIDs: "device_ids",
	totperrors.FieldOTP:       "otp",
	totperrors.FieldPassword:  "password",
	totperrors.FieldPIN:       "pin",
	totperrors.FieldCode:      "code",
	totperrors.FieldKind:      "kind",
	totperrors.FieldKinds:     "kinds",
	totperrors.FieldTTL:       "ttl",
	totperrors.FieldFactors:   "factors",
	totperrors.FieldName:      "name",
	totperrors.FieldSecret:    "secret",
	totperrors.FieldAlgorithm: "algorithm",
	totperrors.FieldDigits:    "digits",
	totperrors.FieldPeriod:    "period",
	totperrors.FieldLastUsed:  "last_used_at",
}
