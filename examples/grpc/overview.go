package main

import (
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/examples/grpc/devicetotpv1"
)

// deviceOf is what its user sees of a device.
func deviceOf(d devicetotp.DeviceOverview) *devicetotpv1.Device {
	return &devicetotpv1.Device{
		DeviceId:      d.ID,
		Name:          d.Name,
		Period:        durationpb.New(d.Period),
		Digits:        uint32(d.Digits),
		Algorithm:     d.Algorithm.String(),
		CreatedAt:     timestamppb.New(d.CreatedAt),
		LastUsedAt:    timestampOf(d.LastUsedAt),
		Blocked:       d.Blocked,
		BlockedUntil:  timestampOf(d.BlockedUntil),
		RotationUntil: timestampOf(d.RotationUntil),
	}
}

// overviewOf is what the operator sees of an account.
func overviewOf(view devicetotp.Overview) *devicetotpv1.InspectResponse {
	answer := &devicetotpv1.InspectResponse{
		RecoveryCodes: uint32(view.Recovery.Left),
		Room:          view.Room,
		GraceUntil:    timestampOf(view.GraceUntil),
		Keys:          view.Keys,
		Unreadable:    uint32(len(view.Unreadable)),
	}
	for _, d := range view.Devices {
		answer.Devices = append(answer.Devices, &devicetotpv1.InspectedDevice{
			Device: deviceOf(d), Basis: d.Basis.String(), MadeBy: d.MadeBy, Opens: d.Opens, KeyId: d.KeyID, RestsOnGrace: d.RestsOnGrace,
		})
	}
	for _, f := range view.Factors {
		answer.Factors = append(answer.Factors, &devicetotpv1.Factor{
			Factor: f.Factor.String(), Failures: uint32(f.Failures), Blocked: f.Blocked, BlockedUntil: timestampOf(f.BlockedUntil),
		})
	}
	for _, c := range view.Codes {
		answer.Codes = append(answer.Codes, &devicetotpv1.PendingCode{Kind: c.Kind, ExpiresAt: timestamppb.New(c.ExpiresAt)})
	}
	return answer
}

// timestampOf leaves out a time that is zero.
func timestampOf(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}
