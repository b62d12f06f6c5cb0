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

// An OTP that differs from the one that a device was created on, and grants
// nothing, is one wrong OTP, whatever else is in its way. What used to be in its
// way left the guesses at that OTP uncounted, and a right one is given the secret.
func TestCreate_EveryGuessAtTheOTPOfADeviceCounts(t *testing.T) {
	for name, c := range map[string]struct {
		configure func(*devicetotp.Config)
		change    func(*credential.State)
		code      devicetotp.Code
	}{
		"all that it may be compared with is blocked": {
			change: func(s *credential.State) {
				s.SetKindAttempts(verifier.KindAccount, credential.Attempts{Failures: 20, LastAt: devicetotptest.Start})
			},
			code: totperrors.CodeInvalidCredentials,
		},
		"the host's verifier is stopped": {
			configure: func(c *devicetotp.Config) { c.OTP = verifier.Off() },
			change: func(s *credential.State) {
				s.SetKindAttempts("", credential.Attempts{Failures: 20, LastAt: devicetotptest.Start})
			},
			code: totperrors.CodeInvalidCredentials,
		},
		"nothing else opens": {
			change: func(s *credential.State) {
				for i := range s.Codes {
					s.Codes[i].Digest = []byte("nonsense")
				}
			},
			code: totperrors.CodeInvalidCredentials,
		},
		"the verifier fails": {
			configure: func(c *devicetotp.Config) { c.OTP = says(verifier.Verdict{}, errHost) },
			code:      totperrors.CodeInternal,
		},
		"the secret source fails": {
			configure: func(c *devicetotp.Config) {
				c.Secrets = sourceFunc(func(context.Context, int) (credential.Secret, error) { return credential.Secret{}, errHost })
			},
			code: totperrors.CodeInternal,
		},
		"no proof may be forgotten": {
			change: func(s *credential.State) {
				s.Spent = nil
				for n := range credential.MaxSpent {
					s.Spent = append(s.Spent, credential.SpentProof{ProofID: fmt.Sprint(n), Until: devicetotptest.Start.Add(time.Hour)})
				}
			},
			code: totperrors.CodeDeviceLimitReached,
		},
	} {
		t.Run(name, func(t *testing.T) {
			w, a, r, _ := retryWorld(t, credential.BasisOTP)
			a.OTP("77777777") // pending
			if c.change != nil {
				changeState(t, w, c.change)
			}
			var configure []func(*devicetotp.Config)
			if c.configure != nil {
				configure = append(configure, c.configure)
			}
			i := issuerOn(t, w, w.Store, configure...)
			right := r.OTP
			r.OTP = secret(wrongCode)
			for n := range 5 {
				_, err := i.Create(t.Context(), r)
				requireCode(t, c.code, err)
				require.Equal(t, n+1, a.Stored().State.OTP.Failures)
			}
			r.OTP = right
			_, err := i.Create(t.Context(), r)
			requireCode(t, totperrors.CodeTooManyAttempts, err)
		})
	}
}

// A verifier of the host's own that does not say what it compared has compared all
// the same: beside a digest that does not open, its verdict counts.
func TestCreate_AHostsVerdictCountsBesideABrokenDigest(t *testing.T) {
	w, a, r, _ := retryWorld(t, credential.BasisOTP)
	changeState(t, w, func(s *credential.State) { s.Devices[0].ProofDigest = []byte("nonsense") })
	i := issuerOn(t, w, w.Store, func(c *devicetotp.Config) { c.OTP = says(verifier.Verdict{Status: verifier.StatusWrong}, nil) })
	_, err := i.Create(t.Context(), r)
	requireCode(t, totperrors.CodeInvalidCredentials, err)
	require.Equal(t, 1, a.Stored().State.OTP.Failures)
}

// To recognize an OTP is a verdict on it: it leaves after a Save, like any other,
// and the Event has it. It is no guess.
func TestCreate_ARecognizedOTPIsSavedAndNotCounted(t *testing.T) {
	for name, late := range map[string]time.Duration{"replaced since": 0, "too late": 6 * time.Minute} {
		t.Run(name, func(t *testing.T) {
			w, a, r, _ := retryWorld(t, credential.BasisOTP)
			if late == 0 {
				a.OTP("77777777")
				_, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: r.DeviceID, OTP: secret("77777777")})
				require.NoError(t, err)
			}
			w.Clock.Advance(late)
			before := a.Stored()
			_, err := w.Issuer.Create(t.Context(), r)
			requireCode(t, totperrors.CodeIDInUse, err)
			require.NotEqual(t, before.Version, a.Stored().Version)
			require.Equal(t, withoutWrites(t, before.State), withoutWrites(t, a.Stored().State))
			event := w.Events()[len(w.Events())-1]
			require.Equal(t, []devicetotp.FactorResult{{Factor: credential.FactorOTP, Result: devicetotp.ResultSpent}}, event.Factors)
		})
	}
}

// A code that rests on grace is spent where no more may; that can take the last
// place that time made free. Then no other value is looked at.
func TestCreate_NothingIsLookedAtOnceThereIsNoRoom(t *testing.T) {
	asked := 0
	w, a, devices := onGrace(t, 1, func(c *devicetotp.Config) { c.Password = counting(&asked, c.Password) }, devicetotptest.WithPolicy(func(p *devicetotp.Policy) {
		p.MaxDevices, p.GraceDevices = 1, 1
	}))
	w.Clock.Advance(25 * time.Hour)
	_, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{
		AccountID: "acct", DeviceID: deviceID, OTP: w.Phone(devices[0]).Code(), Password: secret("password"),
	})
	requireCode(t, totperrors.CodeDeviceLimitReached, err)
	require.Zero(t, asked)
	require.Positive(t, a.Stored().State.Devices[0].LastStep, "the code is spent")
}
