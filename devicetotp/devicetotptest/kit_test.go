package devicetotptest_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/devicetotptest"
	"example.com/devicetotp/verifier"
)

// recorder is a testing.TB whose failures can be looked at.
type recorder struct {
	testing.TB
	failure string
}

func (*recorder) Helper() {}

func (r *recorder) Fatalf(format string, args ...any) {
	r.failure = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

// failing runs f and returns what it failed the test with.
func failing(f func(testing.TB)) string {
	r := &recorder{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		f(r)
	}()
	<-done
	return r.failure
}

var issued = devicetotp.DeviceTOTP{
	Secret: credential.NewSecret("12345678901234567890"), Algorithm: credential.AlgorithmSHA1, Digits: 6, Period: 30 * time.Second,
}

func phoneWithout(remove func(*devicetotp.DeviceTOTP)) func(testing.TB) {
	return func(tb testing.TB) {
		d := issued
		remove(&d)
		devicetotptest.New(tb).Phone(d)
	}
}

// A phone shows the codes of the verifier, which is another implementation.
func TestAPhoneShowsTheCodesOfItsDevice(t *testing.T) {
	w := devicetotptest.New(t)
	for _, algorithm := range []credential.Algorithm{credential.AlgorithmSHA1, credential.AlgorithmSHA256, credential.AlgorithmSHA512} {
		for digits := 6; digits <= 10; digits++ {
			for _, size := range []int{10, 20, 64, 128} {
				d := devicetotp.DeviceTOTP{
					Secret: credential.NewSecret(strings.Repeat("s", size)), Algorithm: algorithm, Digits: digits,
					Period: time.Duration(10+size) * time.Second,
				}
				checker := verifier.TOTP{Secret: d.Secret, Algorithm: d.Algorithm, Digits: d.Digits, Period: d.Period}
				phone, current := w.Phone(d), checker.Step(w.Clock.Now())
				for _, drift := range []int{-1, 0, 1, 1<<31 - 1} {
					want, err := checker.Code(current + int64(drift))
					require.NoError(t, err)
					require.Equal(t, want.Reveal(), phone.Drifted(drift).Reveal())
				}
				require.Equal(t, phone.Drifted(0).Reveal(), phone.Code().Reveal())
			}
		}
	}
}

func TestMistakesFailTheTestWithAClearWord(t *testing.T) {
	for want, f := range map[string]func(testing.TB){
		"Config.Policy.Digits": func(tb testing.TB) {
			devicetotptest.New(tb, devicetotptest.WithPolicy(func(p *devicetotp.Policy) { p.Digits = 1 }))
		},
		"adding a one-time code": func(tb testing.TB) { devicetotptest.New(tb).Account("a").OTP("12") },
		"the id must be 1 to":    func(tb testing.TB) { devicetotptest.New(tb).Account("") },
		"an empty value":         func(tb testing.TB) { devicetotptest.New(tb).Account("a").PIN("") },
		"account not found": func(tb testing.TB) {
			w := devicetotptest.New(tb)
			a := w.Account("a")
			_, _ = w.Store.Accounts.Delete(context.Background(), "a")
			a.Locked(true)
		},
		"not found": func(tb testing.TB) {
			w := devicetotptest.New(tb)
			a := w.Account("a")
			_, _ = w.Store.Accounts.Delete(context.Background(), "a")
			a.Stored()
		},
		"the first time step": func(tb testing.TB) {
			w := devicetotptest.New(tb)
			w.Clock.Set(time.Unix(59, 0))
			w.Phone(issued).Drifted(-1)
		},
		"no secret":    phoneWithout(func(d *devicetotp.DeviceTOTP) { d.Secret = credential.Secret{} }),
		"algorithm(0)": phoneWithout(func(d *devicetotp.DeviceTOTP) { d.Algorithm = 0 }),
		"algorithm(4)": phoneWithout(func(d *devicetotp.DeviceTOTP) { d.Algorithm = 4 }),
		"0 digits":     phoneWithout(func(d *devicetotp.DeviceTOTP) { d.Digits = 0 }),
		"5 digits":     phoneWithout(func(d *devicetotp.DeviceTOTP) { d.Digits = 5 }),
		"11 digits":    phoneWithout(func(d *devicetotp.DeviceTOTP) { d.Digits = 11 }),
		"period 0s":    phoneWithout(func(d *devicetotp.DeviceTOTP) { d.Period = 0 }),
		"period -30s":  phoneWithout(func(d *devicetotp.DeviceTOTP) { d.Period = -30 * time.Second }),
		"period 30.5s": phoneWithout(func(d *devicetotp.DeviceTOTP) { d.Period = 30500 * time.Millisecond }),
	} {
		require.Contains(t, failing(f), want)
	}
}

func TestPoliciesAdd(t *testing.T) {
	w := devicetotptest.New(t,
		devicetotptest.WithPolicy(func(p *devicetotp.Policy) { p.Digits = 8 }),
		devicetotptest.WithPolicy(func(p *devicetotp.Policy) { p.Period = time.Minute }),
	)
	w.Account("a").RegisteredAgo(0)
	d, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "a"})
	require.NoError(t, err)
	require.Equal(t, 8, d.Digits)
	require.Equal(t, time.Minute, d.Period)
}

func TestSecretsDifferAndHaveTheSizeAskedFor(t *testing.T) {
	var s devicetotptest.Secrets
	for _, size := range []int{16, 17, 20, 64} {
		var made []string
		for range 11 {
			got, err := s.NewSecret(t.Context(), size)
			require.NoError(t, err)
			require.Len(t, got.Reveal(), size)
			require.NotContains(t, made, got.Reveal(), "two devices would generate the same codes")
			made = append(made, got.Reveal())
		}
	}
}

func TestStoreFaults(t *testing.T) {
	boom := errors.New("boom")
	s := devicetotptest.NewStore()
	require.NoError(t, s.Accounts.Put(t.Context(), credential.Account{ID: "a"}))
	a, err := s.Load(t.Context(), "a")
	require.NoError(t, err)
	a.Next = 7

	ran := false
	s.Script(devicetotptest.Fault{Err: boom}, devicetotptest.Fault{Err: boom, Applied: true, Before: func() { ran = true }})
	require.ErrorIs(t, s.Save(t.Context(), a), boom)
	require.ErrorIs(t, s.Save(t.Context(), a), boom)
	require.True(t, ran)
	loaded, err := s.Load(t.Context(), "a")
	require.NoError(t, err)
	require.EqualValues(t, 7, loaded.Version, "the first save did not take effect, the second one did")

	s.Script(devicetotptest.Fault{Applied: true, Err: boom}, devicetotptest.Fault{Panic: "p"}, devicetotptest.Fault{Hang: true})
	require.ErrorIs(t, s.Save(t.Context(), a), credential.ErrConflict, "a stale save does not apply")
	require.PanicsWithValue(t, "p", func() { _, _ = s.Load(t.Context(), "a") })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = s.Load(ctx, "a")
	require.ErrorIs(t, err, context.Canceled)
	require.Len(t, s.Calls(), 3)
	require.True(t, strings.HasPrefix(string(s.Calls()[0].Method), "save"))
}
