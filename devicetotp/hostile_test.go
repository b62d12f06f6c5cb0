package devicetotp_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/clock"
	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/devicetotptest"
	totperrors "example.com/devicetotp/errors"
	"example.com/devicetotp/verifier"
)

var errHost = errors.New("the host failed")

// Host code that misbehaves costs an internal error (or an unavailable one
// where time ran out), and nothing else: nothing granted, counted or spent, no
// lane held, no goroutine left.
func TestHostCodeThatMisbehaves(t *testing.T) {
	soon := devicetotptest.Start.Add(time.Hour)
	valid := verifier.Verdict{Status: verifier.StatusValid, ProofID: "p", Until: soon}
	for name, c := range map[string]struct {
		configure func(*devicetotp.Config)
		fault     devicetotptest.Fault
		request   devicetotp.CreateRequest
		code      devicetotp.Code
	}{
		"verifier panics":        {configure: func(c *devicetotp.Config) { c.PIN = panics() }, request: devicetotp.CreateRequest{PIN: secret("1")}},
		"verifier fails":         {configure: func(c *devicetotp.Config) { c.PIN = says(verifier.Verdict{Status: verifier.StatusValid}, errHost) }, request: devicetotp.CreateRequest{PIN: secret("1")}},
		"verifier says nothing":  {configure: func(c *devicetotp.Config) { c.PIN = says(verifier.Verdict{}, nil) }, request: devicetotp.CreateRequest{PIN: secret("1")}},
		"verifier says nonsense": {configure: func(c *devicetotp.Config) { c.PIN = says(verifier.Verdict{Status: 9}, nil) }, request: devicetotp.CreateRequest{PIN: secret("1")}},
		"verifier blocks":        {configure: func(c *devicetotp.Config) { c.PIN = blocks() }, request: devicetotp.CreateRequest{PIN: secret("1")}, code: totperrors.CodeUnavailable},
		"verifier is busy":       {configure: func(c *devicetotp.Config) { c.PIN = says(verifier.Verdict{}, verifier.ErrBusy) }, request: devicetotp.CreateRequest{PIN: secret("1")}, code: totperrors.CodeUnavailable},
		"OTP without a proof":    {configure: func(c *devicetotp.Config) { v := valid; v.ProofID = ""; c.OTP = says(v, nil) }, request: devicetotp.CreateRequest{OTP: secret("1")}},
		"OTP with a huge proof":  {configure: func(c *devicetotp.Config) { v := valid; v.ProofID = string(make([]byte, 256)); c.OTP = says(v, nil) }, request: devicetotp.CreateRequest{OTP: secret("1")}},
		"OTP without an until":   {configure: func(c *devicetotp.Config) { v := valid; v.Until = time.Time{}; c.OTP = says(v, nil) }, request: devicetotp.CreateRequest{OTP: secret("1")}},
		"OTP of the past":        {configure: func(c *devicetotp.Config) { v := valid; v.Until = devicetotptest.Start; c.OTP = says(v, nil) }, request: devicetotp.CreateRequest{OTP: secret("1")}},
		"source panics": {configure: func(c *devicetotp.Config) {
			c.Secrets = sourceFunc(func(context.Context, int) (credential.Secret, error) { panic("boom") })
		}},
		"source fails": {configure: func(c *devicetotp.Config) {
			c.Secrets = sourceFunc(func(context.Context, int) (credential.Secret, error) { return secret("12345678901234567890"), errHost })
		}},
		"source is short": {configure: func(c *devicetotp.Config) {
			c.Secrets = sourceFunc(func(context.Context, int) (credential.Secret, error) { return secret("short"), nil })
		}},
		"source is long": {configure: func(c *devicetotp.Config) {
			c.Secrets = sourceFunc(func(_ context.Context, n int) (credential.Secret, error) {
				return secret(string(make([]byte, n+1))), nil
			})
		}},
		"source gives nothing": {configure: func(c *devicetotp.Config) {
			c.Secrets = sourceFunc(func(context.Context, int) (credential.Secret, error) { return credential.Secret{}, nil })
		}},
		"source blocks": {configure: func(c *devicetotp.Config) {
			c.Secrets = sourceFunc(func(ctx context.Context, _ int) (credential.Secret, error) {
				<-ctx.Done()
				return credential.Secret{}, ctx.Err()
			})
		}, code: totperrors.CodeUnavailable},
		"source fails for a PIN": {configure: func(c *devicetotp.Config) {
			c.Secrets = sourceFunc(func(context.Context, int) (credential.Secret, error) { return credential.Secret{}, errHost })
		}, request: devicetotp.CreateRequest{PIN: secret("8299")}},
		"clock panics":            {configure: func(c *devicetotp.Config) { c.Clock = clock.Func(func() time.Time { panic("boom") }) }},
		"clock tells zero":        {configure: func(c *devicetotp.Config) { c.Clock = clock.Func(func() time.Time { return time.Time{} }) }},
		"clock tells the epoch":   {configure: func(c *devicetotp.Config) { c.Clock = clock.Func(func() time.Time { return time.Unix(0, 0) }) }},
		"load panics":             {fault: devicetotptest.Fault{Panic: "boom"}},
		"load fails":              {fault: devicetotptest.Fault{Err: errHost}, code: totperrors.CodeUnavailable},
		"load: unknown format":    {fault: devicetotptest.Fault{Err: credential.ErrStateFormat}},
		"load blocks":             {fault: devicetotptest.Fault{Hang: true}, code: totperrors.CodeUnavailable},
		"load panics with an err": {fault: devicetotptest.Fault{Panic: errHost}},
	} {
		t.Run(name, func(t *testing.T) {
			if c.code == "" {
				c.code = totperrors.CodeInternal
			}
			configure := []func(*devicetotp.Config){func(cfg *devicetotp.Config) {
				if c.code == totperrors.CodeUnavailable {
					cfg.Limits.StoreTimeout, cfg.Limits.VerifierTimeout = 200*time.Millisecond, 200*time.Millisecond
				}
			}}
			if c.configure != nil {
				configure = append(configure, c.configure)
			}
			w := devicetotptest.New(t, configure...)
			a := misbehavingAccount(t, w)
			before := a.Stored()
			w.Store.Script(c.fault)
			goroutines := runtime.NumGoroutine()
			c.request.AccountID = "acct"
			_, err := w.Issuer.Create(t.Context(), c.request)
			requireCode(t, c.code, err)
			requireNoMoreGoroutines(t, goroutines)
			require.Equal(t, before.Version, a.Stored().Version, "nothing is counted, spent or granted")
			event := w.Events()[len(w.Events())-1]
			require.Equal(t, c.code, event.Code)
			require.Error(t, event.Err, "the operator is told the cause")

			w.Store.Script()
			_, err = w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: "no lane is held"})
			requireCode(t, totperrors.CodeInvalidID, err)
		})
	}
}

// The operator is told where a panic was and of which type, but not the value,
// unless the runtime made it.
func TestAPanicIsTold(t *testing.T) {
	for want, crash := range map[string]func(){
		"verifier of the pin panicked with a string in example.com/devicetotp/devicetotp_test.TestAPanicIsTold": func() { panic("boom") },
		"verifier of the pin panicked: interface conversion: interface {} is string, not int in example.com/devicetotp/devicetotp_test.TestAPanicIsTold": func() {
			var v any = "boom"
			_ = v.(int)
		},
	} {
		w := devicetotptest.New(t, func(c *devicetotp.Config) { c.PIN = hooked(verifier.Off(), crash) })
		w.Account("acct")
		_, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", PIN: secret("1")})
		require.ErrorContains(t, requireCode(t, totperrors.CodeInternal, err), want)
		require.Regexp(t, `, line \d+$`, err.Error())
		require.NotContains(t, err.Error(), "boom")
	}
}

// misbehavingAccount is made behind the Issuer's back, which may be broken.
func misbehavingAccount(t *testing.T, w *devicetotptest.World) *devicetotptest.Account {
	t.Helper()
	a := w.Account("acct").PIN("8299")
	require.NoError(t, w.Store.Accounts.Update("acct", func(stored *credential.Account) { stored.RegisteredAt = devicetotptest.Start }))
	return a
}

func requireNoMoreGoroutines(t *testing.T, before int) {
	t.Helper()
	for patience := time.Now().Add(10 * time.Second); time.Now().Before(patience); runtime.Gosched() {
		if runtime.NumGoroutine() <= before {
			return
		}
	}
	require.LessOrEqual(t, runtime.NumGoroutine(), before)
}

type wrongAccount struct{ credential.Store }

func (s wrongAccount) Load(ctx context.Context, id string) (credential.Account, error) {
	a, err := s.Store.Load(ctx, id)
	switch id {
	case "other id":
		a.ID = "OTHER ID"
	case "negative version":
		a.Version = -1
	}
	return a, err
}

func TestAStoreThatGivesAnotherAccount(t *testing.T) {
	w := devicetotptest.New(t)
	i, err := devicetotp.NewIssuer(wrongAccount{w.Store}, w.Keys, devicetotp.Config{Clock: w.Clock})
	require.NoError(t, err)
	for _, id := range []string{"other id", "negative version"} {
		a := w.Account(id).RegisteredAgo(0)
		_, err := i.Create(t.Context(), devicetotp.CreateRequest{AccountID: id})
		requireCode(t, totperrors.CodeInternal, err)
		require.Zero(t, a.Stored().Version)
	}
}

// An Observer that panics, and what is called to renew a hash in a goroutine of its
// own, change nothing and do not end the process, however often they panic.
func TestAnObserverThatPanicsChangesNothing(t *testing.T) {
	for name, spoil := range map[string]func(c *devicetotp.Config, called *int){
		"OnRehash": func(c *devicetotp.Config, called *int) {
			c.OnRehash = func(context.Context, string, credential.Factor, string, string) error {
				*called++
				panic("boom")
			}
		},
		"Rehash": func(c *devicetotp.Config, called *int) {
			c.Password = panickingRehasher{c.Password, called}
			c.OnRehash = func(context.Context, string, credential.Factor, string, string) error { return nil }
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var called, observed int
				w := devicetotptest.New(t, func(c *devicetotp.Config) {
					c.Password = verifier.Password(dearHasher(t))
					spoil(c, &called)
					c.Observer = func(context.Context, devicetotp.Event) {
						observed++
						panic("boom")
					}
				})
				w.Account("acct").Password("password") // hashed at the lowest cost, so it is outdated
				for n := range 6 {                     // more than are renewed at a time
					_, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", Password: secret("password")})
					require.NoError(t, err)
					synctest.Wait()
					require.Equal(t, [2]int{n + 1, n + 1}, [2]int{called, observed})
				}
			})
		})
	}
}

// panickingRehasher says that every hash is outdated, and cannot renew any.
type panickingRehasher struct {
	verifier.Verifier
	called *int
}

func (p panickingRehasher) Rehash(context.Context, verifier.Query) (string, error) {
	*p.called++
	panic("boom")
}

// A verifier that fails after an earlier factor was found wrong: the failure is
// recorded before the error is given, so the error is no free verdict.
func TestWhatWasLookedAtCountsEvenIfTheNextVerifierFails(t *testing.T) {
	w := devicetotptest.New(t, func(c *devicetotp.Config) { c.Password = says(verifier.Verdict{}, errHost) })
	a := w.Account("acct").PIN("8299")
	_, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", OTP: secret("000000"), Password: secret("x"), PIN: secret("8299")})
	require.ErrorIs(t, err, errHost)
	requireCode(t, totperrors.CodeInternal, err)
	state := a.Stored().State
	require.Equal(t, [3]int{1, 0, 0}, [3]int{state.OTP.Failures, state.Password.Failures, state.PIN.Failures})
	require.Empty(t, state.Devices)
}

// Once a factor has been looked at, hanging up does not stop the next one.
func TestTheNextVerifierIsNotTheCallersToCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	w := devicetotptest.New(t, func(c *devicetotp.Config) {
		password, pin := c.Password, c.PIN
		c.Password = verifier.Func(func(ctx context.Context, q verifier.Query) (verifier.Verdict, error) {
			defer cancel() // the caller hangs up as soon as the password has been looked at
			return password.Verify(ctx, q)
		})
		c.PIN = verifier.Func(func(ctx context.Context, q verifier.Query) (verifier.Verdict, error) {
			if ctx.Err() != nil {
				return verifier.Verdict{}, ctx.Err()
			}
			return pin.Verify(ctx, q)
		})
	})
	a := w.Account("acct").PIN("8299").Password("password")
	_, err := w.Issuer.Create(ctx, devicetotp.CreateRequest{AccountID: "acct", Password: secret("no"), PIN: secret("0000")})
	requireCode(t, totperrors.CodeInvalidCredentials, err)
	require.Equal(t, 1, a.Stored().State.Password.Failures)
	require.Equal(t, 1, a.Stored().State.PIN.Failures)
}

func TestANilContextIsAnInternalError(t *testing.T) {
	w := devicetotptest.New(t)
	w.Account("acct").RegisteredAgo(0)
	var none context.Context
	_, err := w.Issuer.Create(none, devicetotp.CreateRequest{AccountID: "acct"})
	requireCode(t, totperrors.CodeInternal, err)
}

// The longest name that a host's verifier may give to a proof is remembered whole.
func TestTheLongestProofIsSpent(t *testing.T) {
	w := devicetotptest.New(t, func(c *devicetotp.Config) {
		c.OTP = says(verifier.Verdict{
			Status: verifier.StatusValid, ProofID: strings.Repeat("p", 255), Until: devicetotptest.Start.Add(time.Hour),
		}, nil)
	})
	w.Account("acct")
	_, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", OTP: secret("1")})
	require.NoError(t, err)
	_, err = w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", OTP: secret("1")})
	requireCode(t, totperrors.CodeInvalidCredentials, err)
}
