package devicetotp_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/devicetotptest"
	"example.com/devicetotp/verifier"
)

// What Inspect says of a device is what the next code of it meets, with the
// device's id and without: in a walk of right and wrong codes at various paces.
func TestInspect_SaysWhetherACodeIsCompared(t *testing.T) {
	w := devicetotptest.New(t)
	phone := w.Account("acct").Device("phone", time.Hour)
	random := rand.New(rand.NewPCG(1, 2)) // the same walk every time
	seen := map[[3]bool]int{}
	for range 4000 {
		pauses := [...]time.Duration{time.Second, time.Second, 31 * time.Second, 2 * time.Hour}
		w.Clock.Advance(pauses[random.IntN(len(pauses))])
		named, code := random.IntN(2) == 0, secret("000000")
		if random.IntN(50) == 0 {
			code = phone.Code()
		}
		view, err := w.Issuer.Inspect(t.Context(), "acct")
		require.NoError(t, err)
		d, otp := view.Devices[0], view.Factors[0]
		seen[[3]bool{otp.Blocked, d.Blocked, d.Skipped}]++

		id, blocked, until := phone.DeviceID, d.Blocked, d.BlockedUntil
		if !named {
			id, blocked, until = "", d.Skipped, d.SkippedUntil
			if otp.Blocked { // the pace of the account is looked at first
				blocked, until = true, otp.BlockedUntil
			}
		}
		_, err = verify(t, w, id, code)
		require.Equal(t, blocked, devicetotp.CodeOf(err) == devicetotp.CodeTooManyAttempts, "%+v %+v: %v", otp, d, err)
		if !blocked {
			require.Zero(t, until)
			continue
		}
		wait := requireCode(t, devicetotp.CodeTooManyAttempts, err).RetryAfter
		if wait == 0 {
			require.Zero(t, until, "only Unblock ends it")
		} else {
			require.Equal(t, w.Clock.Now().Add(wait), until)
		}
		if random.IntN(20) == 0 {
			require.NoError(t, w.Issuer.Unblock(t.Context(), devicetotp.UnblockRequest{AccountID: "acct"}))
		}
	}
	for _, blocked := range [][3]bool{{false, false, false}, {true, false, true}, {false, true, false}, {false, false, true}} {
		require.NotZero(t, seen[blocked], "OTP, named, unnamed: %v", blocked)
	}
}

// A policy that was changed lets no device have more than the most failures, and
// Inspect says so too.
func TestInspect_SaysThatADeviceHasHadAllItsFailures(t *testing.T) {
	w := devicetotptest.New(t)
	a := w.Account("acct")
	phone := a.Device("phone", time.Hour)
	stored := a.Stored()
	stored.State.Devices[0].Attempts = credential.Attempts{Failures: verifier.MaxFailures, LastAt: devicetotptest.Start.Add(-time.Hour)}
	require.NoError(t, w.Store.Accounts.Replace(t.Context(), stored))
	view, err := w.Issuer.Inspect(t.Context(), "acct")
	require.NoError(t, err)
	require.True(t, view.Devices[0].Blocked)
	require.Zero(t, view.Devices[0].BlockedUntil)
	_, err = verify(t, w, phone.DeviceID, phone.Code())
	requireCode(t, devicetotp.CodeTooManyAttempts, err)
}

// A pending code of a kind that was guessed at too often is not compared.
func TestInspect_SaysWhetherAPendingCodeIsCompared(t *testing.T) {
	w := devicetotptest.New(t, devicetotptest.WithPolicy(func(p *devicetotp.Policy) {
		p.OTP.BackoffFrom = 20 // later than the kind
		p.OTP.MaxBackoff = time.Hour
	}))
	w.Account("acct").OTP("526271")
	prove := func(otp string) error {
		_, err := w.Issuer.Prove(t.Context(), devicetotp.ProveRequest{AccountID: "acct", OTP: secret(otp)})
		return err
	}
	code := func() (kind devicetotp.KindOverview) {
		view, err := w.Issuer.Inspect(t.Context(), "acct")
		require.NoError(t, err)
		require.False(t, view.Factors[0].Blocked, "another kind of code would be compared")
		require.Len(t, view.Codes, 1, "it is pending all the same")
		for _, kind = range view.Kinds {
			require.Equal(t, verifier.KindAccount, kind.Kind)
		}
		return kind // the zero one as long as there are no failures
	}
	for range 5 {
		require.False(t, code().Blocked)
		requireCode(t, devicetotp.CodeInvalidCredentials, prove("000000"))
	}
	require.True(t, code().Blocked)
	require.Equal(t, w.Clock.Now().Add(30*time.Second), code().BlockedUntil)
	require.Equal(t, 30*time.Second, requireCode(t, devicetotp.CodeTooManyAttempts, prove("526271")).RetryAfter)
	w.Clock.Advance(30 * time.Second)
	require.False(t, code().Blocked)
	require.Zero(t, code().BlockedUntil)
	require.NoError(t, prove("526271"))
}

// A verifier of the host's own that does not say what it compared blocks the
// factor as a whole.
func TestInspect_SaysThatTheHostsVerifierIsNotAsked(t *testing.T) {
	w := devicetotptest.New(t, func(c *devicetotp.Config) {
		c.OTP = says(verifier.Verdict{Status: verifier.StatusWrong}, nil)
	})
	w.Account("acct")
	for range 20 {
		w.Clock.Advance(2 * time.Hour)
		_, err := w.Issuer.Prove(t.Context(), devicetotp.ProveRequest{AccountID: "acct", OTP: secret("000000")})
		requireCode(t, devicetotp.CodeInvalidCredentials, err)
	}
	w.Clock.Advance(2 * time.Hour)
	_, err := w.Issuer.Prove(t.Context(), devicetotp.ProveRequest{AccountID: "acct", OTP: secret("000000")})
	require.Zero(t, requireCode(t, devicetotp.CodeTooManyAttempts, err).RetryAfter)
	view, err := w.Issuer.Inspect(t.Context(), "acct")
	require.NoError(t, err)
	require.True(t, view.Factors[0].Blocked)
	require.Zero(t, view.Factors[0].BlockedUntil)
}
