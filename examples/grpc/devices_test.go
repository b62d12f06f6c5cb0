package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/examples/grpc/devicetotpv1"
)

func (s *served) list() *devicetotpv1.ListResponse {
	s.t.Helper()
	list, err := s.client.List(s.as("good"), &devicetotpv1.ListRequest{})
	require.NoError(s.t, err)
	return list
}

// A device is listed, named, and taken away; sending the last again is harmless.
func TestDevicesAreListedNamedAndTakenAway(t *testing.T) {
	s := serve(t)
	alice := s.Account("alice").PIN("8299")
	used := alice.Device("tablet", time.Hour)
	_, err := s.client.Create(s.as("good"), &devicetotpv1.CreateRequest{DeviceId: documentedID, Name: "phone", Pin: proto.String("8299")})
	require.NoError(t, err)
	_, err = s.client.Verify(s.as("good"), &devicetotpv1.VerifyRequest{Code: proto.String(used.Code().Reveal())})
	require.NoError(t, err)
	alice.RecoveryCodes(7)

	list := s.list()
	require.Len(t, list.GetDevices(), 2)
	require.EqualValues(t, 7, list.GetRecoveryCodes())
	tablet, phone := list.GetDevices()[0], list.GetDevices()[1]
	require.Equal(t, "phone", phone.GetName())
	require.Equal(t, documentedID, phone.GetDeviceId())
	require.Equal(t, s.Clock.Now(), phone.GetCreatedAt().AsTime())
	require.Nil(t, phone.GetLastUsedAt(), "never used")
	require.Equal(t, 30*time.Second, phone.GetPeriod().AsDuration())
	require.EqualValues(t, 6, phone.GetDigits())
	require.Equal(t, "SHA1", phone.GetAlgorithm())
	require.Equal(t, used.DeviceID, tablet.GetDeviceId(), "oldest first")
	require.Equal(t, s.Clock.Now(), tablet.GetLastUsedAt().AsTime())

	_, err = s.client.Rename(s.as("good"), &devicetotpv1.RenameRequest{DeviceId: used.DeviceID, Name: "old tablet"})
	require.NoError(t, err)
	require.Equal(t, "old tablet", s.list().GetDevices()[0].GetName())

	revoke := &devicetotpv1.RevokeRequest{DeviceIds: []string{used.DeviceID}}
	gone, err := s.client.Revoke(s.as("good"), revoke)
	require.NoError(t, err)
	require.Equal(t, []string{used.DeviceID}, gone.GetDeviceIds())
	gone, err = s.client.Revoke(s.as("good"), revoke)
	require.NoError(t, err)
	require.Empty(t, gone.GetDeviceIds())
	require.Len(t, s.list().GetDevices(), 1)
	s.Clock.Advance(time.Minute)
	_, err = s.client.Verify(s.as("good"), &devicetotpv1.VerifyRequest{Code: proto.String(used.Code().Reveal())})
	require.Equal(t, "INVALID_CREDENTIALS", read(t, err).reason)
}

// What was made on a code of a device goes with it where that is asked for.
func TestRevokeWithWhatWasMadeBy(t *testing.T) {
	s := serve(t)
	first := s.Account("alice").Device("phone", time.Hour)
	_, err := s.client.Create(s.as("good"), &devicetotpv1.CreateRequest{DeviceId: documentedID, Otp: proto.String(first.Code().Reveal())})
	require.NoError(t, err)
	gone, err := s.client.Revoke(s.as("good"), &devicetotpv1.RevokeRequest{DeviceIds: []string{first.DeviceID}, WithMadeBy: true})
	require.NoError(t, err)
	require.Equal(t, []string{documentedID}, gone.GetMadeBy())
	require.Empty(t, s.list().GetDevices())
}

// The id of a device that nothing presented would be given again is as good as its
// secret, so the list must not have it.
func TestListWithholdsWhatARetryIsGiven(t *testing.T) {
	s := serve(t)
	s.Account("alice").RegisteredAgo(0)
	request := &devicetotpv1.CreateRequest{DeviceId: documentedID}
	first, err := s.client.Create(s.as("good"), request)
	require.NoError(t, err)
	again, err := s.client.Create(s.as("good"), request)
	require.NoError(t, err)
	require.Equal(t, first.GetSecret(), again.GetSecret(), "so it is not listed")
	require.Empty(t, s.list().GetDevices())
	s.Clock.Advance(devicetotp.DefaultPolicy().RetryWindow + devicetotp.DefaultPolicy().ClockTolerance + time.Second)
	require.Len(t, s.list().GetDevices(), 1)
	_, err = s.client.Create(s.as("good"), request)
	require.Error(t, err, "so it is listed")
}

// A device that rests is shown so, with the time.
func TestListShowsWhatIsBlocked(t *testing.T) {
	s := serve(t)
	phone := s.Account("alice").Device("phone", time.Hour)
	for range 5 {
		_, err := s.client.Verify(s.as("good"), &devicetotpv1.VerifyRequest{DeviceId: phone.DeviceID, Code: proto.String("000000")})
		require.Error(t, err)
	}
	device := s.list().GetDevices()[0]
	require.True(t, device.GetBlocked())
	require.Equal(t, s.Clock.Now().Add(30*time.Second), device.GetBlockedUntil().AsTime())
}

func TestProve(t *testing.T) {
	s := serve(t)
	phone := s.Account("alice").PIN("8299").Device("phone", time.Hour)
	proof, err := s.client.Prove(s.as("good"), &devicetotpv1.ProveRequest{Pin: proto.String("8299")})
	require.NoError(t, err)
	require.Equal(t, "pin", proof.GetBasis())

	otp := &devicetotpv1.ProveRequest{Otp: proto.String(phone.Code().Reveal()), Kinds: []string{"account"}}
	_, err = s.client.Prove(s.as("good"), otp)
	require.Equal(t, refusal{code: codes.PermissionDenied, reason: "INVALID_CREDENTIALS", field: "otp"}, read(t, err), "of another kind")
	otp.Kinds = []string{"device-totp"}
	proof, err = s.client.Prove(s.as("good"), otp)
	require.NoError(t, err)
	require.Equal(t, "otp", proof.GetBasis())
	require.Equal(t, "device-totp", proof.GetKind())
	require.Equal(t, phone.DeviceID, proof.GetDeviceId())
	_, err = s.client.Prove(s.as("good"), otp)
	require.Error(t, err, "spent")
}

const rotationID = "3d1a6c9e-5b7f-4a4e-9c58-2e6f1b0d7a83"

func TestRotate(t *testing.T) {
	s := serve(t)
	phone := s.Account("alice").PIN("8299").Device("phone", time.Hour)
	request := &devicetotpv1.RotateRequest{DeviceId: phone.DeviceID, RotationId: rotationID, Pin: proto.String("8299")}
	first, err := s.client.Rotate(s.as("good"), request)
	require.NoError(t, err)
	again, err := s.client.Rotate(s.as("good"), request)
	require.NoError(t, err, "the same request after a lost answer")
	require.True(t, proto.Equal(first, again))
	until := s.Clock.Now().Add(devicetotp.DefaultPolicy().RotationOverlap)
	require.Equal(t, until, first.GetConfirmBy().AsTime())
	require.Equal(t, until, s.list().GetDevices()[0].GetRotationUntil().AsTime())

	secret, err := credential.ParseBase32(first.GetSecret())
	require.NoError(t, err)
	renewed := s.Phone(devicetotp.DeviceTOTP{Secret: secret, Algorithm: credential.AlgorithmSHA1, Digits: 6, Period: 30 * time.Second})
	_, err = s.client.Verify(s.as("good"), &devicetotpv1.VerifyRequest{Code: proto.String(renewed.Code().Reveal())})
	require.NoError(t, err)
	require.Nil(t, s.list().GetDevices()[0].GetRotationUntil(), "confirmed")
}

// Recovery codes are credentials, so they are given against one, and never against
// the token alone: neither directly nor on a device that the token alone could
// make.
func TestRecoveryCodesAreGivenAgainstACredential(t *testing.T) {
	s := serve(t)
	s.Account("alice").RegisteredAgo(0).PIN("8299")
	replace := func(r *devicetotpv1.ReplaceRecoveryCodesRequest) ([]string, error) {
		answer, err := s.client.ReplaceRecoveryCodes(s.as("good"), r)
		return answer.GetCodes(), err
	}
	refused := refusal{code: codes.PermissionDenied, reason: "CREDENTIALS_REQUIRED"}
	_, err := replace(&devicetotpv1.ReplaceRecoveryCodesRequest{})
	require.Equal(t, refused, read(t, err))

	made, err := s.client.Create(s.as("good"), &devicetotpv1.CreateRequest{DeviceId: documentedID})
	require.NoError(t, err)
	secret, err := credential.ParseBase32(made.GetSecret())
	require.NoError(t, err)
	phone := s.Phone(devicetotp.DeviceTOTP{Secret: secret, Algorithm: credential.AlgorithmSHA1, Digits: 6, Period: 30 * time.Second})
	_, err = replace(&devicetotpv1.ReplaceRecoveryCodesRequest{Otp: proto.String(phone.Code().Reveal())})
	require.Equal(t, refused, read(t, err), "a device that rests on grace")
	require.Zero(t, s.list().GetRecoveryCodes())
	s.Clock.Advance(30 * time.Second)
	match, err := s.client.Verify(s.as("good"), &devicetotpv1.VerifyRequest{Code: proto.String(phone.Code().Reveal()), DeviceId: documentedID})
	require.NoError(t, err)
	require.True(t, match.GetRestsOnGrace(), "it approves no payment")
	view, err := s.host.Inspect(s.as("operator"), &devicetotpv1.InspectRequest{AccountId: "alice"})
	require.NoError(t, err)
	require.True(t, view.GetDevices()[0].GetRestsOnGrace())

	first, err := replace(&devicetotpv1.ReplaceRecoveryCodesRequest{Pin: proto.String("8299")})
	require.NoError(t, err)
	require.Len(t, first, 10)
	require.EqualValues(t, 10, s.list().GetRecoveryCodes())
	second, err := replace(&devicetotpv1.ReplaceRecoveryCodesRequest{Pin: proto.String("8299")})
	require.NoError(t, err)
	require.NotContains(t, second, first[0])
}
