package main

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/devicetotptest"
	"example.com/devicetotp/examples/grpc/devicetotpv1"
	"example.com/devicetotp/verifier"
)

// ending is a way in which a call ends for its client.
type ending struct {
	name string
	code codes.Code
	// begin returns the context of the call, and what to do when it is under way.
	begin func(context.Context) (ctx context.Context, end func())
}

var endings = []ending{
	{"cancelled", codes.Canceled, func(ctx context.Context) (context.Context, func()) {
		return context.WithCancel(ctx)
	}},
	{"deadline", codes.DeadlineExceeded, func(ctx context.Context) (context.Context, func()) {
		ctx, cancel := context.WithTimeout(ctx, time.Second)
		context.AfterFunc(ctx, cancel)
		return ctx, func() {}
	}},
}

// Before a credential is looked at, a call that ends costs nothing.
func TestCallEndsWhileTheStoreHangs(t *testing.T) {
	for _, e := range endings {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t)
			alice := s.Account("alice").PIN("8299")
			atStore, release := make(chan struct{}), make(chan struct{})
			s.Store.Script(devicetotptest.Fault{Before: func() { close(atStore); <-release }})

			ctx, end := e.begin(s.as("good"))
			go func() { <-atStore; end() }()
			_, err := s.client.Create(ctx, &devicetotpv1.CreateRequest{Pin: proto.String("0000")})
			require.Equal(t, e.code, read(t, err).code, "the call has ended although the store still hangs")
			await(t, atStore, "the store was asked")
			await(t, s.ended, "the server knows")
			close(release)
			s.server.GracefulStop() // waits for the request
			require.Zero(t, alice.Stored().Attempts(credential.FactorPIN).Failures, "nothing was looked at, so nothing is counted")
			require.NotEmpty(t, s.Events()[0].Code)
		})
	}
}

// Hanging up must not be a way not to be counted.
func TestFailureIsCountedAfterTheCallHasEnded(t *testing.T) {
	for _, e := range endings {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			looking, release := make(chan struct{}), make(chan struct{})
			slow := verifier.Func(func(_ context.Context, q verifier.Query) (verifier.Verdict, error) {
				close(looking)
				<-release
				return verifier.Verdict{Status: verifier.StatusWrong}, nil
			})
			s := serve(t, func(c *devicetotp.Config) { c.PIN = slow })
			alice := s.Account("alice").PIN("8299")

			ctx, end := e.begin(s.as("good"))
			go func() { <-looking; end() }()
			_, err := s.client.Create(ctx, &devicetotpv1.CreateRequest{Pin: proto.String("0000")})
			require.Equal(t, e.code, read(t, err).code, "the call has ended although the PIN is still being looked at")
			await(t, looking, "the PIN was looked at")
			await(t, s.ended, "the server knows")
			close(release)
			s.server.GracefulStop() // waits for the request
			require.Equal(t, 1, alice.Stored().Attempts(credential.FactorPIN).Failures)
			require.Equal(t, "invalid-credentials", string(s.Events()[0].Code))
		})
	}
}
