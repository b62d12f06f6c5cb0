package devicetotp_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/devicetotptest"
	totperrors "example.com/devicetotp/errors"
	"example.com/devicetotp/verifier"
)

// However slowly, beside whatever success, and with however many sets: no more
// than a hundred wrong values are ever compared with recovery codes.
func TestCreate_NoMoreThanAHundredGuessesAtRecoveryCodes(t *testing.T) {
	for _, success := range []string{"none", "verify", "create", "another kind", "a new set"} {
		t.Run(success, func(t *testing.T) {
			h := newHouse(t, twoKinds, withRecovery, devicetotptest.WithPolicy(func(p *devicetotp.Policy) { p.MaxDevices = 100 }))
			codes := h.account.RecoveryCodes(2)
			compared := 0
			for n := range 130 {
				h.Clock.Advance(2 * time.Hour)
				if lookedAt(h.create(t, secret("2345-6789-abcd-efgh"))) {
					compared++
				}
				switch {
				case success == "a new set":
					codes = h.account.RecoveryCodes(2)
				case success == "verify" || n < 60: // the house has room for so many devices
					h.succeed(t, success)
				}
			}
			require.Equal(t, anyLimit, compared)
			require.Zero(t, requireCode(t, totperrors.CodeTooManyAttempts, h.create(t, codes[0])).RetryAfter, "no wait ends it")
			require.NoError(t, h.verify(t, "", h.target.Drifted(1)), "nobody is locked out of a device by it")
			require.NoError(t, h.Issuer.Unblock(t.Context(), devicetotp.UnblockRequest{AccountID: "acct"}))
			require.NoError(t, h.create(t, codes[0]))
			require.NoError(t, h.create(t, codes[1]))
		})
	}
}

// Own codes between the guesses do not keep them from being slowed down: five at
// first, then one after 30 s, 60 s, 120 s and 240 s.
func TestCreate_AnOwnCodeDoesNotResetWhatGuardsRecoveryCodes(t *testing.T) {
	h := newHouse(t, withRecovery)
	h.account.RecoveryCodes(2)
	compared := 0
	for range 19 { // of half a minute each
		for range 4 {
			if lookedAt(h.create(t, secret("2345-6789-abcd-efgh"))) {
				compared++
			}
		}
		require.NoError(t, h.verify(t, ownID, h.own.Code()))
		h.Clock.Advance(30 * time.Second)
	}
	require.Equal(t, 9, compared)
}

// A recovery code resets what it proved: its own counter and the pace. What guards
// devices and one-time codes stays.
func TestCreate_ARecoveryCodeResetsOnlyItsOwn(t *testing.T) {
	h := newHouse(t, withRecovery)
	codes := h.account.RecoveryCodes(10)
	h.addCode(t, verifier.KindAccount, rightCode)
	for _, code := range codes { // two guesses a round do not slow down the pace
		_ = h.create(t, secret(wrongCode))
		_ = h.guess(t, "create")
		require.NoError(t, h.create(t, code))
		require.Zero(t, h.account.Stored().State.OTP.Failures)
	}
	state := h.account.Stored().State
	require.Equal(t, 5, state.KindAttempts(verifier.KindAccount).Failures, "blocked since the fifth")
	require.Equal(t, 5, state.Devices[1].Attempts.Failures, "resting since the fifth")
	requireCode(t, totperrors.CodeTooManyAttempts, h.create(t, secret(rightCode)))
	require.Error(t, h.create(t, h.target.Code()))
}

// Each recovery code makes one device, however many requests and processes come
// with it at once.
func TestCreate_OneRecoveryCodeMakesOneDevice(t *testing.T) {
	const rounds, clients = 20, 32
	for _, processes := range []int{1, 4} {
		w := devicetotptest.New(t, withRecovery)
		all := []*devicetotp.Issuer{w.Issuer}
		for len(all) < processes {
			all = append(all, w.NewIssuer())
		}
		for range rounds {
			a := w.Account("acct")
			code := a.RecoveryCodes(3)[1]
			codes := together(clients, func(i int) error {
				_, err := all[i%processes].Create(context.Background(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: otherID(i), OTP: code})
				return err
			})
			require.Equal(t, 1, codes[""], "%v", codes)
			refused := codes[totperrors.CodeInvalidCredentials] + codes[totperrors.CodeTooManyAttempts]
			require.Equal(t, clients-1, refused+codes[totperrors.CodeUnavailable], "%v", codes)
			state := a.Stored().State
			require.Len(t, state.Devices, 1)
			require.Equal(t, 2, state.Recovery.Left)
		}
	}
}

// Different codes of one set at once: each is spent, none is lost, none comes back.
func TestCreate_AllRecoveryCodesAtOnce(t *testing.T) {
	w := devicetotptest.New(t, withRecovery)
	all := []*devicetotp.Issuer{w.Issuer, w.NewIssuer(), w.NewIssuer()}
	for range 10 {
		a := w.Account("acct")
		set := a.RecoveryCodes(8)
		codes := together(6, func(i int) error {
			_, err := all[i%3].Create(context.Background(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: otherID(i), OTP: set[i]})
			return err
		})
		state := a.Stored().State
		require.Equal(t, 6, codes[""]+codes[totperrors.CodeUnavailable], "%v", codes)
		require.Positive(t, codes[""], "who is in the way of all has succeeded")
		require.Len(t, state.Devices, 8-state.Recovery.Left)
		for i, code := range set {
			has, err := state.Recovery.Has(w.Keys, "acct", code)
			require.NoError(t, err)
			require.Equal(t, state.DeviceIndex(otherID(i)) < 0, has, "a device and its code are spent together")
		}
	}
}

// Several processes replace the codes at once, while one is being used: the codes
// of exactly one answer are good, and all of those.
func TestReplaceRecoveryCodes_AtOnce(t *testing.T) {
	w := devicetotptest.New(t, withRecovery)
	all := []*devicetotp.Issuer{w.Issuer, w.NewIssuer(), w.NewIssuer()}
	for range 20 {
		a := w.Account("acct")
		old := a.RecoveryCodes(1)[0]
		var mu sync.Mutex
		var sets [][]credential.Secret
		together(6, func(i int) error {
			if i == 0 {
				_, err := all[0].Create(context.Background(), devicetotp.CreateRequest{AccountID: "acct", OTP: old})
				return err
			}
			codes, err := all[i%3].ReplaceRecoveryCodes(context.Background(), devicetotp.RecoveryRequest{AccountID: "acct", Count: 4})
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				sets = append(sets, codes)
			}
			return err
		})
		require.NotEmpty(t, sets)
		recovery, good := a.Stored().State.Recovery, 0
		require.Equal(t, 4, recovery.Left)
		for _, set := range sets {
			n := 0
			for _, code := range set {
				has, err := recovery.Has(w.Keys, "acct", code)
				require.NoError(t, err)
				if has {
					n++
				}
			}
			require.Contains(t, []int{0, 4}, n)
			good += n
		}
		require.Equal(t, 4, good)
	}
}

// A retry is recognized however the code is typed this time, and tells of the
// recovery code: the first response, and its Event, may have been lost.
func TestCreate_ARetryWithARecoveryCodeTypedOtherwise(t *testing.T) {
	w := devicetotptest.New(t, withRecovery)
	a := w.Account("acct")
	code := a.RecoveryCodes(3)[0]
	first, err := createOn(t, w.Issuer, deviceID, code)
	require.NoError(t, err)
	for _, typed := range []string{code.Reveal(), strings.ToUpper(code.Reveal()), strings.ReplaceAll(code.Reveal(), "-", ""), " " + code.Reveal()} {
		again, err := createOn(t, w.Issuer, deviceID, secret(typed))
		require.NoError(t, err, "%q", typed)
		require.True(t, again.Replayed)
		require.Equal(t, first.Base32(), again.Base32())
		require.Equal(t, verifier.KindRecovery, lastEvent(w).Factors[0].Kind)
	}
	require.Equal(t, 2, a.Stored().State.Recovery.Left, "spent once")

	other := a.RecoveryCodes(1)[0] // replaced meanwhile: the retry does not need the set
	again, err := createOn(t, w.Issuer, deviceID, secret(strings.ToUpper(code.Reveal())))
	require.NoError(t, err)
	require.Equal(t, first.Base32(), again.Base32())

	second, err := createOn(t, w.Issuer, deviceID, other) // a fresh one replaces the device
	require.NoError(t, err)
	require.True(t, second.Replaced)
	_, err = createOn(t, w.Issuer, deviceID, secret(strings.ReplaceAll(code.Reveal(), "-", " ")))
	requireCode(t, totperrors.CodeIDInUse, err)
	require.Zero(t, a.Stored().State.OTP.Failures, "a late retry is no guess")

	_, err = createOn(t, w.Issuer, deviceID, secret("2345-6789-abcd-efgh"))
	requireCode(t, totperrors.CodeInvalidCredentials, err)
	require.Equal(t, 1, a.Stored().State.OTP.Failures)
	w.Clock.Advance(time.Hour)
	_, err = createOn(t, w.Issuer, deviceID, secret(strings.ToUpper(other.Reveal())))
	requireCode(t, totperrors.CodeIDInUse, err)
}

// A verifier of the host's own gets whatever is presented, and its OTPs are its
// own: a retry must repeat them to the letter, and a blocked set of recovery codes
// is left out and in nobody's way.
func TestCreate_AHostsOwnOTPsAreNotTakenForRecoveryCodes(t *testing.T) {
	var asked []string
	var sets int
	host := verifier.Func(func(_ context.Context, q verifier.Query) (verifier.Verdict, error) {
		asked = append(asked, q.Presented.Reveal())
		if len(q.Recovery.Sealed) > 0 {
			sets++
		}
		if q.Presented.Reveal() != "Let-Me-In" {
			return verifier.Verdict{Status: verifier.StatusWrong}, nil
		}
		return verifier.Verdict{Status: verifier.StatusValid, ProofID: "host:1", Until: q.Now.Add(time.Hour)}, nil
	})
	w := devicetotptest.New(t, withRecovery, func(c *devicetotp.Config) { c.OTP = host })
	a := w.Account("acct")
	a.RecoveryCodes(1)
	_, err := createOn(t, w.Issuer, otherID(1), secret("wrong"))
	requireCode(t, totperrors.CodeInvalidCredentials, err)
	require.Equal(t, 1, sets)
	require.Zero(t, a.Stored().State.Recovery.Attempts.Failures, "it does not say that it compared them")
	changeState(t, w, func(s *credential.State) { s.Recovery.Attempts.Failures = 100 })
	first, err := createOn(t, w.Issuer, deviceID, secret("Let-Me-In"))
	require.NoError(t, err)
	require.Equal(t, 1, sets, "blocked: left out")
	require.Empty(t, lastEvent(w).Factors[0].Kind)
	again, err := createOn(t, w.Issuer, deviceID, secret("Let-Me-In"))
	require.NoError(t, err)
	require.Equal(t, first.Base32(), again.Base32())
	for _, typed := range []string{"let-me-in", "LetMeIn", "letmein", "recovery:letmein"} {
		asked = nil
		_, err = createOn(t, w.Issuer, deviceID, secret(typed))
		require.Contains(t, []devicetotp.Code{totperrors.CodeInvalidCredentials, totperrors.CodeTooManyAttempts}, devicetotp.CodeOf(err), typed)
		require.Equal(t, []string{typed}, asked)
		require.NoError(t, w.Issuer.Unblock(t.Context(), devicetotp.UnblockRequest{AccountID: "acct"}))
	}
}

// A host's verifier that says a recovery code is right which is none spends
// nothing and makes nothing, time and again.
func TestCreate_ARecoveryCodeThatIsNoneGrantsNothing(t *testing.T) {
	yes := says(verifier.Verdict{Status: verifier.StatusValid, Compared: []verifier.Compared{{Kind: verifier.KindRecovery, Right: true}}}, nil)
	w := devicetotptest.New(t, withRecovery, func(c *devicetotp.Config) { c.OTP = yes })
	a := w.Account("acct")
	code := a.RecoveryCodes(2)[0]
	for i, otp := range []string{"no", "123456", code.Reveal(), code.Reveal()} {
		_, err := createOn(t, w.Issuer, "", secret(otp))
		require.Equal(t, i == 2, err == nil, "%q the %d. time: %v", otp, i+1, err)
	}
	require.Len(t, a.Stored().State.Devices, 1)
	require.Equal(t, 1, a.Stored().State.Recovery.Left)
}

// A device that was made on a recovery code does not rest on grace, although those
// beside it do, and finds room beside as many of them as there may be.
func TestCreate_ARecoveryCodeDoesNotRestOnGrace(t *testing.T) {
	w, a, _ := onGrace(t, 5, withRecovery)
	code := a.RecoveryCodes(1)[0]
	_, err := createOn(t, w.Issuer, deviceID, code)
	require.NoError(t, err)
	state := a.Stored().State
	require.False(t, state.Devices[state.DeviceIndex(deviceID)].RestsOnGrace)
	require.False(t, lastEvent(w).RestsOnGrace)
	require.Equal(t, 5, state.GraceIssued)
}

// What a recovery code leaves is sealed with the key of today.
func TestCreate_SpendingARecoveryCodeSealsTheRestAgain(t *testing.T) {
	w := devicetotptest.New(t, withRecovery)
	a := w.Account("acct")
	codes := a.RecoveryCodes(3)
	w.RollKey("next")
	_, err := createOn(t, w.Issuer, deviceID, codes[0])
	require.NoError(t, err)
	id, ok := credential.KeyID(a.Stored().State.Recovery.Sealed)
	require.True(t, ok)
	require.Equal(t, "next", id)
	w.DropKey("test")
	_, err = createOn(t, w.Issuer, otherID(1), codes[1])
	require.NoError(t, err)
}

// Verify is not concerned: a recovery code is a wrong code there, and stays good.
func TestVerify_TakesNoRecoveryCodes(t *testing.T) {
	w := devicetotptest.New(t, withRecovery)
	a := w.Account("acct")
	a.Device("phone", time.Hour)
	code := a.RecoveryCodes(1)[0]
	_, err := verify(t, w, "", code)
	requireCode(t, totperrors.CodeInvalidCredentials, err)
	require.Zero(t, a.Stored().State.Recovery.Attempts.Failures, "nothing is compared with recovery codes")
	_, err = createOn(t, w.Issuer, deviceID, code)
	require.NoError(t, err)
}

// The kind is the library's: no host announces a one-time code as a recovery code.
func TestAddCode_AnnouncesNoRecoveryCodes(t *testing.T) {
	w := devicetotptest.New(t, withRecovery)
	w.Account("acct")
	_, err := w.Issuer.AddCode(t.Context(), devicetotp.AddCodeRequest{AccountID: "acct", Kind: verifier.KindRecovery, Code: secret("123456"), TTL: time.Minute})
	require.Equal(t, totperrors.FieldKind, requireCode(t, totperrors.CodeInvalidArgument, err).Field)
}

func TestPolicy_RecoveryIsBounded(t *testing.T) {
	for field, change := range map[string]func(*devicetotp.Policy){
		"Recovery.BlockAt":     func(p *devicetotp.Policy) { p.Recovery.BlockAt = 101 },
		"Recovery.BackoffFrom": func(p *devicetotp.Policy) { p.Recovery.BackoffFrom = 0 },
		"Recovery.Backoff":     func(p *devicetotp.Policy) { p.Recovery.Backoff = 0 },
	} {
		policy := devicetotp.DefaultPolicy()
		change(&policy)
		_, err := devicetotp.NewIssuer(devicetotptest.NewStore(), testKeys(t), devicetotp.Config{Policy: &policy})
		require.True(t, slices.Contains(fieldsOf(t, err), "Config.Policy."+field), "%v", err)
	}
	policy := devicetotp.DefaultPolicy()
	policy.Recovery.BlockAt = verifier.NeverBlock
	_, err := devicetotp.NewIssuer(devicetotptest.NewStore(), testKeys(t), devicetotp.Config{Policy: &policy})
	require.Equal(t, []string{"Config.Policy.Recovery.BlockAt"}, fieldsOf(t, err))
	policy = devicetotp.DefaultPolicy()
	policy.Recovery.BackoffFrom = 20
	_, err = devicetotp.NewIssuer(devicetotptest.NewStore(), testKeys(t), devicetotp.Config{Policy: &policy, Limits: devicetotp.Limits{MaxRounds: 22}})
	require.Equal(t, []string{"Config.Limits.MaxRounds"}, fieldsOf(t, err), "parallel wrong codes are refused for what they are")
}
