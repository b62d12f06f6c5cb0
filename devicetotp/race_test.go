package devicetotp_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/devicetotptest"
	totperrors "example.com/devicetotp/errors"
	"example.com/devicetotp/verifier"
)

// One OTP, many requests at once, each with an id of its own: one device.
func TestOneOTPMakesOneDevice(t *testing.T) {
	const rounds, clients = 100, 64
	for _, processes := range []int{1, 8} {
		w := devicetotptest.New(t)
		all := issuers(t, w, processes)
		for round := range rounds {
			a := w.Account("acct").OTP("526271")
			codes := together(clients, func(i int) error {
				_, err := all[i%processes].Create(context.Background(), devicetotp.CreateRequest{
					AccountID: "acct", DeviceID: otherID(i), OTP: secret("526271"),
				})
				return err
			})
			require.Equal(t, 1, codes[""], "round %d: %v", round, codes)
			refused := codes[totperrors.CodeInvalidCredentials] + codes[totperrors.CodeTooManyAttempts]
			require.Equal(t, clients-1, refused+codes[totperrors.CodeUnavailable], "round %d: %v", round, codes)
			if processes == 1 {
				require.Equal(t, clients-1, refused, "round %d: %v", round, codes)
			}
			state := a.Stored().State
			require.Len(t, state.Devices, 1)
			require.Len(t, state.Spent, 1)
		}
	}
}

// The same code verified by many at once is accepted once.
func TestOneDeviceCodeIsAcceptedOnce(t *testing.T) {
	w := devicetotptest.New(t)
	all := issuers(t, w, 4)
	_, devices := enrol(t, w, "acct", 1)
	for range 50 {
		w.Clock.Advance(time.Minute)
		code := w.Phone(devices[0]).Code()
		codes := together(32, func(i int) error {
			_, err := all[i%len(all)].Verify(context.Background(), devicetotp.VerifyRequest{AccountID: "acct", Code: code})
			return err
		})
		require.Equal(t, 1, codes[""], "%v", codes)
		require.NoError(t, w.Issuer.Unblock(t.Context(), devicetotp.UnblockRequest{AccountID: "acct"}))
	}
}

// A device code presented to Create and to Verify at once counts once.
func TestCreateAndVerifyShareTheStep(t *testing.T) {
	w := devicetotptest.New(t)
	all := issuers(t, w, 2)
	_, devices := enrol(t, w, "acct", 1)
	for i := range 15 {
		w.Clock.Advance(time.Minute)
		code := w.Phone(devices[0]).Code()
		codes := together(2, func(n int) (err error) {
			if n == 0 {
				_, err = all[0].Verify(context.Background(), devicetotp.VerifyRequest{AccountID: "acct", Code: code})
			} else {
				_, err = all[1].Create(context.Background(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: otherID(100 + i), OTP: code})
			}
			return err
		})
		require.Equal(t, 1, codes[""], "%v", codes)
	}
}

// A thousand wrong PINs at once, the clock standing: exactly five verdicts,
// however many processes they come to, and no more hashes than rounds need.
func TestAThousandWrongPINsGetFiveVerdicts(t *testing.T) {
	for _, processes := range []int{1, 4} {
		var hashes atomic.Int64
		w := devicetotptest.New(t)
		a := w.Account("acct").PIN("8299")
		var all []*devicetotp.Issuer
		for range processes {
			pin := verifier.Func(func(ctx context.Context, q verifier.Query) (verifier.Verdict, error) {
				hashes.Add(1)
				return verifier.PIN(w.Keys, w.Hasher).Verify(ctx, q)
			})
			i, err := devicetotp.NewIssuer(w.Store, w.Keys, devicetotp.Config{Clock: w.Clock, PIN: pin})
			require.NoError(t, err)
			all = append(all, i)
		}
		try := func(i int, pin string) error {
			_, err := all[i%processes].Create(context.Background(), devicetotp.CreateRequest{AccountID: "acct", PIN: secret(pin)})
			return err
		}
		codes := together(1000, func(i int) error { return try(i, "0000") })
		require.Equal(t, 5, codes[totperrors.CodeInvalidCredentials], "%v", codes)
		require.Equal(t, 995, codes[totperrors.CodeTooManyAttempts]+codes[totperrors.CodeUnavailable], "%v", codes)
		require.Equal(t, 5, a.Stored().State.PIN.Failures)
		require.LessOrEqual(t, hashes.Load(), int64(5*processes), "hashes computed")
		requireCode(t, totperrors.CodeTooManyAttempts, try(0, "8299"))
		require.NoError(t, w.Issuer.Unblock(t.Context(), devicetotp.UnblockRequest{AccountID: "acct"}))
		require.NoError(t, try(0, "8299"))
	}
}

// The same request sent many times at once gives one device to everybody.
func TestTheSameRequestAtOnceGivesOneDevice(t *testing.T) {
	for _, r := range []devicetotp.CreateRequest{{}, {OTP: secret("526271")}, {PIN: secret("8299")}} {
		w := devicetotptest.New(t)
		all := issuers(t, w, 4)
		a := w.Account("acct").RegisteredAgo(0).PIN("8299").OTP("526271")
		r.AccountID, r.DeviceID = "acct", deviceID
		var secrets sync.Map
		codes := together(32, func(i int) error {
			d, err := all[i%4].Create(context.Background(), r)
			if err == nil {
				secrets.Store(d.Base32(), true)
			}
			return err
		})
		require.Equal(t, 32, codes[""], "%v", codes)
		n := 0
		secrets.Range(func(any, any) bool { n++; return true })
		require.Equal(t, 1, n)
		require.Len(t, a.Stored().State.Devices, 1)
	}
}

// A caller who hangs up once a value has been looked at is counted all the
// same; before that, nothing is.
func TestHangingUpIsNoWayNotToBeCounted(t *testing.T) {
	w := devicetotptest.New(t)
	a := w.Account("acct").PIN("8299")
	ctx, cancel := context.WithCancel(t.Context())
	w.Store.Script(devicetotptest.Fault{}, devicetotptest.Fault{Before: cancel})
	_, err := w.Issuer.Create(ctx, devicetotp.CreateRequest{AccountID: "acct", PIN: secret("0000")})
	requireCode(t, totperrors.CodeInvalidCredentials, err)
	require.Equal(t, 1, a.Stored().State.PIN.Failures)

	w.Store.Script()
	_, err = w.Issuer.Create(ctx, devicetotp.CreateRequest{AccountID: "acct", PIN: secret("0000")})
	require.ErrorIs(t, err, context.Canceled)
	requireCode(t, totperrors.CodeUnavailable, err)
	require.Equal(t, 1, a.Stored().State.PIN.Failures)
	require.Empty(t, w.Store.Calls())
}
