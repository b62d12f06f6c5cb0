package main

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/devicetotptest"
	totperrors "example.com/devicetotp/errors"
	"example.com/devicetotp/examples/grpc/devicetotpv1"
)

var anyRequest = &devicetotpv1.CreateRequest{}

// Every code has a status by its class, and a reason of its own; the cause
// stays inside.
func TestEveryCodeHasAStatus(t *testing.T) {
	reasons := map[string]bool{}
	for _, code := range totperrors.Codes() {
		t.Run(string(code), func(t *testing.T) {
			want := map[totperrors.Class]codes.Code{
				totperrors.ClassDenied:   codes.PermissionDenied,
				totperrors.ClassInvalid:  codes.InvalidArgument,
				totperrors.ClassInternal: codes.Internal,
			}[code.Class()]
			switch code {
			case totperrors.CodeUnavailable:
				want = codes.Unavailable
			case totperrors.CodeNotFound:
				want = codes.NotFound
			}
			err := fmt.Errorf("wrapped: %w", &totperrors.Error{Code: code, Err: errors.New("the cause")})
			got := statusOf(t.Context(), anyRequest, err)
			r := read(t, got)
			require.Equal(t, want, r.code)
			require.Regexp(t, `^[A-Z][A-Z0-9_]+[A-Z0-9]$`, r.reason, "the form of ErrorInfo.reason")
			require.False(t, reasons[r.reason])
			reasons[r.reason] = true
			require.NotContains(t, got.Error(), "cause")
		})
	}
	require.NoError(t, statusOf(t.Context(), anyRequest, nil))
	require.Equal(t, refusal{code: codes.Internal, reason: "INTERNAL_ERROR"}, read(t, statusOf(t.Context(), anyRequest, errors.New("foreign"))))
}

// A call that ran out of time is told so, but a verdict stays a verdict.
func TestStatusOfACallThatEnded(t *testing.T) {
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	late, cancel := context.WithDeadline(t.Context(), time.Unix(0, 0))
	defer cancel()
	unavailable := &totperrors.Error{Code: totperrors.CodeUnavailable}
	denied := &totperrors.Error{Code: totperrors.CodeInvalidCredentials}
	require.Equal(t, codes.Canceled, read(t, statusOf(cancelled, anyRequest, unavailable)).code)
	require.Equal(t, codes.DeadlineExceeded, read(t, statusOf(late, anyRequest, unavailable)).code)
	require.Equal(t, codes.PermissionDenied, read(t, statusOf(late, anyRequest, denied)).code)
}

// What the library decides is what the client is told, and what is remembered
// is the same: for each factor absent, empty, wrong or right, in the grace
// window and after it, and with the grace window closed for the caller.
func TestTransportHasNoRule(t *testing.T) {
	values := func(right, wrong string) []*string {
		return []*string{nil, proto.String(""), proto.String(wrong), proto.String(right)}
	}
	for _, registered := range []time.Duration{time.Minute, time.Hour} {
		for _, noGrace := range []bool{false, true} {
			for _, otp := range values("526271", "000000") {
				for _, password := range values("superSecret12345!", "secret") {
					for _, pin := range values("8299", "0000") {
						compare(t, registered, noGrace, otp, password, pin)
					}
				}
			}
		}
	}
}

func compare(t *testing.T, registered time.Duration, noGrace bool, otp, password, pin *string) {
	t.Helper()
	account := func(w *devicetotptest.World) *devicetotptest.Account {
		return w.Account("alice").RegisteredAgo(registered).OTP("526271").Password("superSecret12345!").PIN("8299")
	}
	direct := devicetotptest.New(t)
	behind := account(direct)
	wanted, err := direct.Issuer.Create(t.Context(), devicetotp.CreateRequest{
		AccountID: "alice", DeviceID: otherID, NoGrace: noGrace,
		OTP: credential.FromPtr(otp), Password: credential.FromPtr(password), PIN: credential.FromPtr(pin),
	})
	want := read(t, statusOf(t.Context(), anyRequest, err)) // with the fields of a CreateRequest

	s := serve(t)
	inFront := account(s.World)
	token := map[bool]string{false: "good", true: "no-grace"}[noGrace]
	device, err := s.client.Create(s.as(token), &devicetotpv1.CreateRequest{DeviceId: otherID, Otp: otp, Password: password, Pin: pin})
	require.Equal(t, want, read(t, err))
	if err == nil {
		require.Equal(t, wanted.Base32(), device.GetSecret())
	}
	for _, f := range credential.Factors() {
		require.Equal(t, behind.Stored().Attempts(f).Failures, inFront.Stored().Attempts(f).Failures, f)
	}
	require.Len(t, inFront.Stored().State.Devices, len(behind.Stored().State.Devices))
	require.Equal(t, direct.Events()[0].Basis, s.Events()[0].Basis)
}
