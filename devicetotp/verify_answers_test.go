package devicetotp_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/devicetotptest"
	totperrors "example.com/devicetotp/errors"
	"example.com/devicetotp/verifier"
)

// What the truth table of Verify has found, each in a test of its own.

// A device that has seen a hundred wrong values is the host's to unblock. A wait of
// its named counter used to be answered, which ends and helps nobody.
func TestVerify_NoWaitIsNamedWhereNoneHelps(t *testing.T) {
	h := newHousehold(t)
	changeState(t, h.World, func(s *credential.State) {
		s.Devices[0].Attempts.Failures = 100
		s.Devices[0].Named = credential.Attempts{Failures: 6, LastAt: h.Clock.Now()}
	})
	_, err := verify(t, h.World, otherID(0), h.code())
	require.Zero(t, requireCode(t, totperrors.CodeTooManyAttempts, err).RetryAfter)
	h.Clock.Advance(2 * time.Hour)
	_, err = verify(t, h.World, otherID(0), h.code())
	requireCode(t, totperrors.CodeTooManyAttempts, err)
}

// The code is at fault where it is wrong or absent. A lock or a wait is nobody's
// field, as for Create.
func TestVerify_AFieldIsNamedWhereItIsAtFault(t *testing.T) {
	h := newHousehold(t)
	field := func(want devicetotp.Code, code credential.Secret) string {
		_, err := verify(t, h.World, "", code)
		return requireCode(t, want, err).Field
	}
	require.Equal(t, totperrors.FieldCode, field(totperrors.CodeCredentialsRequired, credential.Secret{}))
	require.Equal(t, totperrors.FieldCode, field(totperrors.CodeInvalidCredentials, secret("x")))
	changeState(t, h.World, func(s *credential.State) {
		s.OTP = credential.Attempts{Failures: 5, LastAt: h.Clock.Now()}
	})
	require.Empty(t, field(totperrors.CodeTooManyAttempts, h.code()))
	h.account.Locked(true)
	require.Empty(t, field(totperrors.CodeAccountLocked, h.code()))
}

// A code that a device on grace and a proved one generate rests on grace, whichever is
// found first. If it did not, each code of the device on grace would be a guess at the
// codes of the proved one that counts nowhere, because it is right.
func TestVerify_ACodeOfSeveralDevicesRestsOnGraceIfOneDoes(t *testing.T) {
	w := devicetotptest.New(t)
	w.Account("acct").RegisteredAgo(0).PIN("8299")
	create := func(r devicetotp.CreateRequest) *devicetotptest.Phone {
		w.Secrets.Next(secret("12345678901234567890"), nil)
		r.AccountID = "acct"
		d, err := w.Issuer.Create(t.Context(), r)
		require.NoError(t, err)
		return w.Phone(d)
	}
	phone := create(devicetotp.CreateRequest{DeviceID: otherID(0), PIN: secret("8299")})
	create(devicetotp.CreateRequest{DeviceID: otherID(1)})

	match, err := verify(t, w, "", phone.Code())
	require.NoError(t, err)
	require.Equal(t, otherID(0), match.DeviceID)
	require.True(t, match.RestsOnGrace)
	w.Clock.Advance(30 * time.Second)
	proof, err := w.Issuer.Prove(t.Context(), devicetotp.ProveRequest{AccountID: "acct", OTP: phone.Code()})
	require.NoError(t, err)
	require.Equal(t, otherID(0), proof.DeviceID)
	require.True(t, proof.RestsOnGrace)
	w.Clock.Advance(30 * time.Second)
	match, err = verify(t, w, otherID(0), phone.Code())
	require.NoError(t, err)
	require.False(t, match.RestsOnGrace, "it was compared with the proved device alone")
}

// A device on grace must be no free guess at a pending one-time code either: what is
// right as both is a proof that rests on grace, through whatever operation.
func TestACodeThatIsAlsoOneOfADeviceOnGraceRestsOnIt(t *testing.T) {
	type world struct {
		*devicetotptest.World
		code credential.Secret
	}
	both := func(t *testing.T) (w world) {
		t.Helper()
		w.World = devicetotptest.New(t)
		account := w.Account("acct").RegisteredAgo(0).PIN("8299")
		d, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: otherID(0)})
		require.NoError(t, err)
		_, err = verify(t, w.World, "", w.Phone(d).Code())
		require.NoError(t, err)
		w.code = w.Phone(d).Drifted(1)
		account.OTP(w.code.Reveal())
		return w
	}
	t.Run("Prove", func(t *testing.T) {
		w := both(t)
		proof, err := w.Issuer.Prove(t.Context(), devicetotp.ProveRequest{AccountID: "acct", OTP: w.code})
		require.NoError(t, err)
		require.Equal(t, verifier.KindAccount, proof.Kind)
		require.True(t, proof.RestsOnGrace)
		require.True(t, w.Events()[len(w.Events())-1].RestsOnGrace)
	})
	t.Run("Prove of that kind alone", func(t *testing.T) {
		w := both(t)
		proof, err := w.Issuer.Prove(t.Context(), devicetotp.ProveRequest{AccountID: "acct", OTP: w.code, Kinds: []string{verifier.KindAccount}})
		require.NoError(t, err)
		require.False(t, proof.RestsOnGrace, "it was not compared with the device")
	})
	t.Run("Create", func(t *testing.T) {
		w := both(t)
		_, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: otherID(1), OTP: w.code})
		require.NoError(t, err)
		view, err := w.Issuer.Inspect(t.Context(), "acct")
		require.NoError(t, err)
		require.True(t, view.Devices[1].RestsOnGrace)
	})
	t.Run("Rotate", func(t *testing.T) {
		w := both(t)
		rotated, err := w.Issuer.Rotate(t.Context(), devicetotp.RotateRequest{
			AccountID: "acct", DeviceID: otherID(0), RotationID: otherID(2), OTP: w.code,
		})
		require.NoError(t, err)
		match, err := verify(t, w.World, otherID(0), w.Phone(rotated).Code())
		require.NoError(t, err)
		require.True(t, match.RestsOnGrace)
		view, err := w.Issuer.Inspect(t.Context(), "acct")
		require.NoError(t, err)
		require.False(t, view.Devices[0].RotationPending)
		require.True(t, view.Devices[0].RestsOnGrace)
	})
}
