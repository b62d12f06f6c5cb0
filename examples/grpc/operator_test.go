package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/examples/grpc/devicetotpv1"
)

func TestOperatorAnnouncesACode(t *testing.T) {
	s := serve(t)
	s.Account("alice")
	added, err := s.host.AddCode(s.as("operator"), &devicetotpv1.AddCodeRequest{AccountId: "alice", Kind: "account", Ttl: durationpb.New(5 * time.Minute)})
	require.NoError(t, err)
	require.Regexp(t, `^[0-9]{8}$`, added.GetCode())
	require.Equal(t, s.Clock.Now().Add(5*time.Minute), added.GetExpiresAt().AsTime())

	view, err := s.host.Inspect(s.as("operator"), &devicetotpv1.InspectRequest{AccountId: "alice"})
	require.NoError(t, err)
	require.Len(t, view.GetCodes(), 1)
	require.Equal(t, "account", view.GetCodes()[0].GetKind())
	require.Equal(t, added.GetExpiresAt().AsTime(), view.GetCodes()[0].GetExpiresAt().AsTime())
	_, err = s.client.Create(s.as("good"), &devicetotpv1.CreateRequest{Otp: proto.String(added.GetCode())})
	require.NoError(t, err)
}

func TestOperatorImportsADevice(t *testing.T) {
	s := serve(t)
	s.Account("alice")
	request := &devicetotpv1.ImportRequest{
		AccountId: "alice", DeviceId: documentedID, Name: "old app", Secret: "gezd gnbv gy3t qojq", // 10 bytes
		Period: durationpb.New(60 * time.Second), Digits: 8, Algorithm: "HmacSHA256",
	}
	imported, err := s.host.Import(s.as("operator"), request)
	require.NoError(t, err)
	require.Equal(t, documentedID, imported.GetDeviceId())
	require.False(t, imported.GetAlreadyThere())
	imported, err = s.host.Import(s.as("operator"), request)
	require.NoError(t, err)
	require.True(t, imported.GetAlreadyThere())

	device := s.list().GetDevices()[0]
	require.Equal(t, "SHA256", device.GetAlgorithm())
	require.Nil(t, device.GetLastUsedAt())
	phone := s.Phone(devicetotp.DeviceTOTP{
		Secret: credential.NewSecret("1234567890"), Algorithm: credential.AlgorithmSHA256, Digits: 8, Period: time.Minute,
	})
	_, err = s.client.Verify(s.as("good"), &devicetotpv1.VerifyRequest{Code: proto.String(phone.Code().Reveal())})
	require.NoError(t, err)

	_, err = s.client.Revoke(s.as("good"), &devicetotpv1.RevokeRequest{DeviceIds: []string{documentedID}})
	require.NoError(t, err)
	_, err = s.host.Import(s.as("operator"), request)
	require.Equal(t, refusal{code: codes.InvalidArgument, reason: "ID_IN_USE", field: "device_id"}, read(t, err))
	request.AgainAfterRevoke, request.LastUsedAt = true, timestamppb.New(s.Clock.Now())
	s.Clock.Advance(time.Hour)
	_, err = s.host.Import(s.as("operator"), request)
	require.NoError(t, err)
	require.NotNil(t, s.list().GetDevices()[0].GetLastUsedAt())
}

func TestOperatorSeesAndUnblocks(t *testing.T) {
	s := serve(t)
	alice := s.Account("alice").RegisteredAgo(0).PIN("8299")
	phone := alice.Device("phone", time.Hour)
	for range 5 {
		_, err := s.client.Create(s.as("good"), &devicetotpv1.CreateRequest{Pin: proto.String("0000")})
		require.Error(t, err)
	}
	alice.RecoveryCodes(3)
	inspect := func() *devicetotpv1.InspectResponse {
		view, err := s.host.Inspect(s.as("operator"), &devicetotpv1.InspectRequest{AccountId: "alice"})
		require.NoError(t, err)
		return view
	}
	view := inspect()
	pin := view.GetFactors()[2]
	require.Equal(t, "pin", pin.GetFactor())
	require.EqualValues(t, 5, pin.GetFailures())
	require.True(t, pin.GetBlocked())
	require.Equal(t, s.Clock.Now().Add(30*time.Second), pin.GetBlockedUntil().AsTime())
	require.Equal(t, phone.DeviceID, view.GetDevices()[0].GetDevice().GetDeviceId())
	require.True(t, view.GetDevices()[0].GetOpens())
	require.Equal(t, "test", view.GetDevices()[0].GetKeyId())
	require.NotEmpty(t, view.GetDevices()[0].GetBasis())
	require.EqualValues(t, 3, view.GetRecoveryCodes())
	require.Equal(t, []string{"test"}, view.GetKeys())
	require.True(t, view.GetRoom())
	require.Equal(t, s.Clock.Now().Add(5*time.Minute), view.GetGraceUntil().AsTime())

	_, err := s.host.Unblock(s.as("operator"), &devicetotpv1.UnblockRequest{AccountId: "alice", Factors: []string{"otp", "password"}})
	require.NoError(t, err)
	require.True(t, inspect().GetFactors()[2].GetBlocked(), "the PIN was not named")
	_, err = s.host.Unblock(s.as("operator"), &devicetotpv1.UnblockRequest{AccountId: "alice", Factors: []string{"PIN"}})
	require.Equal(t, refusal{code: codes.InvalidArgument, reason: "INVALID_ARGUMENT", field: "factors"}, read(t, err))
	_, err = s.host.Unblock(s.as("operator"), &devicetotpv1.UnblockRequest{AccountId: "alice"})
	require.NoError(t, err)
	require.False(t, inspect().GetFactors()[2].GetBlocked())
}

func TestOperatorReseals(t *testing.T) {
	s := serve(t)
	alice := s.Account("alice")
	alice.Device("phone", time.Hour)
	alice.RecoveryCodes(2)
	s.RollKey("next")
	s = serveWorld(t, s.World)
	request := &devicetotpv1.ResealRequest{AccountId: "alice"}
	done, err := s.host.Reseal(s.as("operator"), request)
	require.NoError(t, err)
	require.EqualValues(t, 2, done.GetResealed())
	require.Equal(t, []string{"next"}, done.GetKeys())
	require.False(t, done.GetWithheld())
	require.Zero(t, done.GetUnreadable())
	done, err = s.host.Reseal(s.as("operator"), request)
	require.NoError(t, err)
	require.Zero(t, done.GetResealed())
	s.RollKey("last")
	s.DropKey("next")
	s = serveWorld(t, s.World)
	view, err := s.host.Inspect(s.as("operator"), &devicetotpv1.InspectRequest{AccountId: "alice"})
	require.NoError(t, err)
	require.EqualValues(t, 2, view.GetUnreadable())
	require.False(t, view.GetDevices()[0].GetOpens())
}
