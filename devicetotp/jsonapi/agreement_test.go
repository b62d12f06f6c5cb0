package jsonapi_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/devicetotp/jsonapi"
	totperrors "example.com/devicetotp/errors"
)

type (
	// nilledError panics when a nil one is asked what it wraps.
	nilledError struct{ cause error }
	// suspicious panics when it is asked what it is.
	suspicious struct{}
	// silent panics when it is printed.
	silent struct{}
	// hostError is a service's own error for an invalid token.
	hostError struct{}
)

func (*nilledError) Error() string            { return "innards" }
func (e *nilledError) Unwrap() error          { return e.cause }
func (suspicious) Error() string              { return "innards" }
func (suspicious) Is(error) bool              { panic("innards") }
func (silent) Error() string                  { panic("innards") }
func (hostError) Error() string               { return "innards" }
func (hostError) Is(target error) bool        { return target == jsonapi.ErrInvalidToken }
func wrapped(err error) error                 { return fmt.Errorf("innards: %w", err) }
func domain(code totperrors.Code) error       { return &totperrors.Error{Op: totperrors.OpProve, Code: code} }
func within(c totperrors.Code, e error) error { return &totperrors.Error{Code: c, Err: e} }

// authenticatorErrors is everything that an Authenticator may return.
func authenticatorErrors() map[string]error {
	errs := map[string]error{
		"a missing token":                 jsonapi.ErrMissingToken,
		"an invalid token":                jsonapi.ErrInvalidToken,
		"an invalid token, wrapped":       wrapped(jsonapi.ErrInvalidToken),
		"an invalid token, joined":        errors.Join(errors.New("innards"), jsonapi.ErrInvalidToken),
		"an error of its own for that":    hostError{},
		"no linked identity":              jsonapi.ErrMissingLinkedIdentity,
		"no scope":                        jsonapi.ErrInsufficientScope,
		"gone":                            context.Canceled,
		"gone, wrapped":                   wrapped(context.Canceled),
		"late":                            wrapped(context.DeadlineExceeded),
		"anything":                        errors.New("innards"),
		"a typed nil of the domain":       (*totperrors.Error)(nil),
		"a typed nil of its own":          (*nilledError)(nil),
		"a typed nil, wrapped":            wrapped((*totperrors.Error)(nil)),
		"one that panics when asked":      suspicious{},
		"one that panics when printed":    silent{},
		"a domain error with a cause":     within(totperrors.CodeAccountLocked, jsonapi.ErrInvalidToken),
		"a domain error without its code": within("unauthorized", errors.New("innards")),
		"blocked for a while":             &totperrors.Error{Code: totperrors.CodeTooManyAttempts, RetryAfter: 90 * time.Second},
	}
	for _, code := range totperrors.Codes() {
		errs["the domain's "+string(code)] = domain(code)
		errs["the domain's "+string(code)+", wrapped"] = wrapped(domain(code))
	}
	return errs
}

// whole is all of an answer but its request id.
func whole(t *testing.T, h http.Handler, r *http.Request) string {
	t.Helper()
	r.Header.Set("Request-Id", "cbgmhslmp1o9or9kh1p0")
	a := serve(t, h, r)
	require.NotContains(t, a.Body.String(), "innards")
	return fmt.Sprintf("%d %v %s", a.Code, a.Header(), a.Body)
}

// Whoever writes an error of an Authenticator, it is the same answer. The one
// exception is a status that clients of the published operation cannot read.
func TestWriteErrorAgreesWithTheHandler(t *testing.T) {
	for name, err := range authenticatorErrors() {
		t.Run(name, func(t *testing.T) {
			opts := jsonapi.Config{Logger: quiet}
			own := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { jsonapi.WriteError(w, r, err, opts) })
			written := whole(t, own, httptest.NewRequest(http.MethodPost, "/", nil))
			handled := whole(t, handlerWith(t, &creator{}, authenticating(jsonapi.Principal{}, err), opts), request(plainBody))
			if jsonapi.Status(err) == http.StatusNotFound {
				require.Contains(t, handled, "internal-error")
				return
			}
			require.Equal(t, written, handled)
		})
	}
}

// The same holds for the errors of the Issuer, but for the pointer, which only the
// endpoint knows, and for what its clients cannot read.
func TestWriteErrorAgreesWithTheOperations(t *testing.T) {
	for _, o := range []struct {
		op     totperrors.Op
		handle func(error) answer
	}{
		{totperrors.OpCreate, func(err error) answer { return serve(t, handlerOf(t, failing(err)), request(plainBody)) }},
		{totperrors.OpInspect, func(err error) answer { return answered(t, err, calling("GET", "", "")) }},
		{totperrors.OpRename, func(err error) answer { return answered(t, err, calling("PATCH", deviceID, naming(deviceID, "x"))) }},
		{totperrors.OpRevoke, func(err error) answer { return answered(t, err, calling("DELETE", deviceID, "")) }},
	} {
		agreed := 0
		for _, code := range totperrors.Codes() {
			for _, field := range []string{"", totperrors.FieldName, totperrors.FieldDeviceID} {
				err := &totperrors.Error{Op: o.op, Code: code, Field: field, RetryAfter: 90 * time.Second, Err: errors.New("innards")}
				handled, own := o.handle(err), written(t, err)
				if handled.errors[0].Code == "internal-error" && code != totperrors.CodeInternal {
					continue // not a status of this operation
				}
				agreed++
				require.Equal(t, own.Code, handled.Code)
				for _, a := range []answer{own, handled} {
					a.errors[0].ID, a.errors[0].Source = "", nil
					a.Header().Del("Request-Id")
				}
				require.Equal(t, own.errors, handled.errors)
				require.Equal(t, own.Header(), handled.Header())
			}
		}
		require.Greater(t, agreed, 3*5)
	}
}

// answered is the answer to r if the Manager returns err.
func answered(t *testing.T, err error, r *http.Request) answer {
	t.Helper()
	return serve(t, mounted(t, &manager{err: err}, jsonapi.Principal{AccountID: accountID, Scopes: allScopes}), r)
}

// The answer to another endpoint's error names nothing of the published one.
func TestWriteErrorNamesNoRuleOfAnotherEndpoint(t *testing.T) {
	errs := authenticatorErrors()
	for _, code := range totperrors.Codes() {
		errs["verify "+string(code)] = &totperrors.Error{Op: totperrors.OpVerify, Code: code}
	}
	delete(errs, "the domain's credentials-required") // of a Prove, which takes what Create takes
	delete(errs, "the domain's credentials-required, wrapped")
	for name, err := range errs {
		w := httptest.NewRecorder()
		jsonapi.WriteError(w, httptest.NewRequest(http.MethodGet, "/", nil), err, jsonapi.Config{Logger: quiet})
		for _, word := range []string{"user:", "POST", "deviceTOTP", "password", "PIN", "null"} {
			require.NotContains(t, w.Body.String(), word, name)
		}
	}
}
