package main

import (
	"context"
	"net"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection"

	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/examples/grpc/devicetotpv1"
)

// maxMessage is far more than the longest password takes.
const maxMessage = 64 << 10

// patience is how long calls that are in flight may take when the server ends. No
// request of the library takes longer; a client that watches health does.
const patience = 10 * time.Second

// server is both services, with health and reflection.
type server struct {
	*grpc.Server
	health *health.Server
}

// newServer returns a server for callers. TLS, keepalive and the like are the
// host's opts.
func newServer(issuer *devicetotp.Issuer, callers tokens, opts ...grpc.ServerOption) *server {
	opts = append([]grpc.ServerOption{
		grpc.MaxRecvMsgSize(maxMessage),
		grpc.UnaryInterceptor(callers.authenticate),
		grpc.StreamInterceptor(callers.authenticateStream),
	}, opts...)
	s := &server{Server: grpc.NewServer(opts...), health: health.NewServer()}
	devicetotpv1.RegisterDeviceTOTPServiceServer(s, &service{issuer: issuer})
	devicetotpv1.RegisterDeviceTOTPOperatorServiceServer(s, &operator{issuer: issuer})
	for name := range s.GetServiceInfo() {
		s.health.SetServingStatus(name, healthpb.HealthCheckResponse_SERVING)
	}
	healthpb.RegisterHealthServer(s, s.health)
	reflection.Register(s)
	return s
}

// serve serves until ctx ends. What is in flight then is answered, and whatever
// is still there after patience is cut off.
func (s *server) serve(ctx context.Context, listener net.Listener, patience time.Duration) error {
	stopped := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(stopped)
		s.health.Shutdown() // so that no balancer sends anybody here any more
		cut := time.AfterFunc(patience, s.Stop)
		defer cut.Stop()
		s.GracefulStop()
	})
	err := s.Serve(listener)
	if !stop() { // Serve returns as soon as the listener is closed
		<-stopped
	}
	return err
}
