package devicetotp_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/devicetotptest"
	"example.com/devicetotp/verifier"
)

// What an operation stores holds no secret of a device, no one-time code and no
// recovery code, in whatever spelling: all of them are looked for in the encoded
// State after every save of a device's whole life.
func TestNothingSecretIsStored(t *testing.T) {
	w := devicetotptest.New(t, withRecovery)
	alice := w.Account("alice").RegisteredAgo(0).PIN("8299")
	ctx := t.Context()
	var secrets []string
	look := func(after string, more ...credential.Secret) {
		t.Helper()
		for _, s := range more {
			for _, spelt := range []string{s.Reveal(), strings.ReplaceAll(s.Reveal(), "-", "")} { // as recovery codes are compared
				for _, form := range encodings(spelt) {
					secrets = append(secrets, form)
				}
			}
		}
		stored, err := alice.Stored().State.MarshalBinary()
		require.NoError(t, err)
		for _, s := range secrets {
			require.False(t, bytes.Contains(stored, []byte(s)), "%s: the State has a secret in it", after)
		}
	}
	grace, err := w.Issuer.Create(ctx, devicetotp.CreateRequest{AccountID: "alice"})
	require.NoError(t, err)
	look("Create on grace", grace.Secret)
	again, err := w.Issuer.Create(ctx, devicetotp.CreateRequest{AccountID: "alice", DeviceID: grace.ID})
	require.NoError(t, err)
	look("the same again", again.Secret)
	code := w.Phone(grace).Code()
	_, err = w.Issuer.Verify(ctx, devicetotp.VerifyRequest{AccountID: "alice", Code: code})
	require.NoError(t, err)
	look("Verify", code)

	otp := secret("31415926")
	_, err = w.Issuer.AddCode(ctx, devicetotp.AddCodeRequest{AccountID: "alice", Kind: verifier.KindAccount, Code: otp, TTL: time.Minute})
	require.NoError(t, err)
	look("AddCode", otp)
	wrong := secret("27182818") // mistyped, and maybe right elsewhere
	_, err = w.Issuer.Create(ctx, devicetotp.CreateRequest{AccountID: "alice", OTP: wrong, Password: secret("not-her-password"), PIN: secret("1234567890")})
	require.Error(t, err)
	look("a Create that is refused", wrong, secret("not-her-password"), secret("1234567890"))
	made, err := w.Issuer.Create(ctx, devicetotp.CreateRequest{AccountID: "alice", DeviceID: deviceID, OTP: otp})
	require.NoError(t, err)
	look("Create on an OTP", made.Secret)
	codes, err := w.Issuer.ReplaceRecoveryCodes(ctx, devicetotp.RecoveryRequest{AccountID: "alice"})
	require.NoError(t, err)
	look("ReplaceRecoveryCodes", codes...)
	recovered, err := w.Issuer.Create(ctx, devicetotp.CreateRequest{AccountID: "alice", OTP: codes[0]})
	require.NoError(t, err)
	look("Create on a recovery code", recovered.Secret)

	const rotationID = "3d1a6c9e-5b7f-4a4e-9c58-2e6f1b0d7a83"
	rotated, err := w.Issuer.Rotate(ctx, devicetotp.RotateRequest{AccountID: "alice", DeviceID: grace.ID, RotationID: rotationID, PIN: secret("8299")})
	require.NoError(t, err)
	look("Rotate", rotated.Secret)
	code = w.Phone(rotated).Code()
	_, err = w.Issuer.Verify(ctx, devicetotp.VerifyRequest{AccountID: "alice", DeviceID: grace.ID, Code: code})
	require.NoError(t, err)
	look("the first code of a rotation", code)

	imported := secret("imported-secret-1234")
	_, err = w.Issuer.Import(ctx, devicetotp.ImportRequest{
		AccountID: "alice", DeviceID: otherID(1), Secret: imported, Algorithm: credential.AlgorithmSHA1, Digits: 6, Period: 30 * time.Second,
	})
	require.NoError(t, err)
	look("Import", imported)
	w.RollKey("newer")
	_, err = w.Issuer.Reseal(ctx, "alice")
	require.NoError(t, err)
	look("Reseal")
	_, err = w.Issuer.Revoke(ctx, devicetotp.RevokeRequest{AccountID: "alice", DeviceIDs: []string{grace.ID, otherID(1)}})
	require.NoError(t, err)
	look("Revoke")
}
