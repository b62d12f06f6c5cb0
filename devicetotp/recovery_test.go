package devicetotp_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/devicetotptest"
	totperrors "example.com/devicetotp/errors"
	"example.com/devicetotp/verifier"
)

// withRecovery is a configure function that accepts recovery codes.
func withRecovery(c *devicetotp.Config) {
	devicetotptest.WithPolicy(func(p *devicetotp.Policy) {
		p.OTPKinds = append(slices.Clone(p.OTPKinds), verifier.KindRecovery)
	})(c)
}

// recoveryCode is the first of the three of putRecoveryCodes.
const recoveryCode = "k7pd-2mxa-w9rf-4hbq"

// putRecoveryCodes gives acct recovery codes that are known beforehand.
func putRecoveryCodes(t *testing.T, w *devicetotptest.World) {
	t.Helper()
	codes := []credential.Secret{secret(recoveryCode), secret("3333-4444-5555-6666"), secret("7777-8888-9999-aaaa")}
	changeState(t, w, func(s *credential.State) {
		require.NoError(t, s.Recovery.Replace(w.Keys, "acct", codes, w.Clock.Now()))
	})
}

func replaceRecoveryCodes(t *testing.T, i *devicetotp.Issuer, n int) ([]credential.Secret, error) {
	t.Helper()
	return i.ReplaceRecoveryCodes(t.Context(), devicetotp.RecoveryRequest{AccountID: "acct", Count: n})
}

func createOn(t *testing.T, i *devicetotp.Issuer, id string, otp credential.Secret) (devicetotp.DeviceTOTP, error) {
	t.Helper()
	return i.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: id, OTP: otp})
}

// lastEvent returns what the Observer was told last.
func lastEvent(w *devicetotptest.World) devicetotp.Event {
	events := w.Events()
	return events[len(events)-1]
}

// The rules of ReplaceRecoveryCodes, for every kind of account and number.
func TestReplaceRecoveryCodes_TruthTable(t *testing.T) {
	for _, account := range []string{"plain", "locked", "with codes", "with codes under a missing key", "unknown"} {
		for count, made := range map[int]int{-1: -1, 0: 10, 1: 1, 10: 10, 20: 20, 21: -1} {
			t.Run(fmt.Sprint(account, "/", count), func(t *testing.T) {
				w := devicetotptest.New(t)
				var old []credential.Secret
				if account != "unknown" {
					a := w.Account("acct")
					if strings.HasPrefix(account, "with codes") {
						old = a.RecoveryCodes(5)
					}
					if strings.HasSuffix(account, "missing key") {
						w.RollKey("next")
						w.DropKey("test")
					}
					a.Locked(account == "locked")
				}
				before, _ := w.Store.Accounts.Load(t.Context(), "acct")
				w.Clock.Advance(time.Hour)
				codes, err := replaceRecoveryCodes(t, w.Issuer, count)
				after, _ := w.Store.Accounts.Load(t.Context(), "acct")
				event := lastEvent(w)
				require.Equal(t, devicetotp.OpReplaceRecoveryCodes, event.Op)
				require.Equal(t, devicetotp.CodeOf(err), event.Code)

				want := devicetotp.Code("")
				field := ""
				switch { // the first that is wrong: the form, then the account
				case made < 0:
					want, field = totperrors.CodeInvalidArgument, totperrors.FieldCount
				case account == "unknown":
					want, field = totperrors.CodeInvalidArgument, totperrors.FieldAccountID
				case account == "locked":
					want = totperrors.CodeAccountLocked
				}
				if want != "" {
					require.Equal(t, field, requireCode(t, want, err).Field)
					require.Empty(t, codes)
					require.Equal(t, before, after, "a refusal changes nothing")
					return
				}
				require.NoError(t, err)
				require.Len(t, codes, made)
				require.NotEqual(t, before.Version, after.Version)
				set := after.State.Recovery
				require.Equal(t, made, set.Left)
				require.Equal(t, w.Clock.Now(), set.CreatedAt)
				for _, code := range codes {
					has, err := set.Has(w.Keys, "acct", code)
					require.NoError(t, err)
					require.True(t, has)
				}
				for _, code := range old {
					has, err := set.Has(w.Keys, "acct", code)
					require.NoError(t, err)
					require.False(t, has, "the whole set is replaced")
				}
				after.State.Recovery, after.State.Writes = before.State.Recovery, before.State.Writes
				require.Equal(t, before.State, after.State, "and nothing else is changed")
			})
		}
	}
}

// Repeating it is a new act: the last ones are good, and they only.
func TestReplaceRecoveryCodes_RepeatedIsANewAct(t *testing.T) {
	w := devicetotptest.New(t, withRecovery)
	w.Account("acct")
	first, err := replaceRecoveryCodes(t, w.Issuer, 2)
	require.NoError(t, err)
	second, err := replaceRecoveryCodes(t, w.Issuer, 2)
	require.NoError(t, err)
	require.NotEqual(t, first, second)
	_, err = createOn(t, w.Issuer, otherID(1), first[0])
	requireCode(t, totperrors.CodeInvalidCredentials, err)
	_, err = createOn(t, w.Issuer, otherID(2), second[0])
	require.NoError(t, err)
}

// recoveryCase is one row of the truth table of Create with an OTP where recovery
// codes are concerned.
type recoveryCase struct {
	kinds string // whether Policy.OTPKinds has recovery codes
	set   string // what there is on the account
	otp   string // what is presented
}

// expected says what becomes of it, as operations.md and security.md have it: the
// code of the answer, what is added to the failures of the set and to the pace
// (-1: both are reset), and how many codes are spent.
func (c recoveryCase) expected() (code devicetotp.Code, set, pace, spent int) {
	const wrong = totperrors.CodeInvalidCredentials
	digits := strings.HasPrefix(c.otp, "digits")
	tooLong := c.otp == "more than 64 bytes" || c.otp == "empty"
	switch {
	case c.otp == "digits, right":
		return "", 0, -1, 0 // whatever becomes of recovery codes
	case digits, tooLong, c.otp == "grouped digits", c.kinds == "without", c.set == "none":
		return wrong, 0, 1, 0 // compared with no recovery code
	case c.set == "slowed down", c.set == "stopped":
		return totperrors.CodeTooManyAttempts, 0, 0, 0
	case c.set == "altered", c.set == "under a missing key":
		return totperrors.CodeInternal, 0, 0, 0
	case strings.HasPrefix(c.otp, "right"):
		return "", -1, -1, 1
	default:
		return wrong, 1, 1, 0
	}
}

func TestCreate_RecoveryCodesTruthTable(t *testing.T) {
	rows := 0
	for _, kinds := range []string{"with", "without"} {
		for _, set := range []string{"none", "good", "slowed down", "stopped", "altered", "under a missing key"} {
			for _, otp := range []string{
				"right", "right, in capitals", "right, without dashes", "right, with spaces around", "spent", "of an earlier set", "of another account",
				"wrong", "short", "64 bytes", "more than 64 bytes", "empty", "digits, right", "digits, wrong", "eleven of a kind", "grouped digits",
			} {
				rows++
				c := recoveryCase{kinds, set, otp}
				t.Run(kinds+"/"+set+"/"+otp, func(t *testing.T) { c.check(t) })
			}
		}
	}
	require.Equal(t, 2*6*16, rows)
}

// recoverySetting is an account with failures of every sort, and what can be
// presented there.
func (c recoveryCase) setting(t *testing.T) (*devicetotptest.World, *devicetotptest.Account, credential.Secret) {
	t.Helper()
	var configure []func(*devicetotp.Config)
	if c.kinds == "with" {
		configure = append(configure, withRecovery)
	}
	w := devicetotptest.New(t, configure...)
	another := w.Account("another").RecoveryCodes(1)[0]
	a := w.Account("acct").PIN("8299").OTP(rightCode)
	a.Device("phone", time.Hour)
	earlier := a.RecoveryCodes(1)[0]
	codes := a.RecoveryCodes(3)
	changeState(t, w, func(s *credential.State) {
		_, err := s.Recovery.Spend(w.Keys, "acct", codes[2])
		require.NoError(t, err)
		at := w.Clock.Now()
		s.OTP = credential.Attempts{Failures: 2, LastAt: at}
		s.Recovery.Attempts = credential.Attempts{Failures: 3, LastAt: at}
		s.SetKindAttempts(verifier.KindAccount, credential.Attempts{Failures: 2, LastAt: at})
		s.Devices[0].Attempts = credential.Attempts{Failures: 2, LastAt: at}
		switch c.set {
		case "none":
			s.Recovery.Sealed, s.Recovery.Left = nil, 0
		case "slowed down":
			s.Recovery.Attempts.Failures = 5
		case "stopped":
			s.Recovery.Attempts = credential.Attempts{Failures: 100, LastAt: at.Add(-1000 * time.Hour)}
		case "altered":
			s.Recovery.Sealed[len(s.Recovery.Sealed)-1] ^= 1
		case "under a missing key":
			require.NoError(t, s.Recovery.Replace(testKeys(t), "acct", codes[:2], at))
		}
	})
	code := codes[0].Reveal()
	return w, a, secret(map[string]string{
		"right": code, "right, in capitals": strings.ToUpper(code), "right, without dashes": strings.ReplaceAll(code, "-", ""),
		"right, with spaces around": "\t " + strings.ReplaceAll(code, "-", " ") + "\n", "spent": codes[2].Reveal(),
		"of an earlier set": earlier.Reveal(), "of another account": another.Reveal(), "wrong": "2345-6789-abcd-efgh", "short": "x",
		"64 bytes": strings.Repeat("x", 64), "more than 64 bytes": code + strings.Repeat(" ", 64), "empty": "",
		"digits, right": rightCode, "digits, wrong": wrongCode, "eleven of a kind": "99999999999", "grouped digits": "1111 1111",
	}[c.otp])
}

func (c recoveryCase) check(t *testing.T) {
	w, a, otp := c.setting(t)
	before := a.Stored()
	d, err := createOn(t, w.Issuer, deviceID, otp)
	after := a.Stored()
	event := lastEvent(w)

	code, set, pace, spent := c.expected()
	require.Equal(t, code, devicetotp.CodeOf(err), "%v", err)
	require.Equal(t, sum(before.State.Recovery.Attempts, set), after.State.Recovery.Attempts.Failures, "failures of the recovery codes")
	require.Equal(t, sum(before.State.OTP, pace), after.State.OTP.Failures, "pace")
	require.Equal(t, before.State.Recovery.Left-spent, after.State.Recovery.Left)
	require.Equal(t, before.State.Recovery.CreatedAt, after.State.Recovery.CreatedAt)
	if code == totperrors.CodeTooManyAttempts || code == totperrors.CodeInternal {
		require.Equal(t, before, after, "nothing is compared, counted or saved")
	}
	if !strings.HasPrefix(c.otp, "digits") {
		require.Equal(t, before.State.Kinds, after.State.Kinds, "nothing else is compared with it")
		require.Equal(t, before.State.Devices[0].Attempts, after.State.Devices[0].Attempts)
		require.Equal(t, before.State.Spent, after.State.Spent)
	}
	if code == totperrors.CodeInternal {
		require.Len(t, event.Unreadable, 1)
		require.Equal(t, verifier.KindRecovery, event.Unreadable[0].Kind)
	} else {
		require.Empty(t, event.Unreadable)
	}
	require.Len(t, event.Factors, 1)
	if spent == 0 {
		require.NotEqual(t, verifier.KindRecovery, event.Factors[0].Kind)
		return
	}
	require.Equal(t, devicetotp.FactorResult{Factor: credential.FactorOTP, Result: devicetotp.ResultValid, Kind: verifier.KindRecovery}, event.Factors[0])
	require.Equal(t, credential.BasisOTP, d.Basis)
	stored := after.State.Devices[after.State.DeviceIndex(deviceID)]
	require.False(t, stored.RestsOnGrace)
	require.Empty(t, stored.MadeBy)
	has, err := after.State.Recovery.Has(w.Keys, "acct", otp)
	require.NoError(t, err)
	require.False(t, has, "it is spent")
}

// sum returns the failures after more is added; -1 resets them.
func sum(at credential.Attempts, more int) int {
	if more < 0 {
		return 0
	}
	return at.Failures + more
}

// The wait that is answered is that of the recovery codes, and there is none where
// only Unblock helps.
func TestCreate_BlockedRecoveryCodesSayHowLong(t *testing.T) {
	for set, wait := range map[string]time.Duration{"slowed down": 30 * time.Second, "stopped": 0} {
		w, a, otp := recoveryCase{"with", set, "right"}.setting(t)
		_, err := createOn(t, w.Issuer, deviceID, otp)
		require.Equal(t, wait, requireCode(t, totperrors.CodeTooManyAttempts, err).RetryAfter)
		view, err := w.Issuer.Inspect(t.Context(), "acct")
		require.NoError(t, err)
		require.True(t, view.Recovery.Blocked)
		if wait > 0 {
			require.Equal(t, w.Clock.Now().Add(wait), view.Recovery.BlockedUntil)
			w.Clock.Advance(wait)
		} else {
			require.Zero(t, view.Recovery.BlockedUntil)
			require.NoError(t, w.Issuer.Unblock(t.Context(), devicetotp.UnblockRequest{AccountID: "acct", Factors: []credential.Factor{credential.FactorPassword, credential.FactorPIN}}))
			require.Equal(t, 100, a.Stored().State.Recovery.Attempts.Failures, "other factors are not concerned")
			require.NoError(t, w.Issuer.Unblock(t.Context(), devicetotp.UnblockRequest{AccountID: "acct", Factors: []credential.Factor{credential.FactorOTP}}))
		}
		_, err = createOn(t, w.Issuer, deviceID, otp)
		require.NoError(t, err)
	}
}

// A wrong recovery code beside a right PIN counts, and the PIN grants; a right one
// goes before, and the PIN is not looked at.
func TestCreate_RecoveryCodesInThePrecedence(t *testing.T) {
	for _, set := range []string{"good", "altered", "stopped"} {
		w, a, _ := recoveryCase{"with", set, "right"}.setting(t)
		d, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", OTP: secret("wrong"), PIN: secret("8299")})
		require.NoError(t, err, set)
		require.Equal(t, credential.BasisPIN, d.Basis)
		require.Equal(t, set == "good", a.Stored().State.Recovery.Attempts.Failures == 4, "counted if it was compared")
	}
	w, a, otp := recoveryCase{"with", "good", "right"}.setting(t)
	d, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", OTP: otp, PIN: secret("0000")})
	require.NoError(t, err)
	require.Equal(t, credential.BasisOTP, d.Basis)
	require.Zero(t, a.Stored().State.PIN.Failures)
}

func TestInspect_ShowsRecoveryCodes(t *testing.T) {
	w := devicetotptest.New(t, withRecovery)
	a := w.Account("acct")
	look := func() devicetotp.RecoveryOverview {
		view, err := w.Issuer.Inspect(t.Context(), "acct")
		require.NoError(t, err)
		return view.Recovery
	}
	require.Zero(t, look())
	made := w.Clock.Now()
	codes := a.RecoveryCodes(2)
	w.Clock.Advance(time.Hour)
	require.Equal(t, devicetotp.RecoveryOverview{Left: 2, CreatedAt: made}, look())
	_, err := createOn(t, w.Issuer, otherID(1), secret("no"))
	require.Error(t, err)
	require.Equal(t, devicetotp.RecoveryOverview{Left: 2, CreatedAt: made, Failures: 1}, look())
	for i, code := range codes {
		_, err := createOn(t, w.Issuer, otherID(i), code)
		require.NoError(t, err)
	}
	require.Equal(t, devicetotp.RecoveryOverview{CreatedAt: made}, look(), "used up")
}

// A code of a device that is typed with a space is none, and no guess at the recovery
// codes: those who type so for years would lose them.
func TestCreate_ACodeWithASpaceIsNoGuessAtRecoveryCodes(t *testing.T) {
	h := newHouse(t, withRecovery)
	codes, err := h.Issuer.ReplaceRecoveryCodes(t.Context(), devicetotp.RecoveryRequest{AccountID: "acct"})
	require.NoError(t, err)
	for range anyLimit {
		code := h.own.Code().Reveal()
		requireCode(t, totperrors.CodeInvalidCredentials, h.create(t, secret(code[:3]+" "+code[3:])))
		require.NoError(t, h.verify(t, ownID, secret(code)))
		h.Clock.Advance(time.Hour)
	}
	require.Zero(t, h.account.Stored().State.Recovery.Attempts)
	require.NoError(t, h.create(t, codes[0]))
}
