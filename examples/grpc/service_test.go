package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/devicetotptest"
	"example.com/devicetotp/examples/grpc/devicetotpv1"
)

// Example is what the command prints with -walk.
func Example() {
	if err := run(context.Background(), []string{"-walk"}, os.Stdout, os.Stderr); err != nil {
		fmt.Println(err)
	}
	// Output:
	// without a token:          Unauthenticated UNAUTHORIZED
	// presenting nothing:       PermissionDenied CREDENTIALS_REQUIRED
	// with a wrong PIN:         PermissionDenied INVALID_CREDENTIALS, field pin
	// with an ill-formed id:    InvalidArgument INVALID_ID, field device_id
	// with the PIN:             OK
	// the code of the device:   OK
	// the same code again:      PermissionDenied INVALID_CREDENTIALS, field code
	// a name for it:            OK
	// revoked:                  OK
	// a name for it now:        NotFound NOT_FOUND, field device_id
}

func TestDeviceIsCreatedAndItsCodeAcceptedOnce(t *testing.T) {
	s := serve(t)
	s.Account("alice").PIN("8299")
	s.Secrets.Next(credential.NewSecret("12345678901234567890"), nil)

	create := &devicetotpv1.CreateRequest{DeviceId: strings.ToUpper(documentedID), Pin: proto.String("8299")}
	device, err := s.client.Create(s.as("good"), create)
	require.NoError(t, err)
	require.Equal(t, documentedID, device.GetDeviceId())
	require.Equal(t, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", device.GetSecret())
	require.Equal(t, 30*time.Second, device.GetPeriod().AsDuration())
	require.EqualValues(t, 6, device.GetDigits())
	require.Equal(t, "SHA1", device.GetAlgorithm())

	again, err := s.client.Create(s.as("good"), create)
	require.NoError(t, err, "the same request after a lost answer")
	require.True(t, proto.Equal(device, again), "is given the same device")

	phone := s.Phone(devicetotp.DeviceTOTP{
		Secret: credential.NewSecret("12345678901234567890"), Algorithm: credential.AlgorithmSHA1, Digits: 6, Period: 30 * time.Second,
	})
	verify := &devicetotpv1.VerifyRequest{Code: proto.String(phone.Drifted(-1).Reveal()), DeviceId: documentedID}
	match, err := s.client.Verify(s.as("good"), verify)
	require.NoError(t, err)
	require.Equal(t, documentedID, match.GetDeviceId())
	require.EqualValues(t, -1, match.GetDrift())
	require.Equal(t, s.Clock.Now().Unix()/30-1, match.GetStep())
	require.True(t, match.GetValidUntil().AsTime().After(s.Clock.Now()))
	require.False(t, match.GetRestsOnGrace())

	_, err = s.client.Verify(s.as("good"), verify)
	require.Equal(t, refusal{code: codes.PermissionDenied, reason: "INVALID_CREDENTIALS", field: "code"}, read(t, err))
}

func TestRefusals(t *testing.T) {
	right := func(id string) *devicetotpv1.CreateRequest {
		return &devicetotpv1.CreateRequest{DeviceId: id, Pin: proto.String("8299")}
	}
	wrong := &devicetotpv1.CreateRequest{Pin: proto.String("0000")}
	create := func(r *devicetotpv1.CreateRequest) func(*served) error {
		return func(s *served) error { _, err := s.client.Create(s.as("good"), r); return err }
	}
	for name, c := range map[string]struct {
		arrange func(*served)
		call    func(*served) error
		want    refusal
	}{
		"a wrong PIN": {nil, create(wrong), refusal{code: codes.PermissionDenied, reason: "INVALID_CREDENTIALS", field: "pin"}},
		"nothing presented": {nil, create(&devicetotpv1.CreateRequest{}),
			refusal{code: codes.PermissionDenied, reason: "CREDENTIALS_REQUIRED"}},
		"a field that is set and empty": {nil, create(&devicetotpv1.CreateRequest{Otp: proto.String("")}),
			refusal{code: codes.PermissionDenied, reason: "INVALID_CREDENTIALS", field: "otp"}},
		"the fifth wrong PIN in a row": {
			func(s *served) {
				for range 5 {
					require.Error(s.t, create(wrong)(s))
				}
			},
			create(right("")),
			refusal{code: codes.PermissionDenied, reason: "TOO_MANY_ATTEMPTS", retry: 30 * time.Second},
		},
		"a locked account": {func(s *served) { s.Account("alice").Locked(true) }, create(right("")),
			refusal{code: codes.PermissionDenied, reason: "ACCOUNT_LOCKED"}},
		"no room for another device": {
			func(s *served) {
				for range devicetotp.DefaultPolicy().MaxDevices {
					require.NoError(s.t, create(right(""))(s))
				}
			},
			create(right("")),
			refusal{code: codes.PermissionDenied, reason: "DEVICE_LIMIT_REACHED"},
		},
		"an id of another form": {nil, create(right("7")),
			refusal{code: codes.InvalidArgument, reason: "INVALID_ID", field: "device_id"}},
		"an id in use": {
			func(s *served) {
				require.NoError(s.t, create(right(documentedID))(s))
				s.Clock.Advance(time.Hour) // too late for a repetition
			},
			create(right(documentedID)),
			refusal{code: codes.InvalidArgument, reason: "ID_IN_USE", field: "device_id"},
		},
		"a store that does not answer": {
			func(s *served) { s.Store.Script(devicetotptest.Fault{Err: errors.New("connection refused: db-7")}) },
			create(right("")),
			refusal{code: codes.Unavailable, reason: "UNAVAILABLE", retry: time.Second},
		},
		"a source of secrets at fault": {
			func(s *served) { s.Secrets.Next(credential.NewSecret("too short"), nil) },
			create(right("")),
			refusal{code: codes.Internal, reason: "INTERNAL_ERROR"},
		},
		"no code": {nil, func(s *served) error {
			_, err := s.client.Verify(s.as("good"), &devicetotpv1.VerifyRequest{})
			return err
		}, refusal{code: codes.PermissionDenied, reason: "CREDENTIALS_REQUIRED", field: "code"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t)
			s.Account("alice").PIN("8299")
			if c.arrange != nil {
				c.arrange(s)
			}
			err := c.call(s)
			require.Equal(t, c.want, read(t, err))
			require.NotContains(t, err.Error(), "db-7", "what the store says is the operator's")
		})
	}
}

// An unavailable answer leaves open what happened. The same request finds out.
func TestSameRequestAfterUnavailable(t *testing.T) {
	s := serve(t)
	s.Account("alice").RegisteredAgo(0)
	lost := devicetotptest.Fault{Err: errors.New("cut after the commit"), Applied: true}
	out := devicetotptest.Fault{Err: errors.New("out of reach")}
	s.Store.Script(devicetotptest.Fault{}, lost, out)
	request := &devicetotpv1.CreateRequest{DeviceId: documentedID}

	_, err := s.client.Create(s.as("good"), request)
	require.Equal(t, codes.Unavailable, read(t, err).code)
	device, err := s.client.Create(s.as("good"), request)
	require.NoError(t, err)
	require.Equal(t, documentedID, device.GetDeviceId())
	require.Equal(t, 1, s.Secrets.Made(), "one device, one secret")
}

// The account is the caller's, and nobody gets as far as the store without one.
func TestCallerIsAuthenticated(t *testing.T) {
	s := serve(t)
	s.Account("alice").RegisteredAgo(0)
	for name, pairs := range map[string][]string{
		"no metadata":    nil,
		"unknown token":  {"authorization", "Bearer bad"},
		"no scheme":      {"authorization", "good"},
		"another scheme": {"authorization", "Basic good"},
		"no token":       {"authorization", "Bearer "},
		"two tokens":     {"authorization", "Bearer good", "authorization", "Bearer good"},
	} {
		t.Run(name, func(t *testing.T) {
			ctx := metadata.AppendToOutgoingContext(t.Context(), pairs...)
			want := refusal{code: codes.Unauthenticated, reason: "UNAUTHORIZED"}
			_, err := s.client.Create(ctx, &devicetotpv1.CreateRequest{})
			require.Equal(t, want, read(t, err))
			_, err = s.client.Verify(ctx, &devicetotpv1.VerifyRequest{})
			require.Equal(t, want, read(t, err))
		})
	}
	require.Empty(t, s.Store.Calls())

	_, err := s.client.Create(s.as("no-grace"), &devicetotpv1.CreateRequest{})
	require.Equal(t, "CREDENTIALS_REQUIRED", read(t, err).reason)
	_, err = s.client.Create(metadata.AppendToOutgoingContext(t.Context(), "authorization", "bearer good"), &devicetotpv1.CreateRequest{})
	require.NoError(t, err, "the name of a scheme has no case (RFC 9110)")
}

// A host that forgets the interceptor serves nobody.
func TestWithoutInterceptorNobodyIsServed(t *testing.T) {
	w := devicetotptest.New(t)
	server := grpc.NewServer()
	devicetotpv1.RegisterDeviceTOTPServiceServer(server, &service{issuer: w.Issuer})
	s := serveWith(t, w, server)
	_, err := s.client.Create(s.as("good"), &devicetotpv1.CreateRequest{})
	require.Equal(t, refusal{code: codes.Internal, reason: "INTERNAL_ERROR"}, read(t, err))
	require.Empty(t, w.Store.Calls())
}

func TestLongMessageIsNotRead(t *testing.T) {
	s := serve(t)
	_, err := s.client.Create(s.as("good"), &devicetotpv1.CreateRequest{Password: proto.String(strings.Repeat("x", maxMessage))})
	require.Equal(t, codes.ResourceExhausted, read(t, err).code)
	require.Empty(t, s.Store.Calls())
}
