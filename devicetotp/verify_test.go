package devicetotp_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/devicetotptest"
	totperrors "example.com/devicetotp/errors"
)

func TestTheFirstCodeIsAcceptedAtOnceAndOnlyOnce(t *testing.T) {
	w := devicetotptest.New(t)
	_, devices := enrol(t, w, "acct", 1)
	code := w.Phone(devices[0]).Code()
	m, err := verify(t, w, "", code)
	require.NoError(t, err)
	step := w.Clock.Now().Unix() / 30
	require.Equal(t, devicetotp.Match{DeviceID: otherID(0), Step: step, ValidUntil: time.Unix((step+2)*30, 0).UTC()}, m)
	_, err = verify(t, w, "", code)
	require.Equal(t, totperrors.FieldCode, requireCode(t, totperrors.CodeInvalidCredentials, err).Field)
	_, err = w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", OTP: code})
	requireCode(t, totperrors.CodeInvalidCredentials, err)
}

func TestStepsAreMonotonicPerDevice(t *testing.T) {
	w := devicetotptest.New(t)
	_, devices := enrol(t, w, "acct", 2)
	first, second := w.Phone(devices[0]), w.Phone(devices[1])
	ahead, now, behind := first.Drifted(1), first.Code(), first.Drifted(-1)
	m, err := verify(t, w, "", ahead)
	require.NoError(t, err)
	require.Equal(t, 1, m.Drift)
	for _, older := range []credential.Secret{ahead, now, behind} {
		_, err = verify(t, w, "", older)
		requireCode(t, totperrors.CodeInvalidCredentials, err)
	}
	m, err = verify(t, w, "", second.Drifted(-1))
	require.NoError(t, err, "another device has steps of its own")
	require.Equal(t, -1, m.Drift)
}

func TestDriftWindowIsOneStep(t *testing.T) {
	for drift := -3; drift <= 3; drift++ {
		w := devicetotptest.New(t)
		_, devices := enrol(t, w, "acct", 1)
		m, err := verify(t, w, "", w.Phone(devices[0]).Drifted(drift))
		if drift < -1 || drift > 1 {
			requireCode(t, totperrors.CodeInvalidCredentials, err)
			continue
		}
		require.NoError(t, err)
		require.Equal(t, drift, m.Drift)
	}
}

// A clock that goes back ten minutes never revives a used code, of either kind.
func TestAClockThatGoesBackRevivesNothing(t *testing.T) {
	w := devicetotptest.New(t)
	a, devices := enrol(t, w, "acct", 1)
	a.OTP("55555555")
	code := w.Phone(devices[0]).Code()
	_, err := verify(t, w, "", code)
	require.NoError(t, err)
	_, err = w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", OTP: secret("55555555")})
	require.NoError(t, err)
	for _, d := range []time.Duration{-10 * time.Minute, 0, 10 * time.Minute, 6 * time.Minute, -16 * time.Minute} {
		w.Clock.Advance(d)
		_, err = verify(t, w, "", code)
		requireCode(t, totperrors.CodeInvalidCredentials, err)
		_, err = w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", OTP: secret("55555555")})
		requireCode(t, totperrors.CodeInvalidCredentials, err)
		require.NoError(t, w.Issuer.Unblock(t.Context(), devicetotp.UnblockRequest{AccountID: "acct"}))
	}
	back := w.Phone(devices[0])
	w.Clock.Set(devicetotptest.Start.Add(-10 * time.Minute))
	_, err = verify(t, w, "", back.Code())
	requireCode(t, totperrors.CodeInvalidCredentials, err)
}

func TestOnlyCanonicalCodesAreCompared(t *testing.T) {
	w := devicetotptest.New(t)
	_, devices := enrol(t, w, "acct", 1)
	code := w.Phone(devices[0]).Code().Reveal()
	wide := []rune(code)
	for i := range wide {
		wide[i] += 0xFEE0 // full-width digits
	}
	for _, bad := range []string{"", code + " ", " " + code, code + "\n", "\u00a0" + code, code[:5], "0" + code, string(wide), "-" + code[1:], "+" + code} {
		_, err := verify(t, w, "", secret(bad))
		requireCode(t, totperrors.CodeInvalidCredentials, err)
		require.NoError(t, w.Issuer.Unblock(t.Context(), devicetotp.UnblockRequest{AccountID: "acct"}))
	}
	_, err := verify(t, w, "", secret(code))
	require.NoError(t, err)
}

// A wrong code counts against each device that it was compared with, and for the
// pace of the account or for the device that is named.
func TestVerify_CountsAgainstWhatWasCompared(t *testing.T) {
	w := devicetotptest.New(t)
	a, devices := enrol(t, w, "acct", 3)
	wrong := w.Phone(devices[0]).Drifted(9)
	counters := func() (out [7]int) {
		s := a.Stored().State
		for i, d := range s.Devices {
			out[2*i], out[2*i+1] = d.Attempts.Failures, d.Named.Failures
		}
		out[6] = s.OTP.Failures
		return out
	}
	_, err := verify(t, w, "", wrong)
	requireCode(t, totperrors.CodeInvalidCredentials, err)
	require.Equal(t, [7]int{1, 0, 1, 0, 1, 0, 1}, counters())
	_, err = verify(t, w, otherID(1), wrong)
	requireCode(t, totperrors.CodeInvalidCredentials, err)
	require.Equal(t, [7]int{1, 0, 2, 1, 1, 0, 1}, counters(), "and the named device has a counter of its own")

	_, err = verify(t, w, "", w.Phone(devices[0]).Code())
	require.NoError(t, err)
	require.Equal(t, [7]int{0, 0, 2, 1, 1, 0, 0}, counters(), "a success resets the pace, and what it proved")
	_, err = verify(t, w, otherID(1), w.Phone(devices[1]).Code())
	require.NoError(t, err)
	require.Equal(t, [7]int{0, 0, 0, 0, 1, 0, 0}, counters())
	_, err = verify(t, w, otherID(9), wrong)
	requireCode(t, totperrors.CodeInvalidCredentials, err)
	require.Equal(t, [7]int{0, 0, 0, 0, 1, 0, 1}, counters(), "a device that is not there is compared with nothing")
}

func TestVerifyOfAForeignOrUnknownDevice(t *testing.T) {
	w := devicetotptest.New(t)
	a, devices := enrol(t, w, "acct", 2)
	code := w.Phone(devices[0]).Code()
	_, err := verify(t, w, otherID(1), code)
	requireCode(t, totperrors.CodeInvalidCredentials, err)
	_, err = verify(t, w, deviceID, code)
	requireCode(t, totperrors.CodeInvalidCredentials, err)
	_, err = verify(t, w, "nonsense", code)
	requireCode(t, totperrors.CodeInvalidID, err)
	_, err = w.Issuer.Verify(t.Context(), devicetotp.VerifyRequest{AccountID: "nobody", Code: code})
	requireCode(t, totperrors.CodeInvalidCredentials, err)
	_, err = verify(t, w, "", credential.Secret{})
	requireCode(t, totperrors.CodeCredentialsRequired, err)
	require.Equal(t, 1, a.Stored().State.OTP.Failures, "of the device that is not there")
	require.Equal(t, 1, a.Stored().State.Devices[1].Named.Failures)
	a.Locked(true)
	_, err = verify(t, w, "", code)
	requireCode(t, totperrors.CodeAccountLocked, err)
}

// Alternating guesses at another device with successes of the own one does not
// reset what guards the other device.
func TestAnOwnDeviceDoesNotUnblockAnother(t *testing.T) {
	w := devicetotptest.New(t)
	a, devices := enrol(t, w, "acct", 2)
	own, target := w.Phone(devices[0]), w.Phone(devices[1])
	guesses := 0
	for range 60 {
		_, err := verify(t, w, otherID(1), target.Drifted(50))
		if devicetotp.CodeOf(err) == totperrors.CodeInvalidCredentials {
			guesses++
		}
		w.Clock.Advance(2 * time.Hour)
		_, err = verify(t, w, otherID(0), own.Code())
		require.NoError(t, err)
	}
	require.Equal(t, 20, guesses)
	require.Equal(t, 20, a.Stored().State.Devices[1].Attempts.Failures)
	require.Equal(t, 20, a.Stored().State.Devices[1].Named.Failures)
	_, err := verify(t, w, otherID(1), target.Code())
	require.Zero(t, requireCode(t, totperrors.CodeTooManyAttempts, err).RetryAfter)
	require.NoError(t, w.Issuer.Unblock(t.Context(), devicetotp.UnblockRequest{AccountID: "acct", Factors: []credential.Factor{credential.FactorOTP}}))
	_, err = verify(t, w, otherID(1), target.Code())
	require.NoError(t, err)
}

func TestVerifyIsRefusedWhileAllDevicesAreBlocked(t *testing.T) {
	w := devicetotptest.New(t)
	a, devices := enrol(t, w, "acct", 2)
	stored := a.Stored()
	stored.State.Devices[0].Attempts = credential.Attempts{Failures: 6, LastAt: w.Clock.Now()}
	stored.State.Devices[1].Attempts = credential.Attempts{Failures: 5, LastAt: w.Clock.Now().Add(20 * time.Second)}
	require.NoError(t, w.Store.Accounts.Replace(t.Context(), stored))
	_, err := verify(t, w, "", w.Phone(devices[0]).Code())
	require.Equal(t, 30*time.Second, requireCode(t, totperrors.CodeTooManyAttempts, err).RetryAfter, "the shortest")
	require.Equal(t, stored.State, a.Stored().State, "a refusal writes nothing, a failure from the future included")
}

// RetryAfter is the shortest of the waits that end, whichever device has it.
func TestVerify_RetryAfterIsTheShortestWait(t *testing.T) {
	const ends, later, never = 10 * time.Second, 30 * time.Second, time.Duration(0)
	for _, c := range []struct{ first, second, want time.Duration }{
		{ends, later, ends},
		{later, ends, ends},
		{later, never, later},
		{never, later, later},
		{never, never, never},
	} {
		w := devicetotptest.New(t)
		_, devices := enrol(t, w, "acct", 2)
		changeState(t, w, func(s *credential.State) {
			for i, wait := range []time.Duration{c.first, c.second} {
				s.Devices[i].Attempts = credential.Attempts{Failures: 5, LastAt: w.Clock.Now().Add(wait - 30*time.Second)}
				if wait == never {
					s.Devices[i].Attempts.Failures = unnamedLimit
				}
			}
		})
		_, err := verify(t, w, "", w.Phone(devices[0]).Code())
		require.Equal(t, c.want, requireCode(t, totperrors.CodeTooManyAttempts, err).RetryAfter, "%v and %v", c.first, c.second)
	}
}

// A code of an own device is a user OTP; the code and what is older is spent.
func TestADeviceCodeIsAnOTP(t *testing.T) {
	w := devicetotptest.New(t)
	a, devices := enrol(t, w, "acct", 1)
	code := w.Phone(devices[0]).Code()
	d, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", OTP: code})
	require.NoError(t, err)
	require.Equal(t, credential.BasisOTP, d.Basis)
	require.Equal(t, w.Clock.Now().Unix()/30, a.Stored().State.Devices[0].LastStep)
	_, err = verify(t, w, otherID(0), code)
	requireCode(t, totperrors.CodeInvalidCredentials, err)
	_, err = w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", OTP: code})
	requireCode(t, totperrors.CodeInvalidCredentials, err)
}

func TestDeviceCodesCanBeSwitchedOff(t *testing.T) {
	w := devicetotptest.New(t, devicetotptest.WithPolicy(func(p *devicetotp.Policy) { p.OTPKinds = []string{"account"} }))
	_, devices := enrol(t, w, "acct", 1)
	_, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", OTP: w.Phone(devices[0]).Code()})
	requireCode(t, totperrors.CodeInvalidCredentials, err)
}

func TestASecretIsSealedAgainByANewerKeyOnUse(t *testing.T) {
	old, fresh := credential.NewKey("old"), credential.NewKey("new")
	w := devicetotptest.New(t)
	issuer := func(primary string, keys ...credential.Key) *devicetotp.Issuer {
		ring, err := credential.NewKeyring(primary, keys...)
		require.NoError(t, err)
		i, err := devicetotp.NewIssuer(w.Store, ring, devicetotp.Config{Clock: w.Clock})
		require.NoError(t, err)
		return i
	}
	sealedBy := func() string {
		stored, err := w.Store.Load(t.Context(), "acct")
		require.NoError(t, err)
		sealed := stored.State.Devices[0].Sealed
		return string(sealed[2 : 2+sealed[1]])
	}
	w.Account("acct").RegisteredAgo(0)
	d, err := issuer("old", old).Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct"})
	require.NoError(t, err)
	use := func(i *devicetotp.Issuer) error {
		w.Clock.Advance(time.Minute)
		_, err := i.Verify(t.Context(), devicetotp.VerifyRequest{AccountID: "acct", Code: w.Phone(d).Code()})
		return err
	}
	require.NoError(t, use(issuer("old", old, fresh)), "first step of the roll-out")
	require.Equal(t, "old", sealedBy())
	require.NoError(t, use(issuer("new", old, fresh)), "second step")
	require.Equal(t, "new", sealedBy())
	require.NoError(t, use(issuer("old", old, fresh)), "a process still in the first step")
	require.Equal(t, "new", sealedBy(), "only ever to a newer key")

	w.Clock.Advance(time.Minute)
	_, err = issuer("old", old).Verify(t.Context(), devicetotp.VerifyRequest{AccountID: "acct", Code: w.Phone(d).Code()})
	require.ErrorContains(t, requireCode(t, totperrors.CodeInternal, err), `"new"`, "a missing key is named by its id")
	require.ErrorIs(t, err, credential.ErrMissingKey)
	stored, err := w.Store.Load(t.Context(), "acct")
	require.NoError(t, err)
	require.Zero(t, stored.State.OTP.Failures, "and nothing is counted")
}

// The same for a device whose code serves as the OTP of another.
func TestADeviceThatServesAsOTPIsSealedAgainToo(t *testing.T) {
	w := devicetotptest.New(t)
	_, devices := enrol(t, w, "acct", 2)
	stored, err := w.Store.Load(t.Context(), "acct")
	require.NoError(t, err)
	ring, err := credential.NewKeyring("new", credential.Key{ID: "test", Secret: secret(strings.Repeat("k", credential.KeySize))}, credential.NewKey("new"))
	require.NoError(t, err)
	i, err := devicetotp.NewIssuer(w.Store, ring, devicetotp.Config{Clock: w.Clock})
	require.NoError(t, err)
	for n, d := range devices {
		_, err = i.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", OTP: w.Phone(d).Code()})
		require.NoError(t, err)
		after, err := w.Store.Load(t.Context(), "acct")
		require.NoError(t, err)
		require.NotEqual(t, stored.State.Devices[n].Sealed, after.State.Devices[n].Sealed)
		device := &after.State.Devices[n]
		_, outdated, err := ring.Open(credential.DeviceScope("acct", device), device.Sealed)
		require.NoError(t, err)
		require.False(t, outdated)
	}
}
