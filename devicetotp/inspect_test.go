package devicetotp_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/devicetotptest"
)

func TestInspect_ShowsTheAccountAndChangesNothing(t *testing.T) {
	w := devicetotptest.New(t)
	a := w.Account("acct").RegisteredAgo(time.Minute).PIN("8299").OTP("526271")
	device, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: deviceID})
	require.NoError(t, err)
	_, err = w.Issuer.Verify(t.Context(), devicetotp.VerifyRequest{AccountID: "acct", Code: w.Phone(device).Code()})
	require.NoError(t, err)
	for range 5 {
		_, err = w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", PIN: secret("0000")})
		require.Error(t, err)
	}
	before := a.Stored()
	w.Store.Script()

	view, err := w.Issuer.Inspect(t.Context(), "acct")
	require.NoError(t, err)
	require.Equal(t, []devicetotptest.StoreCall{{Method: devicetotptest.MethodLoad, AccountID: "acct"}}, w.Store.Calls())
	require.Equal(t, before, a.Stored())

	require.Len(t, view.Devices, 1)
	got := view.Devices[0]
	require.Equal(t, deviceID, got.ID)
	require.Equal(t, credential.BasisGrace, got.Basis)
	require.Equal(t, devicetotptest.Start, got.CreatedAt)
	require.Equal(t, devicetotptest.Start.Truncate(30*time.Second).Add(30*time.Second), got.LastUsedAt, "the end of the accepted step")
	require.False(t, got.Blocked)
	require.True(t, got.Opens)
	require.Equal(t, "test", got.KeyID)
	require.Equal(t, []string{"test"}, view.Keys)
	require.Empty(t, view.Unreadable)
	require.True(t, view.Room)
	require.Equal(t, devicetotptest.Start.Add(4*time.Minute), view.GraceUntil)
	require.Equal(t, []devicetotp.CodeOverview{{Kind: "account", ExpiresAt: devicetotptest.Start.Add(5 * time.Minute)}}, view.Codes)
	require.Equal(t, devicetotp.FactorOverview{
		Factor: credential.FactorPIN, Failures: 5, Blocked: true, BlockedUntil: devicetotptest.Start.Add(30 * time.Second),
	}, view.Factors[2])
	require.Equal(t, devicetotp.FactorOverview{Factor: credential.FactorOTP}, view.Factors[0])

	event := w.Events()[len(w.Events())-1]
	require.Equal(t, devicetotp.OpInspect, event.Op)
	require.Equal(t, 1, event.Rounds)
}

// A code that a newer one of its kind has replaced is not pending.
func TestInspect_ShowsTheNewestCodeOfAKind(t *testing.T) {
	w := devicetotptest.New(t)
	a := w.Account("acct").OTP("526271")
	w.Clock.Advance(time.Minute)
	a.OTP("526272")
	view, err := w.Issuer.Inspect(t.Context(), "acct")
	require.NoError(t, err)
	require.Equal(t, []devicetotp.CodeOverview{{Kind: "account", ExpiresAt: devicetotptest.Start.Add(6 * time.Minute)}}, view.Codes)
}

func TestInspect_OfALockedOrAnUnknownAccount(t *testing.T) {
	w := devicetotptest.New(t)
	w.Account("acct").RegisteredAgo(0).Locked(true)
	view, err := w.Issuer.Inspect(t.Context(), "acct")
	require.NoError(t, err)
	require.Zero(t, view.GraceUntil, "a locked account has no grace")
	_, err = w.Issuer.Inspect(t.Context(), "nobody")
	requireCode(t, devicetotp.CodeInvalidArgument, err)
	require.ErrorIs(t, err, credential.ErrNotFound)
}

// Inspect does not wait for a request that changes the account.
func TestInspect_DoesNotStandInLine(t *testing.T) {
	var w *devicetotptest.World
	var view devicetotp.Overview
	w = devicetotptest.New(t, func(c *devicetotp.Config) {
		c.PIN = hooked(c.PIN, func() {
			var err error
			view, err = w.Issuer.Inspect(t.Context(), "acct")
			require.NoError(t, err)
		})
	})
	w.Account("acct").PIN("8299")
	_, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", PIN: secret("8299")})
	require.NoError(t, err)
	require.Empty(t, view.Devices, "the account as it was while the PIN was hashed")
}

func TestInspect_HoldsNoSecret(t *testing.T) {
	w := devicetotptest.New(t)
	a := w.Account("acct").RegisteredAgo(0).PIN("8299").Password("password").OTP("526271")
	_, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct"})
	require.NoError(t, err)
	view, err := w.Issuer.Inspect(t.Context(), "acct")
	require.NoError(t, err)
	text, err := json.Marshal(view)
	require.NoError(t, err)
	for _, hidden := range []string{"secret-0000000001", a.Stored().PINHash, a.Stored().PasswordHash, "526271", "ONSWG4TF"} {
		require.NotContains(t, string(text), hidden)
	}
}

// Which keys an account needs, and what does not open, is said of one account as
// Reseal says it: see TestReseal_TruthTable. What opens is shown beside it.
func TestInspect_SaysWhichKeyIsMissing(t *testing.T) {
	h := newHousehold(t)
	next := keyRing(t, "next", namedKey("next"))
	_, err := issuerUnder(t, h.World, next).Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: brokenID, Password: secret("password")})
	require.NoError(t, err)
	changeState(t, h.World, func(s *credential.State) {
		torn := s.Devices[0]
		torn.ID, torn.Sealed = otherID(9), []byte("nonsense")
		s.Devices = append(s.Devices, torn)
	})
	view, err := h.Issuer.Inspect(t.Context(), "acct")
	require.NoError(t, err)
	require.Equal(t, []string{"test", "next"}, view.Keys)
	var shown []string
	for _, d := range view.Devices {
		shown = append(shown, fmt.Sprintf("%s %t %s", d.ID, d.Opens, d.KeyID))
	}
	require.Equal(t, []string{otherID(0) + " true test", brokenID + " false next", otherID(9) + " false "}, shown)
	require.Len(t, view.Unreadable, 2)
	require.ErrorIs(t, view.Unreadable[0].Err, credential.ErrMissingKey)
	require.ErrorIs(t, view.Unreadable[1].Err, credential.ErrTampered)
}
