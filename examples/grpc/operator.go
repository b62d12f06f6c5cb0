package main

import (
	"context"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	totperrors "example.com/devicetotp/errors"
	"example.com/devicetotp/examples/grpc/devicetotpv1"
)

// operator is what the host itself does with accounts. The interceptor lets
// nobody in but callers that are operators.
type operator struct {
	devicetotpv1.UnimplementedDeviceTOTPOperatorServiceServer
	issuer *devicetotp.Issuer
}

// AddCode implements devicetotpv1.DeviceTOTPOperatorServiceServer.
func (o *operator) AddCode(ctx context.Context, r *devicetotpv1.AddCodeRequest) (*devicetotpv1.AddCodeResponse, error) {
	added, err := o.issuer.AddCode(ctx, devicetotp.AddCodeRequest{
		AccountID: r.GetAccountId(),
		Kind:      r.GetKind(),
		Code:      credential.FromPtr(r.Code),
		TTL:       r.GetTtl().AsDuration(),
	})
	if err != nil {
		return nil, statusOf(ctx, r, err)
	}
	return &devicetotpv1.AddCodeResponse{Code: added.Code.Reveal(), ExpiresAt: timestamppb.New(added.ExpiresAt)}, nil
}

// Import implements devicetotpv1.DeviceTOTPOperatorServiceServer.
func (o *operator) Import(ctx context.Context, r *devicetotpv1.ImportRequest) (*devicetotpv1.ImportResponse, error) {
	secret, err := credential.ParseBase32(r.GetSecret())
	if err != nil {
		return nil, statusOf(ctx, r, invalid(totperrors.FieldSecret, err))
	}
	algorithm, err := credential.ParseAlgorithm(r.GetAlgorithm())
	if err != nil {
		return nil, statusOf(ctx, r, invalid(totperrors.FieldAlgorithm, err))
	}
	var used time.Time
	if r.LastUsedAt != nil { // AsTime makes 1970 of nil
		used = r.GetLastUsedAt().AsTime()
	}
	imported, err := o.issuer.Import(ctx, devicetotp.ImportRequest{
		AccountID:        r.GetAccountId(),
		DeviceID:         r.GetDeviceId(),
		Name:             r.GetName(),
		Secret:           secret,
		Algorithm:        algorithm,
		Digits:           int(r.GetDigits()),
		Period:           r.GetPeriod().AsDuration(),
		LastUsedAt:       used,
		AgainAfterRevoke: r.GetAgainAfterRevoke(),
	})
	if err != nil {
		return nil, statusOf(ctx, r, err)
	}
	return &devicetotpv1.ImportResponse{
		DeviceId:     imported.DeviceID,
		CreatedAt:    timestamppb.New(imported.CreatedAt),
		AlreadyThere: imported.AlreadyThere,
	}, nil
}

// Inspect implements devicetotpv1.DeviceTOTPOperatorServiceServer.
func (o *operator) Inspect(ctx context.Context, r *devicetotpv1.InspectRequest) (*devicetotpv1.InspectResponse, error) {
	view, err := o.issuer.Inspect(ctx, r.GetAccountId())
	if err != nil {
		return nil, statusOf(ctx, r, err)
	}
	return overviewOf(view), nil
}

// Unblock implements devicetotpv1.DeviceTOTPOperatorServiceServer.
func (o *operator) Unblock(ctx context.Context, r *devicetotpv1.UnblockRequest) (*devicetotpv1.UnblockResponse, error) {
	var factors []credential.Factor
	for _, name := range r.GetFactors() {
		factors = append(factors, factorOf(name))
	}
	err := o.issuer.Unblock(ctx, devicetotp.UnblockRequest{AccountID: r.GetAccountId(), Factors: factors})
	if err != nil {
		return nil, statusOf(ctx, r, err)
	}
	return &devicetotpv1.UnblockResponse{}, nil
}

// factorOf returns the factor of that name, or one that does not exist, which the
// library refuses.
func factorOf(name string) credential.Factor {
	for _, f := range credential.Factors() {
		if f.String() == name {
			return f
		}
	}
	return 0
}

// Reseal implements devicetotpv1.DeviceTOTPOperatorServiceServer.
func (o *operator) Reseal(ctx context.Context, r *devicetotpv1.ResealRequest) (*devicetotpv1.ResealResponse, error) {
	done, err := o.issuer.Reseal(ctx, r.GetAccountId())
	if err != nil {
		return nil, statusOf(ctx, r, err)
	}
	return &devicetotpv1.ResealResponse{
		Resealed:   uint32(done.Devices + done.Rotations + done.Revoked + done.RecoveryCodes),
		Withheld:   done.Withheld,
		Keys:       done.Keys,
		Unreadable: uint32(len(done.Unreadable)),
	}, nil
}
