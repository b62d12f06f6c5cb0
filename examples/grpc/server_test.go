package main

import (
	"bufio"
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	reflectionpb "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"

	"example.com/devicetotp/devicetotp/devicetotptest"
	"example.com/devicetotp/examples/grpc/devicetotpv1"
)

// started is the command as it runs.
type started struct {
	addr, user, operator string
	banner               string
	conn                 *grpc.ClientConn
	interrupt            func()
	ended                <-chan error
}

// start runs the command until it has said how to call it.
func start(t *testing.T, args ...string) *started {
	t.Helper()
	ctx, interrupt := context.WithCancel(t.Context())
	t.Cleanup(interrupt)
	reader, writer := io.Pipe()
	ended := make(chan error, 1)
	s := &started{interrupt: interrupt, ended: ended}
	go func() {
		err := run(ctx, args, writer, io.Discard)
		_ = writer.CloseWithError(io.EOF)
		ended <- err
	}()
	lines := bufio.NewScanner(reader)
	for !strings.HasPrefix(lines.Text(), "grpcurl") {
		require.True(t, lines.Scan(), "it said only %q", s.banner)
		s.banner += lines.Text() + "\n"
	}
	for line := range strings.Lines(s.banner) {
		word := func(before, after string) string {
			_, rest, _ := strings.Cut(line, before)
			found, _, _ := strings.Cut(rest, after)
			return found
		}
		switch {
		case strings.HasPrefix(line, "serving"):
			s.addr = word("on ", ",")
		case strings.HasPrefix(line, "token of alice"):
			s.user = word(": ", "\n")
		case strings.HasPrefix(line, "token of the operator"):
			s.operator = word(": ", "\n")
		}
	}
	var err error
	s.conn, err = grpc.NewClient(s.addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.conn.Close() })
	return s
}

func with(t *testing.T, token string) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), atMost)
	t.Cleanup(cancel)
	return metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+token)
}

// The command serves until it is interrupted, with the tokens that it printed,
// which are new each time.
func TestCommandServesUntilInterrupted(t *testing.T) {
	s, other := start(t, "-addr", "127.0.0.1:0"), start(t, "-addr", "localhost:0")
	client := devicetotpv1.NewDeviceTOTPServiceClient(s.conn)
	for range 3 {
		_, err := client.Create(with(t, s.user), &devicetotpv1.CreateRequest{Pin: proto.String("8299")})
		require.NoError(t, err)
	}
	list, err := client.List(with(t, s.user), &devicetotpv1.ListRequest{})
	require.NoError(t, err)
	require.Len(t, list.GetDevices(), 3)
	view, err := devicetotpv1.NewDeviceTOTPOperatorServiceClient(s.conn).Inspect(with(t, s.operator), &devicetotpv1.InspectRequest{AccountId: "alice"})
	require.NoError(t, err)
	require.Len(t, view.GetDevices(), 3)
	_, err = client.List(with(t, other.user), &devicetotpv1.ListRequest{})
	require.Equal(t, codes.Unauthenticated, read(t, err).code)
	require.Contains(t, s.banner, "grpcurl -plaintext -H 'authorization: Bearer "+s.user+`' -d '{"pin": "8299"}' `+s.addr+" devicetotp.v1.DeviceTOTPService/Create\n")
	s.interrupt()
	require.NoError(t, <-s.ended)
	_, err = new(net.Dialer).DialContext(t.Context(), "tcp", s.addr)
	require.Error(t, err, "nothing listens any more")
}

func TestCommandRefusesWhatItCannotUse(t *testing.T) {
	taken, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	for _, args := range [][]string{{"-addr", taken.Addr().String()}, {"serve"}, {"-port", "1"}} {
		require.Error(t, run(t.Context(), args, io.Discard, io.Discard), args)
	}
}

// Without TLS, the loopback interface is the only place for it.
func TestCommandWarnsWhereOthersReadAlong(t *testing.T) {
	for ip, local := range map[string]bool{"127.0.0.1": true, "::1": true, "127.9.9.9": true, "0.0.0.0": false, "::": false, "192.0.2.1": false} {
		require.Equal(t, local, isLoopback(&net.TCPAddr{IP: net.ParseIP(ip)}), ip)
	}
	require.False(t, isLoopback(&net.UnixAddr{}))
}

// Anybody may ask whether the server serves and what; nobody learns more that way
// than the .proto says.
func TestHealthAndReflectionNeedNoToken(t *testing.T) {
	s := start(t, "-addr", "127.0.0.1:0")
	ctx, cancel := context.WithTimeout(t.Context(), atMost)
	defer cancel()
	health := healthpb.NewHealthClient(s.conn)
	for _, service := range []string{"", "devicetotp.v1.DeviceTOTPService", "devicetotp.v1.DeviceTOTPOperatorService"} {
		answer, err := health.Check(ctx, &healthpb.HealthCheckRequest{Service: service})
		require.NoError(t, err)
		require.Equal(t, healthpb.HealthCheckResponse_SERVING, answer.GetStatus(), service)
	}
	stream, err := reflectionpb.NewServerReflectionClient(s.conn).ServerReflectionInfo(ctx)
	require.NoError(t, err)
	ask := func(r *reflectionpb.ServerReflectionRequest) *reflectionpb.ServerReflectionResponse {
		require.NoError(t, stream.Send(r))
		answer, err := stream.Recv()
		require.NoError(t, err)
		return answer
	}
	var names []string
	for _, service := range ask(&reflectionpb.ServerReflectionRequest{
		MessageRequest: &reflectionpb.ServerReflectionRequest_ListServices{},
	}).GetListServicesResponse().GetService() {
		names = append(names, service.GetName())
	}
	require.Subset(t, names, []string{"devicetotp.v1.DeviceTOTPService", "devicetotp.v1.DeviceTOTPOperatorService", "grpc.health.v1.Health"})
	file := ask(&reflectionpb.ServerReflectionRequest{MessageRequest: &reflectionpb.ServerReflectionRequest_FileContainingSymbol{
		FileContainingSymbol: "devicetotp.v1.DeviceTOTPService.Create",
	}})
	require.NotEmpty(t, file.GetFileDescriptorResponse().GetFileDescriptorProto())
}

// A server that ends says so to whoever watches its health, and does not wait for
// ever for a watcher that stays.
func TestServerEndsAlthoughSomebodyWatches(t *testing.T) {
	w := devicetotptest.New(t)
	s := newServer(w.Issuer, tokens{})
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	ended := make(chan error, 1)
	go func() { ended <- s.serve(ctx, listener, time.Millisecond) }()
	connection, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	defer connection.Close()
	watch, err := healthpb.NewHealthClient(connection).Watch(t.Context(), &healthpb.HealthCheckRequest{})
	require.NoError(t, err)
	answer, err := watch.Recv()
	require.NoError(t, err)
	require.Equal(t, healthpb.HealthCheckResponse_SERVING, answer.GetStatus())
	interrupt()
	require.NoError(t, <-ended)
	for err == nil {
		answer, err = watch.Recv()
	}
	require.Equal(t, codes.Unavailable, read(t, err).code)
}

// No method of either service, added ones included, is open to a caller without a
// token, or with one of the other side.
func TestEveryMethodNeedsATokenOfItsOwnSide(t *testing.T) {
	s := serve(t)
	s.Account("alice").RegisteredAgo(0)
	for _, service := range []grpc.ServiceDesc{devicetotpv1.DeviceTOTPService_ServiceDesc, devicetotpv1.DeviceTOTPOperatorService_ServiceDesc} {
		require.Empty(t, service.Streams)
		for _, method := range service.Methods {
			path := "/" + service.ServiceName + "/" + method.MethodName
			foreign := "operator"
			if strings.Contains(service.ServiceName, "Operator") {
				foreign = "good"
			}
			call := func(ctx context.Context) refusal {
				return read(t, s.conn.Invoke(ctx, path, &emptypb.Empty{}, &emptypb.Empty{}))
			}
			require.Equal(t, refusal{code: codes.Unauthenticated, reason: "UNAUTHORIZED"}, call(t.Context()), path)
			require.Equal(t, refusal{code: codes.Unauthenticated, reason: "UNAUTHORIZED"}, call(s.as("bad")), path)
			require.Equal(t, refusal{code: codes.PermissionDenied, reason: "INSUFFICIENT_SCOPE"}, call(s.as(foreign)), path)
		}
	}
	require.Empty(t, s.Store.Calls())
}

// So is a stream of a service that is added later.
func TestStreamsNeedAToken(t *testing.T) {
	w := devicetotptest.New(t)
	server := newServer(w.Issuer, tokens{})
	server.RegisterService(&grpc.ServiceDesc{ServiceName: "added.Service", HandlerType: (*any)(nil), Streams: []grpc.StreamDesc{{
		StreamName: "Watch", ServerStreams: true, Handler: func(any, grpc.ServerStream) error { return nil },
	}}}, struct{}{})
	s := serveWith(t, w, server.Server)
	stream, err := s.conn.NewStream(t.Context(), &grpc.StreamDesc{ServerStreams: true}, "/added.Service/Watch")
	require.NoError(t, err)
	require.Equal(t, refusal{code: codes.Unauthenticated, reason: "UNAUTHORIZED"}, read(t, stream.RecvMsg(&emptypb.Empty{})))
}
