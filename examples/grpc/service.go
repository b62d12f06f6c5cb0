package main

import (
	"context"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/examples/grpc/devicetotpv1"
)

// service translates, and that is all: it holds no rule about who gets a device.
// The context of the call goes to the Issuer as it is, with the deadline and the
// cancellation of the client.
type service struct {
	devicetotpv1.UnimplementedDeviceTOTPServiceServer
	issuer *devicetotp.Issuer
}

// Create implements devicetotpv1.DeviceTOTPServiceServer.
func (s *service) Create(ctx context.Context, r *devicetotpv1.CreateRequest) (*devicetotpv1.CreateResponse, error) {
	c := callerOf(ctx)
	device, err := s.issuer.Create(ctx, devicetotp.CreateRequest{
		AccountID: c.accountID,
		NoGrace:   c.noGrace,
		DeviceID:  r.GetDeviceId(),
		Name:      r.GetName(),
		OTP:       credential.FromPtr(r.Otp), // not GetOtp: absent and empty are not the same
		Password:  credential.FromPtr(r.Password),
		PIN:       credential.FromPtr(r.Pin),
	})
	if err != nil {
		return nil, statusOf(ctx, r, err)
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
		return nil, statusOf(ctx, r, err)
	}
	return &devicetotpv1.VerifyResponse{
		DeviceId:   match.DeviceID,
		Step:       match.Step,
		Drift:      int32(match.Drift),
		ValidUntil: timestamppb.New(match.ValidUntil),

		RestsOnGrace: match.RestsOnGrace,
	}, nil
}

// Prove implements devicetotpv1.DeviceTOTPServiceServer.
func (s *service) Prove(ctx context.Context, r *devicetotpv1.ProveRequest) (*devicetotpv1.ProveResponse, error) {
	proof, err := s.issuer.Prove(ctx, devicetotp.ProveRequest{
		AccountID: callerOf(ctx).accountID,
		OTP:       credential.FromPtr(r.Otp),
		Password:  credential.FromPtr(r.Password),
		PIN:       credential.FromPtr(r.Pin),
		Kinds:     r.GetKinds(),
	})
	if err != nil {
		return nil, statusOf(ctx, r, err)
	}
	return &devicetotpv1.ProveResponse{
		Basis:        proof.Basis.String(),
		Kind:         proof.Kind,
		DeviceId:     proof.DeviceID,
		RestsOnGrace: proof.RestsOnGrace,
	}, nil
}

// List implements devicetotpv1.DeviceTOTPServiceServer.
func (s *service) List(ctx context.Context, r *devicetotpv1.ListRequest) (*devicetotpv1.ListResponse, error) {
	view, err := s.issuer.Inspect(ctx, callerOf(ctx).accountID)
	if err != nil {
		return nil, statusOf(ctx, r, err)
	}
	answer := &devicetotpv1.ListResponse{RecoveryCodes: uint32(view.Recovery.Left)}
	for _, d := range view.Devices {
		if !d.OpenToRetry {
			answer.Devices = append(answer.Devices, deviceOf(d))
		}
	}
	return answer, nil
}

// Rename implements devicetotpv1.DeviceTOTPServiceServer.
func (s *service) Rename(ctx context.Context, r *devicetotpv1.RenameRequest) (*devicetotpv1.RenameResponse, error) {
	err := s.issuer.Rename(ctx, devicetotp.RenameRequest{
		AccountID: callerOf(ctx).accountID,
		DeviceID:  r.GetDeviceId(),
		Name:      r.GetName(),
	})
	if err != nil {
		return nil, statusOf(ctx, r, err)
	}
	return &devicetotpv1.RenameResponse{}, nil
}

// Revoke implements devicetotpv1.DeviceTOTPServiceServer. The token is enough,
// as for the endpoint over HTTP: a device that is removed gives no access.
func (s *service) Revoke(ctx context.Context, r *devicetotpv1.RevokeRequest) (*devicetotpv1.RevokeResponse, error) {
	revoked, err := s.issuer.Revoke(ctx, devicetotp.RevokeRequest{
		AccountID:  callerOf(ctx).accountID,
		DeviceIDs:  r.GetDeviceIds(),
		WithMadeBy: r.GetWithMadeBy(),
	})
	if err != nil {
		return nil, statusOf(ctx, r, err)
	}
	return &devicetotpv1.RevokeResponse{DeviceIds: revoked.DeviceIDs, MadeBy: revoked.MadeBy}, nil
}
