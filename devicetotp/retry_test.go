package devicetotp_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/devicetotptest"
	totperrors "example.com/devicetotp/errors"
	"example.com/devicetotp/verifier"
)

// right presents the right value of f, and wrongly a wrong one.
func right(r *devicetotp.CreateRequest, f credential.Factor) {
	present(r, f, map[credential.Factor]string{credential.FactorOTP: "526271", credential.FactorPassword: "password", credential.FactorPIN: "8299"}[f])
}

func present(r *devicetotp.CreateRequest, f credential.Factor, value string) {
	switch f {
	case credential.FactorOTP:
		r.OTP = secret(value)
	case credential.FactorPassword:
		r.Password = secret(value)
	case credential.FactorPIN:
		r.PIN = secret(value)
	}
}

// retryWorld has one account with all three factors, and a device created on
// basis.
func retryWorld(t *testing.T, basis credential.Basis, configure ...func(*devicetotp.Config)) (*devicetotptest.World, *devicetotptest.Account, devicetotp.CreateRequest, devicetotp.DeviceTOTP) {
	t.Helper()
	w := devicetotptest.New(t, configure...)
	a := w.Account("acct").RegisteredAgo(0).Password("password").PIN("8299").OTP("526271")
	r := devicetotp.CreateRequest{AccountID: "acct", DeviceID: deviceID}
	if f, ok := basis.Factor(); ok {
		right(&r, f)
	}
	d, err := w.Issuer.Create(t.Context(), r)
	require.NoError(t, err)
	require.Equal(t, basis, d.Basis)
	return w, a, r, d
}

// A retry window of 0 is none: not even at the same instant is a device given again.
func TestARetryWindowOfZeroIsNone(t *testing.T) {
	for _, basis := range bases {
		w, _, r, _ := retryWorld(t, basis, devicetotptest.WithPolicy(func(p *devicetotp.Policy) { p.RetryWindow = 0 }))
		_, err := w.Issuer.Create(t.Context(), r)
		requireCode(t, totperrors.CodeIDInUse, err)
	}
}

var bases = []credential.Basis{credential.BasisGrace, credential.BasisOTP, credential.BasisPassword, credential.BasisPIN}

func TestARepeatedRequestGetsTheSameDevice(t *testing.T) {
	for _, basis := range bases {
		t.Run(basis.String(), func(t *testing.T) {
			w, a, r, first := retryWorld(t, basis)
			before := a.Stored().State
			for range 3 {
				w.Clock.Advance(100 * time.Second) // up to the end of the window
				again, err := w.Issuer.Create(t.Context(), r)
				require.NoError(t, err)
				require.True(t, again.Replayed)
				again.Replayed = false
				require.Equal(t, first, again)
			}
			after := a.Stored().State
			require.Len(t, after.Devices, 1)
			require.Equal(t, before.Spent, after.Spent)
			w.Clock.Advance(1)
			_, err := w.Issuer.Create(t.Context(), r)
			require.Equal(t, totperrors.FieldDeviceID, requireCode(t, totperrors.CodeIDInUse, err).Field)
		})
	}
}

func TestAUsedDeviceIsNotGivenAgain(t *testing.T) {
	for _, basis := range bases {
		w, _, r, d := retryWorld(t, basis)
		_, err := w.Issuer.Verify(t.Context(), devicetotp.VerifyRequest{AccountID: "acct", Code: w.Phone(d).Code()})
		require.NoError(t, err)
		_, err = w.Issuer.Create(t.Context(), r)
		requireCode(t, totperrors.CodeIDInUse, err)
	}
}

// The OTP of a device is compared with its digest first. Another one that is good
// now replaces the device, and the first one is then recognized and undoes nothing.
func TestCreate_ReplacesANeverUsedDeviceOnAFreshOTP(t *testing.T) {
	w, a, r, first := retryWorld(t, credential.BasisOTP)
	a.OTP("777777") // a newer code that is right today
	r.OTP = secret("777777")
	second, err := w.Issuer.Create(t.Context(), r)
	require.NoError(t, err)
	require.True(t, second.Replaced)
	require.False(t, second.Replayed)
	require.True(t, w.Events()[len(w.Events())-1].Replaced)
	require.NotEqual(t, first.Base32(), second.Base32())
	require.Len(t, a.Stored().State.Devices, 1)

	right(&r, credential.FactorOTP)
	_, err = w.Issuer.Create(t.Context(), r)
	requireCode(t, totperrors.CodeIDInUse, err)
	require.Zero(t, a.Stored().State.OTP.Failures, "a late retry is no guess")

	r.OTP = secret("777777")
	again, err := w.Issuer.Create(t.Context(), r)
	require.NoError(t, err)
	require.True(t, again.Replayed)
	require.Equal(t, second.Base32(), again.Base32())

	r.OTP = secret("888888")
	_, err = w.Issuer.Create(t.Context(), r)
	requireCode(t, totperrors.CodeInvalidCredentials, err)
	require.Equal(t, 1, a.Stored().State.OTP.Failures, "an OTP that grants nothing is one wrong OTP")
}

func TestGraceIsNotRepeatedWithoutGrace(t *testing.T) {
	w, _, r, _ := retryWorld(t, credential.BasisGrace)
	r.NoGrace = true
	_, err := w.Issuer.Create(t.Context(), r)
	requireCode(t, totperrors.CodeIDInUse, err)
}

// A device that the keyring no longer opens is a fault, and is not made anew.
func TestARepetitionWithoutTheKeyIsAnInternalError(t *testing.T) {
	for _, basis := range bases {
		w, a, r, _ := retryWorld(t, basis)
		issuer, err := devicetotp.NewIssuer(w.Store, testKeys(t), devicetotp.Config{
			Clock: w.Clock, Password: verifier.Password(w.Hasher), PIN: verifier.PIN(w.Keys, w.Hasher),
		})
		require.NoError(t, err)
		before := a.Stored().State
		d, err := issuer.Create(t.Context(), r)
		requireCode(t, totperrors.CodeInternal, err)
		require.ErrorIs(t, err, credential.ErrMissingKey)
		require.ErrorContains(t, err, deviceID)
		require.Zero(t, d)
		after := a.Stored().State
		require.Equal(t, before.Devices, after.Devices)
		require.Equal(t, before.OTP, after.OTP, "and nothing is counted")
	}
}

// Where the digest of the first OTP does not open and nothing else is there to
// compare an OTP with, it is not wrong: nobody knows. Beside anything else it is.
func TestARepetitionThatNothingIsComparedWithIsAnInternalError(t *testing.T) {
	w, a, r, _ := retryWorld(t, credential.BasisOTP)
	changeState(t, w, func(s *credential.State) { s.Codes, s.Devices[0].ProofDigest = nil, []byte("broken") })
	before := a.Stored().State.OTP
	_, err := w.Issuer.Create(t.Context(), r)
	requireCode(t, totperrors.CodeInternal, err)
	require.ErrorContains(t, err, deviceID)
	require.Equal(t, before, a.Stored().State.OTP, "and nothing is counted")
	a.OTP("777777")
	_, err = w.Issuer.Create(t.Context(), r)
	requireCode(t, totperrors.CodeInvalidCredentials, err)
	require.Equal(t, before.Failures+1, a.Stored().State.OTP.Failures)
}

// The request of a device that was replaced since is known for as long as one whose
// device is still there, and then its OTP is like any other.
func TestARepetitionForAReplacedDeviceIsKnownUntilTheWindowEnds(t *testing.T) {
	w, a, r, _ := retryWorld(t, credential.BasisOTP)
	w.Clock.Advance(time.Minute)
	a.OTP("777777")
	next := r
	next.OTP = secret("777777")
	replaced, err := w.Issuer.Create(t.Context(), next)
	require.NoError(t, err)
	require.True(t, replaced.Replaced)
	w.Clock.Advance(devicetotp.DefaultPolicy().RetryWindow - time.Minute)
	_, err = w.Issuer.Create(t.Context(), r)
	requireCode(t, totperrors.CodeIDInUse, err)
	require.Zero(t, a.Stored().State.OTP.Failures)
	w.Clock.Advance(1)
	_, err = w.Issuer.Create(t.Context(), r)
	requireCode(t, totperrors.CodeInvalidCredentials, err)
	require.Equal(t, 1, a.Stored().State.OTP.Failures)
}

// counting counts what a verifier is asked.
func counting(n *int, v verifier.Verifier) verifier.Verifier {
	return verifier.Func(func(ctx context.Context, q verifier.Query) (verifier.Verdict, error) {
		*n++
		return v.Verify(ctx, q)
	})
}

// The retry rule is no oracle: for every basis and every other factor, a right
// value, a wrong one or none of the other factor makes no difference to the
// answer, the State or the hashing done, whether the factor that counts is
// right, wrong or absent.
func TestTheRetryRuleIsNoOracle(t *testing.T) {
	for _, basis := range bases {
		own, _ := basis.Factor()
		for _, ownValue := range []string{"right", "wrong", "absent"} {
			for _, other := range credential.Factors() {
				if other == own {
					continue
				}
				if other == credential.FactorOTP && (ownValue == "absent" || basis == credential.BasisGrace) {
					continue // a fresh OTP replaces the device
				}
				t.Run(fmt.Sprintf("%v %s beside %v", basis, ownValue, other), func(t *testing.T) {
					seen := map[string]bool{}
					for _, otherValue := range []string{"right", "wrong"} {
						seen[retryTrace(t, basis, ownValue, other, otherValue)] = true
					}
					require.Len(t, seen, 1, "%v", seen)
				})
			}
		}
	}
}

// retryTrace repeats the request with the given values and tells everything
// that could be observed of it.
func retryTrace(t *testing.T, basis credential.Basis, ownValue string, other credential.Factor, otherValue string) string {
	t.Helper()
	var looked int
	w, a, r, _ := retryWorld(t, basis, func(c *devicetotp.Config) {
		c.Password, c.PIN = counting(&looked, c.Password), counting(&looked, c.PIN)
	})
	looked = 0
	r.OTP, r.Password, r.PIN = credential.Secret{}, credential.Secret{}, credential.Secret{}
	for f, value := range map[credential.Factor]string{factorOr(basis): ownValue, other: otherValue} {
		switch value {
		case "right":
			right(&r, f)
		case "wrong":
			present(&r, f, "000000")
		}
	}
	before := a.Stored()
	w.Store.Script()
	d, err := w.Issuer.Create(t.Context(), r)
	after := a.Stored()
	event := w.Events()[len(w.Events())-1]
	return fmt.Sprint(d, d.Base32(), err, looked, len(w.Store.Calls()), after.Version != before.Version,
		after.State.OTP, after.State.Password, after.State.PIN, len(after.State.Devices), len(after.State.Spent), event.Factors)
}

func factorOr(b credential.Basis) credential.Factor {
	f, _ := b.Factor()
	return f
}

// A device is replaced only if the OTP can be remembered as spent.
func TestCreate_ReplacesNothingOnAnOTPThatCannotBeSpent(t *testing.T) {
	w, a, r, _ := retryWorld(t, credential.BasisPIN)
	fillSpent(t, w, time.Hour)
	before := a.Stored()
	r.PIN, r.OTP = credential.Secret{}, secret("526271")
	_, err := w.Issuer.Create(t.Context(), r)
	requireCode(t, totperrors.CodeDeviceLimitReached, err)
	require.Equal(t, before, a.Stored())
}

// fillSpent fills the account acct with spent proofs that must be remembered for
// d, and some for longer.
func fillSpent(t *testing.T, w *devicetotptest.World, d time.Duration) {
	t.Helper()
	change(t, w, func(s *credential.State) {
		s.Spent = nil
		for n := range credential.MaxSpent {
			s.Spent = append(s.Spent, credential.SpentProof{
				ProofID: fmt.Sprintf("host:%d", n), Until: w.Clock.Now().Add(d + time.Duration((n+1)%3)*time.Minute),
			})
		}
	})
}

// change changes the State of the account acct behind everybody's back.
func change(t *testing.T, w *devicetotptest.World, f func(*credential.State)) {
	t.Helper()
	a, err := w.Store.Accounts.Load(t.Context(), "acct")
	require.NoError(t, err)
	f(&a.State)
	require.NoError(t, w.Store.Accounts.Replace(t.Context(), a))
}
