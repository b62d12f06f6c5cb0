package main

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/examples/grpc/devicetotpv1"
)

// maxMessage is far more than the longest password takes.
const maxMessage = 64 << 10

// service translates, and that is all: it holds no rule about who gets a device.
// The context of the call goes to the Issuer as it is, with the deadline and the
// cancellation of the client.
type service struct {
	devicetotpv1.UnimplementedDeviceTOTPServiceServer
	issuer *devicetotp.Issuer
}

// newServer returns a server of the service. TLS, keepalive and the like are
// the host's opts.
func newServer(issuer *devicetotp.Issuer, callers tokens, opts ...grpc.ServerOption) *grpc.Server {
	opts = append([]grpc.ServerOption{
		grpc.MaxRecvMsgSize(maxMessage),
		grpc.UnaryInterceptor(callers.authenticate),
	}, opts...)
	server := grpc.NewServer(opts...)
	devicetotpv1.RegisterDeviceTOTPServiceServer(server, &service{issuer: issuer})
	return server
}

// Create implements devicetotpv1.DeviceTOTPServiceServer.
func (s *service) Create(ctx context.Context, r *devicetotpv1.CreateRequest) (*devicetotpv1.CreateResponse, error) {
	c := callerOf(ctx)
	device, err := s.issuer.Create(ctx, devicetotp.CreateRequest{
		AccountID: c.accountID,
		NoGrace:   c.noGrace,
		DeviceID:  r.GetDeviceId(),
		OTP:       credential.FromPtr(r.Otp), // not GetOtp: absent and empty are not the same
		Password:  credential.FromPtr(r.Password),
		PIN:       credential.FromPtr(r.Pin),
	})
	if err != nil {
		return nil, statusOf(ctx, err)
	}
	return &devicetotpv1.CreateResponse{
		DeviceId:  device.ID,
		Secret:    device.Base32(),
		Period:    durationpb.New(device.Period),
		Digits:    uint32(device.Digits),
		Algorithm: device.Algorithm.String(),
	}, nil
}

// Verify implements devicetotpv1.DeviceTOTPServiceServer.
func (s *service) Verify(ctx context.Context, r *devicetotpv1.VerifyRequest) (*devicetotpv1.VerifyResponse, error) {
	match, err := s.issuer.Verify(ctx, devicetotp.VerifyRequest{
		AccountID: callerOf(ctx).accountID,
		DeviceID:  r.GetDeviceId(),
		Code:      credential.FromPtr(r.Code),
	})
	if err != nil {
		return nil, statusOf(ctx, err)
	}
	return &devicetotpv1.VerifyResponse{
		DeviceId:   match.DeviceID,
		Step:       match.Step,
		Drift:      int32(match.Drift),
		ValidUntil: timestamppb.New(match.ValidUntil),
	}, nil
}
