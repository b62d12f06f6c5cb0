package devicetotp_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/clock/clocktest"
	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/devicetotptest"
	totperrors "example.com/devicetotp/errors"
	"example.com/devicetotp/verifier"
)

// Two processes whose clock readings cross: the readings of one are 20 s ahead.

// door is one way to present a wrong value and a right one, which a counter of
// its own guards.
type door struct {
	name         string
	wrong, right func(t *testing.T, i *devicetotp.Issuer, h *household) error
}

func doorTo(name string, present func(t *testing.T, i *devicetotp.Issuer, h *household, right bool) error) door {
	return door{
		name:  name,
		wrong: func(t *testing.T, i *devicetotp.Issuer, h *household) error { return present(t, i, h, false) },
		right: func(t *testing.T, i *devicetotp.Issuer, h *household) error { return present(t, i, h, true) },
	}
}

func createDoor(name, id string, f credential.Factor, value, wrong string) door {
	return doorTo("create "+name, func(t *testing.T, i *devicetotp.Issuer, _ *household, right bool) error {
		r := devicetotp.CreateRequest{AccountID: "acct", DeviceID: id}
		if present(&r, f, wrong); right {
			present(&r, f, value)
		}
		_, err := i.Create(t.Context(), r)
		return err
	})
}

func verifyDoor(name, device string) door {
	return doorTo("verify "+name, func(t *testing.T, i *devicetotp.Issuer, h *household, right bool) error {
		code := wrong6(h.Phone(h.device))
		if right {
			code = h.code()
		}
		_, err := i.Verify(t.Context(), devicetotp.VerifyRequest{AccountID: "acct", DeviceID: device, Code: code})
		return err
	})
}

var doors = []door{
	createDoor("on an OTP", deviceID, credential.FactorOTP, rightCode, wrongCode),
	createDoor("on a password", deviceID, credential.FactorPassword, "password", "no"),
	createDoor("on a PIN", deviceID, credential.FactorPIN, "8299", "0000"),
	createDoor("again on a PIN", otherID(0), credential.FactorPIN, "8299", "0000"),
	verifyDoor("unnamed", ""),
	verifyDoor("named", otherID(0)),
}

// crossing returns a household, an Issuer whose clock is ahead by d, and that
// clock.
func crossing(t *testing.T, d time.Duration) (h *household, ahead *devicetotp.Issuer, clock *clocktest.Fake) {
	t.Helper()
	h = newHousehold(t)
	clock = clocktest.New(h.Clock.Now().Add(d))
	return h, issuerOn(t, h.World, h.Store, at(clock)), clock
}

// The bug class: a refusal that writes. A request of the process that is behind
// was refused too-many-attempts, and saved the time of the last failure back by
// the 20 s that had passed: the wait ended early for everybody.
func TestEveryDoor_ARefusalWritesNothing(t *testing.T) {
	for _, d := range doors {
		t.Run(d.name, func(t *testing.T) {
			h, ahead, _ := crossing(t, 20*time.Second)
			for range 5 {
				requireCode(t, totperrors.CodeInvalidCredentials, d.wrong(t, ahead, h))
			}
			before := h.account.Stored()
			h.Store.Script()
			refusal := requireCode(t, totperrors.CodeTooManyAttempts, d.right(t, h.Issuer, h))
			require.Equal(t, 30*time.Second, refusal.RetryAfter, "a failure of the future is read as now")
			require.Equal(t, []devicetotptest.StoreCall{{Method: devicetotptest.MethodLoad, AccountID: "acct"}}, h.Store.Calls())
			require.Equal(t, before.Version, h.account.Stored().Version)

			h.Clock.Advance(49*time.Second + 999*time.Millisecond)
			requireCode(t, totperrors.CodeTooManyAttempts, d.right(t, h.Issuer, h))
			h.Clock.Advance(time.Millisecond)
			require.NoError(t, d.right(t, h.Issuer, h), "30 s after the last failure, by the clock that counted it")
		})
	}
}

// The same for a failure that is counted by the process behind: the later of the
// two times is kept.
func TestEveryDoor_ALaterFailureKeepsTheLaterTime(t *testing.T) {
	for _, d := range doors {
		t.Run(d.name, func(t *testing.T) {
			h, ahead, _ := crossing(t, 20*time.Second)
			for range 4 {
				requireCode(t, totperrors.CodeInvalidCredentials, d.wrong(t, ahead, h))
			}
			requireCode(t, totperrors.CodeInvalidCredentials, d.wrong(t, h.Issuer, h))
			h.Clock.Advance(40 * time.Second)
			requireCode(t, totperrors.CodeTooManyAttempts, d.right(t, h.Issuer, h))
			h.Clock.Advance(10 * time.Second)
			require.NoError(t, d.right(t, h.Issuer, h))
		})
	}
}

// A failure that is further ahead than the longest wait is no wait: a clock that
// was hours ahead for a moment locks nobody out for hours.
func TestEveryDoor_AFailureFarAheadIsNoWait(t *testing.T) {
	for _, d := range doors {
		t.Run(d.name, func(t *testing.T) {
			h, ahead, clock := crossing(t, 0)
			clock.Advance(25 * time.Hour)
			for range 5 {
				_ = d.wrong(t, ahead, h)
			}
			if d.name == "create again on a PIN" { // by then the device is no longer given again
				for range 5 {
					_ = doors[2].wrong(t, ahead, h)
				}
			}
			if d.name == "create on an OTP" { // the code of before may have been dropped
				require.NoError(t, addCodeAct("a new one", "22222222").run(t.Context(), h.Issuer, h))
				d = createDoor("on an OTP", deviceID, credential.FactorOTP, "22222222", wrongCode)
			}
			require.NoError(t, d.right(t, h.Issuer, h))
		})
	}
}

// A refusal of AddCode writes nothing either, and ends nobody's wait.
func TestAddCode_ARefusalWritesNothing(t *testing.T) {
	h, ahead, _ := crossing(t, 20*time.Second)
	for range 5 {
		requireCode(t, totperrors.CodeInvalidCredentials, doors[0].wrong(t, ahead, h))
	}
	before := h.account.Stored()
	requireCode(t, totperrors.CodeTooManyAttempts, addCodeAct("a new one", "22222222").run(t.Context(), h.Issuer, h))
	require.Equal(t, before.Version, h.account.Stored().Version)
	h.Clock.Advance(40 * time.Second)
	requireCode(t, totperrors.CodeTooManyAttempts, doors[0].right(t, h.Issuer, h))
}

// The bug class: old time acts on new facts. A request that stood in line while a
// minute passed must not act on the time at which it came: it would bring the
// last failure back and end everybody's wait, or accept a code that is too old.
func TestEveryOperation_ActsOnTheTimeAtWhichItsTurnHasCome(t *testing.T) {
	for _, a := range acts() {
		t.Run(a.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := a.prepare(t)
				start := h.Clock.Now()
				turn := make(chan struct{})
				var mu sync.Mutex
				events := map[bool]devicetotp.Event{} // by whether it is the first
				first := true
				i := issuerOn(t, h.World, h.Store, func(c *devicetotp.Config) {
					pin := c.PIN
					c.PIN = verifier.Func(func(ctx context.Context, q verifier.Query) (verifier.Verdict, error) {
						if first {
							first = false
							<-turn
						}
						return pin.Verify(ctx, q)
					})
					c.Observer = func(_ context.Context, e devicetotp.Event) {
						mu.Lock()
						defer mu.Unlock()
						events[e.DeviceID == otherID(40)] = e
					}
				})
				go func() {
					_, _ = i.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: otherID(40), PIN: secret("0000")})
				}()
				synctest.Wait() // the first holds the lane
				go func() { _ = a.run(t.Context(), i, h) }()
				synctest.Wait() // the second stands in line
				h.Clock.Advance(20 * time.Second)
				close(turn)
				synctest.Wait()
				require.Equal(t, 2, len(events))
				require.Equal(t, start, events[true].At)
				require.Equal(t, start.Add(20*time.Second), events[false].At)
			})
		})
	}
}

// The bug class, with a hash between: the account moved on by 20 s in another
// process while this one hashed. What it then counts does not bring the last
// failure back.
func TestEveryDoor_ASlowRequestDoesNotBringTimeBack(t *testing.T) {
	for _, d := range doors {
		if slices.Contains([]string{"verify unnamed", "verify named"}, d.name) {
			continue // no verifier to wait in
		}
		t.Run(d.name, func(t *testing.T) {
			h, other, clock := crossing(t, 0)
			slow := func(v verifier.Verifier) verifier.Verifier {
				done := false
				return hooked(v, func() {
					if done {
						return
					}
					done = true
					clock.Advance(20 * time.Second)
					for range 4 {
						requireCode(t, totperrors.CodeInvalidCredentials, d.wrong(t, other, h))
					}
				})
			}
			i := issuerOn(t, h.World, h.Store, func(c *devicetotp.Config) {
				c.OTP = slow(verifier.OTP(h.Keys, verifier.KindAccount, verifier.KindDeviceTOTP))
				c.Password, c.PIN = slow(c.Password), slow(c.PIN)
			})
			requireCode(t, totperrors.CodeInvalidCredentials, d.wrong(t, i, h)) // the fifth
			h.Clock.Advance(40 * time.Second)
			requireCode(t, totperrors.CodeTooManyAttempts, d.right(t, h.Issuer, h))
			h.Clock.Advance(10 * time.Second)
			require.NoError(t, d.right(t, h.Issuer, h))
		})
	}
}
