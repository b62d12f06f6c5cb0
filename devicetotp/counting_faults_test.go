package devicetotp_test

import (
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

// The bug class: one success resets what it did not prove. An attacker with a
// device of their own alternates guesses with its codes.

// How failures are counted.
const (
	unnamedLimit = 80  // wrong values compared with a device that nothing names
	namedLimit   = 20  // wrong values of a Verify that names the device
	kindLimit    = 20  // wrong values compared with the one-time codes of a kind
	anyLimit     = 100 // wrong values in a row ever compared with any authenticator
)

// house is an account with two devices that were made on a PIN: one of the
// attacker's, and the target.
type house struct {
	*devicetotptest.World
	account     *devicetotptest.Account
	own, target *devicetotptest.Phone
	sent        int // codes of another kind
}

const (
	ownID    = "00000000-0000-4000-8000-000000000000"
	targetID = "00000000-0000-4000-8000-000000000001"
)

func newHouse(t *testing.T, configure ...func(*devicetotp.Config)) *house {
	t.Helper()
	w := devicetotptest.New(t, configure...)
	a, devices := enrol(t, w, "acct", 2)
	return &house{World: w, account: a, own: w.Phone(devices[0]), target: w.Phone(devices[1])}
}

func (h *house) verify(t *testing.T, device string, code credential.Secret) error {
	t.Helper()
	_, err := verify(t, h.World, device, code)
	return err
}

// guess is a wrong code for both devices by one of the doors.
func (h *house) guess(t *testing.T, door string) error {
	t.Helper()
	wrong := wrong6(h.own, h.target)
	switch door {
	case "create":
		return h.create(t, wrong)
	case "create beside a wrong PIN":
		_, err := h.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", OTP: wrong, PIN: secret("0000")})
		return err
	case "verify, the target named":
		return h.verify(t, targetID, wrong)
	default:
		return h.verify(t, "", wrong)
	}
}

func (h *house) create(t *testing.T, otp credential.Secret) error {
	t.Helper()
	_, err := h.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", OTP: otp})
	return err
}

// A device that no code is compared with any more is in nobody's way: not where
// another one and a one-time code are open, each of which would be enough.
func TestCreate_ABlockedDeviceIsNotInTheWayOfTheOthers(t *testing.T) {
	h := newHouse(t)
	changeState(t, h.World, func(s *credential.State) {
		s.Devices[1].Attempts = credential.Attempts{Failures: unnamedLimit, LastAt: h.Clock.Now()}
	})
	h.account.OTP(rightCode)
	require.NoError(t, h.create(t, h.own.Code()))
}

var guessDoors = []string{"verify", "create", "create beside a wrong PIN"}

func lookedAt(err error) bool { return devicetotp.CodeOf(err) == totperrors.CodeInvalidCredentials }

// Four guesses, one own code, four guesses: the target has seen five, and rests
// for half a minute by every door that does not name it.
func TestVerify_AnOwnCodeDoesNotResetWhatGuardsAnotherDevice(t *testing.T) {
	for _, door := range guessDoors {
		for _, success := range []string{"verify", "verify, named", "create"} {
			t.Run(door+"/"+success, func(t *testing.T) {
				h := newHouse(t)
				for drift := -1; drift <= 0; drift++ {
					for range 4 {
						require.True(t, lookedAt(h.guess(t, door)))
					}
					switch success {
					case "verify":
						require.NoError(t, h.verify(t, "", h.own.Drifted(drift)))
					case "verify, named":
						require.NoError(t, h.verify(t, ownID, h.own.Drifted(drift)))
					default:
						require.NoError(t, h.create(t, h.own.Drifted(drift)))
					}
					if success == "verify, named" && drift < 0 { // a named success is the pace's own too
						require.NoError(t, h.verify(t, "", h.own.Drifted(0)))
						break
					}
				}
				for range 4 { // the fifth and more, whatever was done above
					_ = h.guess(t, door)
				}
				require.Error(t, h.verify(t, "", h.target.Code()), "unnamed")
				require.Error(t, h.create(t, h.target.Code()), "as an OTP")
				h.Clock.Advance(31 * time.Second)
				require.NoError(t, h.verify(t, ownID, h.own.Drifted(1)))
				require.NoError(t, h.verify(t, "", h.target.Code()), "nobody is locked out by it")
			})
		}
	}
}

// 800 codes compared with another device in 100 minutes, by not naming it. Eighty
// are compared in all, and then the device must be named.
func TestVerify_GuessesThatNameNoDeviceEnd(t *testing.T) {
	for _, door := range guessDoors {
		t.Run(door, func(t *testing.T) {
			h := newHouse(t)
			for range 200 { // of half a minute each
				for range 4 {
					_ = h.guess(t, door)
				}
				require.NoError(t, h.verify(t, ownID, h.own.Code()))
				h.Clock.Advance(30 * time.Second)
			}
			h.Clock.Advance(24 * time.Hour)
			require.NoError(t, h.verify(t, ownID, h.own.Code()))
			h.Clock.Advance(time.Minute)
			require.Error(t, h.verify(t, "", h.target.Code()), "unnamed")
			require.Error(t, h.create(t, h.target.Code()), "as an OTP")
			h.Clock.Advance(time.Minute)
			require.NoError(t, h.verify(t, targetID, h.target.Code()), "its owner names it")
			h.Clock.Advance(time.Minute)
			require.NoError(t, h.verify(t, "", h.target.Code()), "and has reset what that proved")
		})
	}
}

// However slowly, and by all doors together: no more than a hundred wrong values
// are ever compared with a device, 80 unnamed and 20 named.
func TestVerify_NoMoreThanAHundredGuessesAtADevice(t *testing.T) {
	for _, door := range []string{"verify", "create"} {
		t.Run(door, func(t *testing.T) {
			w := devicetotptest.New(t)
			_, devices := enrol(t, w, "acct", 1)
			h := &house{World: w, own: w.Phone(devices[0]), target: w.Phone(devices[0])}
			compared := map[string]int{}
			for range 150 {
				h.Clock.Advance(2 * time.Hour)
				if lookedAt(h.guess(t, door)) {
					compared["unnamed"]++
				}
			}
			for range 150 {
				h.Clock.Advance(2 * time.Hour)
				if lookedAt(h.verify(t, ownID, wrong6(h.own))) {
					compared["named"]++
				}
			}
			require.Equal(t, map[string]int{"unnamed": unnamedLimit, "named": namedLimit}, compared)
			require.Equal(t, anyLimit, unnamedLimit+namedLimit)
			err := h.verify(t, ownID, h.own.Code())
			require.Zero(t, requireCode(t, totperrors.CodeTooManyAttempts, err).RetryAfter, "no wait ends it")
			require.NoError(t, h.Issuer.Unblock(t.Context(), devicetotp.UnblockRequest{AccountID: "acct"}))
			require.NoError(t, h.verify(t, "", h.own.Code()))
		})
	}
}

// 80 guesses of a one-time code in ten minutes, never slowed, with an own code
// after every fourth. A kind of code has a counter of its own.
func TestCreate_AnOwnCodeDoesNotResetWhatGuardsOneTimeCodes(t *testing.T) {
	for _, success := range []string{"verify", "create", "another kind"} {
		t.Run(success, func(t *testing.T) {
			h := newHouse(t, twoKinds, devicetotptest.WithPolicy(func(p *devicetotp.Policy) { p.MaxDevices = 100 }))
			h.addCode(t, verifier.KindAccount, rightCode)
			for range 19 { // of half a minute each
				for range 4 {
					_ = h.create(t, secret(wrongCode))
				}
				h.succeed(t, success)
				h.Clock.Advance(30 * time.Second)
			}
			// Five were compared at first, and then one after 30 s, 60 s, 120 s and
			// 240 s; the next after 480 s, whatever was proved meanwhile.
			require.Error(t, h.create(t, secret(rightCode)), "the code is not compared now")
			require.NoError(t, h.Issuer.Unblock(t.Context(), devicetotp.UnblockRequest{AccountID: "acct"}))
			require.NoError(t, h.create(t, secret(rightCode)), "it was good all the time")
		})
	}
}

// Days later, with a new code each time: asking for codes buys no guesses, and
// neither do the successes of others. Then no code of the kind is announced.
func TestCreate_NoMoreThanTwentyGuessesAtAKindOfCode(t *testing.T) {
	for _, success := range []string{"none", "verify", "create", "another kind"} {
		t.Run(success, func(t *testing.T) {
			h := newHouse(t, twoKinds, devicetotptest.WithPolicy(func(p *devicetotp.Policy) { p.MaxDevices = 100 }))
			compared := 0
			for range 60 {
				h.Clock.Advance(2 * time.Hour)
				err := h.announce(t, verifier.KindAccount, rightCode)
				if devicetotp.CodeOf(err) == totperrors.CodeTooManyAttempts {
					continue // nothing to guess at
				}
				require.NoError(t, err)
				if lookedAt(h.create(t, secret(wrongCode))) {
					compared++
				}
				h.succeed(t, success)
			}
			require.Equal(t, kindLimit, compared)
			var refusal *devicetotp.Error
			require.ErrorAs(t, h.announce(t, verifier.KindAccount, rightCode), &refusal)
			require.Equal(t, totperrors.CodeTooManyAttempts, refusal.Code)
			require.NoError(t, h.announce(t, "sms", "55555555"), "another kind is not concerned")
			require.NoError(t, h.create(t, secret("55555555")))
			require.NoError(t, h.Issuer.Unblock(t.Context(), devicetotp.UnblockRequest{AccountID: "acct", Factors: []credential.Factor{credential.FactorOTP}}))
			require.NoError(t, h.announce(t, verifier.KindAccount, rightCode))
			require.NoError(t, h.create(t, secret(rightCode)))
		})
	}
}

func (h *house) announce(t *testing.T, kind, code string) error {
	t.Helper()
	_, err := h.Issuer.AddCode(t.Context(), devicetotp.AddCodeRequest{AccountID: "acct", Kind: kind, Code: secret(code), TTL: 10 * time.Minute})
	return err
}

func (h *house) addCode(t *testing.T, kind, code string) {
	t.Helper()
	require.NoError(t, h.announce(t, kind, code))
}

// succeed is a success that proves nothing about codes of the kind "account".
func (h *house) succeed(t *testing.T, how string) {
	t.Helper()
	switch how {
	case "verify":
		require.NoError(t, h.verify(t, ownID, h.own.Code()))
	case "create":
		require.NoError(t, h.create(t, h.own.Code()))
	case "another kind":
		h.sent++ // the same digits again would be a repetition
		h.addCode(t, "sms", fmt.Sprintf("5%07d", h.sent))
		require.NoError(t, h.create(t, secret(fmt.Sprintf("5%07d", h.sent))))
	}
}

// The same for the hashes: no success but its own resets a counter.
func TestCreate_OnlyItsOwnSuccessResetsAHash(t *testing.T) {
	for _, f := range []credential.Factor{credential.FactorPassword, credential.FactorPIN} {
		for _, success := range []string{"verify", "create", "the other hash", "repeated"} {
			t.Run(f.String()+"/"+success, func(t *testing.T) {
				h := newHouse(t, devicetotptest.WithPolicy(func(p *devicetotp.Policy) { p.MaxDevices = 100 }))
				limit := map[credential.Factor]int{credential.FactorPassword: 100, credential.FactorPIN: 10}[f]
				compared := 0
				for n := range limit + 20 {
					h.Clock.Advance(2 * time.Hour)
					r := devicetotp.CreateRequest{AccountID: "acct", DeviceID: otherID(500)}
					present(&r, f, "0000")
					if _, err := h.Issuer.Create(t.Context(), r); lookedAt(err) {
						compared++
					}
					if n%10 != 9 {
						continue
					}
					switch r := (devicetotp.CreateRequest{AccountID: "acct", DeviceID: otherID(100 + n)}); success {
					case "verify", "create":
						h.succeed(t, success)
					default:
						other := credential.FactorPassword + credential.FactorPIN - f
						right(&r, other)
						_, err := h.Issuer.Create(t.Context(), r)
						require.NoError(t, err)
						if success == "repeated" {
							_, err = h.Issuer.Create(t.Context(), r)
							require.NoError(t, err)
						}
					}
				}
				require.Equal(t, limit, compared)
			})
		}
	}
}

// A person with two phones who mistypes on one is not locked out of the other,
// nor of a code that was mailed.
func TestVerify_MistypingOnOnePhoneLocksNobodyOut(t *testing.T) {
	h := newHouse(t)
	for range 5 {
		require.True(t, lookedAt(h.guess(t, "verify, the target named")))
	}
	require.Equal(t, totperrors.CodeTooManyAttempts, devicetotp.CodeOf(h.guess(t, "verify, the target named")))
	require.NoError(t, h.verify(t, ownID, h.own.Drifted(-1)), "the other one, named")
	require.NoError(t, h.verify(t, "", h.own.Code()), "the other one, unnamed")
	h.addCode(t, verifier.KindAccount, rightCode)
	require.NoError(t, h.create(t, secret(rightCode)), "a code that was mailed")
	h.Clock.Advance(30 * time.Second)
	require.NoError(t, h.verify(t, targetID, h.target.Code()), "after the wait, the one mistyped on")
}
