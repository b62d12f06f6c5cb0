package devicetotp_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	totperrors "example.com/devicetotp/errors"
)

// What the truth table of Create has found, each in a test of its own.

// The field of a refusal names the one presented value. Where two are presented it
// used to name the one that the retry rule looks at, which is what the device was
// created on.
func TestCreate_TheFieldDoesNotTellWhatADeviceWasCreatedOn(t *testing.T) {
	for _, basis := range []credential.Basis{credential.BasisPassword, credential.BasisPIN} {
		w, _, r, _ := retryWorld(t, basis)
		r.Password, r.PIN = secret("no"), secret("0000")
		_, err := w.Issuer.Create(t.Context(), r)
		require.Empty(t, requireCode(t, totperrors.CodeInvalidCredentials, err).Field)
	}
}

// A hash that does not open takes down only itself: a wrong value beside it is
// wrong, and no fault. Alone, or beside what is blocked, it is one.
func TestCreate_AWrongValueBesideABrokenHashIsWrong(t *testing.T) {
	h := newHousehold(t)
	update(h.World, func(a *credential.Account) { a.PasswordHash = "nonsense" })
	create := func(r devicetotp.CreateRequest) error {
		r.AccountID, r.DeviceID, r.Password = "acct", deviceID, secret("password")
		_, err := h.Issuer.Create(t.Context(), r)
		return err
	}
	requireCode(t, totperrors.CodeInvalidCredentials, create(devicetotp.CreateRequest{PIN: secret("0000")}))
	requireCode(t, totperrors.CodeInvalidCredentials, create(devicetotp.CreateRequest{OTP: secret(wrongCode)}))
	require.Equal(t, 1, h.account.Stored().State.PIN.Failures)
	event := h.Events()[len(h.Events())-1]
	require.Len(t, event.Unreadable, 1, "the Event names it")
	require.Equal(t, credential.FactorPassword, event.Unreadable[0].Factor)
	requireCode(t, totperrors.CodeInternal, create(devicetotp.CreateRequest{}))
	changeState(t, h.World, func(s *credential.State) { s.PIN.Failures = 10 })
	requireCode(t, totperrors.CodeInternal, create(devicetotp.CreateRequest{PIN: secret("8299")}))
}
