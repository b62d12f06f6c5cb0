package devicetotp_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/devicetotptest"
	"example.com/devicetotp/verifier"
)

// Whole ways through the library, as services and their users go them.

// requireGone is what a service relies on after it has removed devices.
func requireGone(t *testing.T, w *devicetotptest.World, phones ...*devicetotptest.Phone) {
	t.Helper()
	for _, phone := range phones {
		_, err := verify(t, w, phone.DeviceID, phone.Code())
		requireCode(t, devicetotp.CodeInvalidCredentials, err)
	}
}

// The phone is lost. Its owner presents a saved recovery code on a new one, which
// works at once, and the lost one, with what was made on its codes, is removed.
func TestFlow_TheLostPhone(t *testing.T) {
	w := devicetotptest.New(t, withRecovery)
	a := w.Account("acct").Password("password")
	lost := a.Device("my phone", 400*24*time.Hour)
	saved := a.RecoveryCodes(devicetotp.DefaultRecoveryCodes)
	w.Clock.Advance(24 * time.Hour)

	// Whoever found the phone has made a device on one of its codes.
	thief, err := createOn(t, w.Issuer, otherID(66), lost.Code())
	require.NoError(t, err)
	w.Clock.Advance(time.Hour)

	device, err := createOn(t, w.Issuer, deviceID, saved[7])
	require.NoError(t, err)
	event := lastEvent(w)
	require.Equal(t, verifier.KindRecovery, event.Factors[0].Kind, "the user is told by another channel")
	require.Equal(t, deviceID, event.DeviceID)

	// The answer was lost, and typed in again otherwise.
	again, err := createOn(t, w.Issuer, deviceID, secret(" "+saved[7].Reveal()+" "))
	require.NoError(t, err)
	require.Equal(t, device.Base32(), again.Base32())

	match, err := verify(t, w, deviceID, w.Phone(device).Code())
	require.NoError(t, err, "the first code, at once")
	require.Equal(t, deviceID, match.DeviceID)

	revoked, err := w.Issuer.Revoke(t.Context(), devicetotp.RevokeRequest{
		AccountID: "acct", DeviceIDs: []string{lost.DeviceID}, WithMadeBy: true,
	})
	require.NoError(t, err)
	require.Equal(t, []string{lost.DeviceID}, revoked.DeviceIDs)
	require.Len(t, revoked.MadeBy, 1, "the thief's")
	requireGone(t, w, lost, w.Phone(thief))
	w.Clock.Advance(time.Minute)
	_, err = verify(t, w, deviceID, w.Phone(device).Code())
	require.NoError(t, err, "the new one stays")

	view, err := w.Issuer.Inspect(t.Context(), "acct")
	require.NoError(t, err)
	require.Len(t, view.Devices, 1)
	require.Equal(t, 9, view.Recovery.Left, "few enough, and the service gives out new ones")
}

// A mobile client: a code by mail makes the device, the device's first code is
// used in the same second, and that code sets the PIN that is asked for from then
// on.
func TestFlow_TheMobileClient(t *testing.T) {
	w := devicetotptest.New(t)
	a := w.Account("acct").RegisteredAgo(time.Hour)
	mailed, err := w.Issuer.AddCode(t.Context(), devicetotp.AddCodeRequest{AccountID: "acct", Kind: verifier.KindAccount, TTL: 5 * time.Minute})
	require.NoError(t, err)
	device, err := createOn(t, w.Issuer, deviceID, mailed.Code)
	require.NoError(t, err)
	require.Equal(t, verifier.KindAccount, lastEvent(w).Factors[0].Kind)

	code := w.Phone(device).Code()
	require.ErrorIs(t, setPIN(t, w, a, "1234", code), verifier.ErrPINSeries, "refused before the code is spent")
	require.NoError(t, setPIN(t, w, a, "8299", code))
	requireCode(t, devicetotp.CodeInvalidCredentials, setPIN(t, w, a, "9875", code))

	_, err = w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", PIN: secret("9875")})
	requireCode(t, devicetotp.CodeInvalidCredentials, err)
	second, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", PIN: secret("8299")})
	require.NoError(t, err)
	require.Equal(t, credential.BasisPIN, second.Basis)
}

// setPIN is a service's own endpoint: the rules first, then the code, which must
// not rest on grace, then the hash, sealed, in the service's own table.
func setPIN(t *testing.T, w *devicetotptest.World, a *devicetotptest.Account, pin string, code credential.Secret) error {
	t.Helper()
	if err := verifier.CheckPIN(secret(pin)); err != nil {
		return err
	}
	proof, err := w.Issuer.Prove(t.Context(), devicetotp.ProveRequest{AccountID: "acct", OTP: code})
	if err != nil {
		return err
	}
	require.False(t, proof.RestsOnGrace, "or ask for more")
	hash, err := w.Hasher.HashPIN(context.Background(), secret(pin))
	require.NoError(t, err)
	sealed, err := w.Keys.SealPINHash("acct", hash)
	require.NoError(t, err)
	from := a.Stored().PINHash
	return w.Store.Accounts.RotateHash(t.Context(), "acct", credential.FactorPIN, from, sealed)
}
