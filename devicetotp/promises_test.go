package devicetotp_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/devicetotptest"
	"example.com/devicetotp/verifier"
)

// What SECURITY.md promises, and as much what it says is left: the ends of the
// promises, so that no sentence there is stronger than the code.

// A token alone gets no new device once grace is over. The one that it got on the
// last instant is given again to whoever names its id, for the retry window.
func TestATokenAloneGetsNothingTenMinutesAfterRegistration(t *testing.T) {
	w := devicetotptest.New(t)
	w.Account("acct").RegisteredAgo(5 * time.Minute)
	named := devicetotp.CreateRequest{AccountID: "acct", DeviceID: deviceID}
	first, err := w.Issuer.Create(t.Context(), named)
	require.NoError(t, err)

	w.Clock.Advance(1)
	_, err = w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: otherID(1)})
	requireCode(t, devicetotp.CodeCredentialsRequired, err)
	w.Clock.Advance(5*time.Minute - 1)
	again, err := w.Issuer.Create(t.Context(), named)
	require.NoError(t, err)
	require.True(t, again.Replayed)
	require.Equal(t, first.Base32(), again.Base32(), "the same device, and no other")

	w.Clock.Advance(1)
	_, err = w.Issuer.Create(t.Context(), named)
	requireCode(t, devicetotp.CodeIDInUse, err)
	_, err = w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: otherID(1)})
	requireCode(t, devicetotp.CodeCredentialsRequired, err)
}

// A clock that goes back brings back what its time allows, though nothing that
// was used: the grace window, and a one-time code that had only expired.
func TestAClockThatGoesBackReopensWhatOnlyTimeHadClosed(t *testing.T) {
	w := devicetotptest.New(t)
	a := w.Account("acct").RegisteredAgo(0)
	a.OTP("55555555") // for five minutes
	nothing := devicetotp.CreateRequest{AccountID: "acct"}
	code := devicetotp.CreateRequest{AccountID: "acct", OTP: secret("55555555")}

	w.Clock.Advance(6 * time.Minute)
	_, err := w.Issuer.Create(t.Context(), nothing)
	requireCode(t, devicetotp.CodeCredentialsRequired, err)
	_, err = w.Issuer.Create(t.Context(), code)
	requireCode(t, devicetotp.CodeInvalidCredentials, err)

	w.Clock.Advance(-2 * time.Minute)
	_, err = w.Issuer.Create(t.Context(), nothing)
	require.NoError(t, err, "the window is open by the clock")
	_, err = w.Issuer.Create(t.Context(), code)
	require.NoError(t, err, "and the code has not expired by it")
	_, err = w.Issuer.Create(t.Context(), code)
	requireCode(t, devicetotp.CodeInvalidCredentials, err)
}

// What is beyond the library: an old row that is put back brings back what was
// spent since.
func TestARowThatIsPutBackRevivesWhatWasSpentSince(t *testing.T) {
	w := devicetotptest.New(t)
	a := w.Account("acct").OTP("55555555")
	old := a.Stored()
	code := devicetotp.CreateRequest{AccountID: "acct", OTP: secret("55555555")}
	_, err := w.Issuer.Create(t.Context(), code)
	require.NoError(t, err)
	_, err = w.Issuer.Create(t.Context(), code)
	requireCode(t, devicetotp.CodeInvalidCredentials, err)
	require.NoError(t, w.Store.Accounts.Replace(t.Context(), old))
	_, err = w.Issuer.Create(t.Context(), code)
	require.NoError(t, err)
}

// The numbers that SECURITY.md names are the defaults.
func TestDefaultNumbers(t *testing.T) {
	p := devicetotp.DefaultPolicy()
	require.Equal(t, [3]time.Duration{5 * time.Minute, 30 * time.Second, 5 * time.Minute}, [3]time.Duration{p.GraceWindow, p.ClockTolerance, p.RetryWindow})
	require.Equal(t, [2]int{5, 20}, [2]int{p.GraceDevices, p.MaxDevices})
	require.Equal(t, 24*time.Hour, p.UnusedAfter)
	require.Equal(t, credential.AlgorithmSHA1, p.Algorithm)
	require.Equal(t, 6, p.Digits)
	require.Equal(t, 30*time.Second, p.Period)
	require.Equal(t, 20, p.Algorithm.SecretSize())
	require.Equal(t, 10*time.Minute, devicetotp.MaxCodeTTL)
	require.Equal(t, [3]int{6, 10, 8}, [3]int{credential.MinCodeDigits, credential.MaxCodeDigits, credential.DefaultCodeDigits})
	doubling := verifier.AttemptPolicy{BackoffFrom: 5, Backoff: 30 * time.Second, MaxBackoff: time.Hour}
	for _, c := range []struct {
		have    verifier.AttemptPolicy
		blockAt int
	}{{p.PIN, 10}, {p.Password, 100}, {p.Code, 20}, {p.Recovery, 100}, {p.Device, 20}, {p.OTP, verifier.NeverBlock}} {
		want := doubling
		want.BlockAt = c.blockAt
		require.Equal(t, want, c.have)
	}
	require.Equal(t, verifier.AttemptPolicy{BackoffFrom: 5, Backoff: 30 * time.Second, MaxBackoff: 30 * time.Second, BlockAt: 80}, p.UnnamedDevice)
	require.Equal(t, 100, verifier.MaxFailures)
}
