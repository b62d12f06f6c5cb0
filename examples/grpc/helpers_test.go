package main

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"

	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/devicetotptest"
	"example.com/devicetotp/examples/grpc/devicetotpv1"
)

const (
	documentedID = "738e379f-fe30-45ab-819c-ba88804b6368"
	otherID      = "11111111-2222-4333-8444-555555555555"
)

// atMost is how long a test waits for something that must come.
const atMost = 30 * time.Second

// served is a world behind gRPC, with two tokens for its account alice, "good" and
// "no-grace", and one for the operator, "operator".
type served struct {
	*devicetotptest.World
	t      *testing.T
	client devicetotpv1.DeviceTOTPServiceClient
	host   devicetotpv1.DeviceTOTPOperatorServiceClient
	conn   *grpc.ClientConn
	server *grpc.Server
	ended  chan struct{} // gets a value when the context of a call has ended on the server
}

func serve(t *testing.T, configure ...func(*devicetotp.Config)) *served {
	t.Helper()
	return serveWorld(t, devicetotptest.New(t, configure...))
}

func serveWorld(t *testing.T, w *devicetotptest.World) *served {
	t.Helper()
	callers := tokens{}
	callers.add("good", caller{accountID: "alice"})
	callers.add("no-grace", caller{accountID: "alice", noGrace: true})
	callers.add("nobody", caller{accountID: "nobody"})
	callers.add("operator", caller{operator: true})
	ended := make(chan struct{}, 100)
	s := serveWith(t, w, newServer(w.Issuer, callers, grpc.ChainUnaryInterceptor(
		func(ctx context.Context, request any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
			context.AfterFunc(ctx, func() { ended <- struct{}{} })
			return next(ctx, request)
		})).Server)
	s.ended = ended
	return s
}

func serveWith(t *testing.T, w *devicetotptest.World, server *grpc.Server) *served {
	t.Helper()
	listener := bufconn.Listen(1 << 20)
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	connection, err := grpc.NewClient("passthrough:///bufconn",
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }))
	require.NoError(t, err)
	t.Cleanup(func() {
		_ = connection.Close()
		server.Stop()
		require.NoError(t, <-ended)
	})
	return &served{
		World: w, t: t, server: server, conn: connection,
		client: devicetotpv1.NewDeviceTOTPServiceClient(connection),
		host:   devicetotpv1.NewDeviceTOTPOperatorServiceClient(connection),
	}
}

// as is the context of a call with this token.
func (s *served) as(token string) context.Context {
	ctx, cancel := context.WithTimeout(s.t.Context(), atMost)
	s.t.Cleanup(cancel)
	return metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+token)
}

// refusal is what a client reads in an error.
type refusal struct {
	code   codes.Code
	reason string
	field  string
	retry  time.Duration
}

func read(t *testing.T, err error) refusal {
	t.Helper()
	s, ok := status.FromError(err)
	require.True(t, ok, "not an error of gRPC: %v", err)
	r := refusal{code: s.Code()}
	for _, detail := range s.Details() {
		switch d := detail.(type) {
		case *errdetails.ErrorInfo:
			require.Equal(t, errorDomain, d.GetDomain())
			require.Empty(t, d.GetMetadata())
			r.reason = d.GetReason()
		case *errdetails.RetryInfo:
			r.retry = d.GetRetryDelay().AsDuration()
		case *errdetails.BadRequest:
			require.Len(t, d.GetFieldViolations(), 1)
			r.field = d.GetFieldViolations()[0].GetField()
			require.Equal(t, r.reason, d.GetFieldViolations()[0].GetReason())
		default:
			require.Fail(t, "an unexpected detail", "%T", d)
		}
	}
	return r
}

// await waits for ch.
func await(t *testing.T, ch <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-ch:
	case <-time.After(atMost):
		t.Fatal("did not happen: ", what)
	}
}
