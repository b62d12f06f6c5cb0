package main

import (
	"context"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/examples/grpc/devicetotpv1"
)

// Rotate implements devicetotpv1.DeviceTOTPServiceServer.
func (s *service) Rotate(ctx context.Context, r *devicetotpv1.RotateRequest) (*devicetotpv1.RotateResponse, error) {
	device, err := s.issuer.Rotate(ctx, devicetotp.RotateRequest{
		AccountID: callerOf(ctx).accountID,
		DeviceID:  r.GetDeviceId(),
		OTP:       credential.FromPtr(r.Otp),
		Password:  credential.FromPtr(r.Password),
		PIN:       credential.FromPtr(r.Pin),
	})
	if err != nil {
		return nil, statusOf(ctx, r, err)
	}
	return &devicetotpv1.RotateResponse{
		DeviceId:  device.ID,
		Secret:    device.Base32(),
		Period:    durationpb.New(device.Period),
		Digits:    uint32(device.Digits),
		Algorithm: device.Algorithm.String(),
		ConfirmBy: timestamppb.New(device.ConfirmBy),
	}, nil
}

// ReplaceRecoveryCodes implements devicetotpv1.DeviceTOTPServiceServer. It shows
// how an operation is guarded by [devicetotp.Issuer.Prove]: whoever has recovery
// codes can create devices, so a token alone must not give them.
func (s *service) ReplaceRecoveryCodes(ctx context.Context, r *devicetotpv1.ReplaceRecoveryCodesRequest) (*devicetotpv1.ReplaceRecoveryCodesResponse, error) {
	account := callerOf(ctx).accountID
	proof, err := s.issuer.Prove(ctx, devicetotp.ProveRequest{
		AccountID: account,
		OTP:       credential.FromPtr(r.Otp),
		Password:  credential.FromPtr(r.Password),
		PIN:       credential.FromPtr(r.Pin),
	})
	if err != nil {
		return nil, statusOf(ctx, r, err)
	}
	if proof.RestsOnGrace { // so on the token alone
		return nil, refuse(codes.PermissionDenied, devicetotp.CodeCredentialsRequired)
	}
	secrets, err := s.issuer.ReplaceRecoveryCodes(ctx, devicetotp.RecoveryRequest{AccountID: account})
	if err != nil {
		return nil, statusOf(ctx, r, err)
	}
	answer := &devicetotpv1.ReplaceRecoveryCodesResponse{}
	for _, secret := range secrets {
		answer.Codes = append(answer.Codes, secret.Reveal())
	}
	return answer, nil
}
