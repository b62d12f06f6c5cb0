package devicetotp_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/devicetotptest"
	totperrors "example.com/devicetotp/errors"
)

// rolled returns the keyring of w in the second step of a roll-out.
func rolled(t testing.TB) *credential.Keyring {
	t.Helper()
	return keyRing(t, "next", worldKey(), namedKey("next"))
}

// The bug class: a process with a wrong key damages what was healthy. It has a
// different key under the primary's id. An account that has a value of the right
// one shows that; then nothing is sealed with the wrong one, by no door.
func TestEveryDoor_AWrongKeySealsNothing(t *testing.T) {
	h := newHousehold(t) // its device is sealed with the old key
	right, err := issuerUnder(t, h.World, rolled(t)).Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: otherID(1), PIN: secret("8299")})
	require.NoError(t, err)
	wrong := issuerUnder(t, h.World, keyRing(t, "next", worldKey(), credential.Key{ID: "next", Secret: namedKey("!next").Secret}))
	sealed := func() [][]byte {
		var out [][]byte
		for _, d := range h.account.Stored().State.Devices {
			out = append(out, d.Sealed)
		}
		return out
	}
	before := sealed()

	got, err := wrong.Reseal(t.Context(), "acct")
	require.NoError(t, err)
	require.True(t, got.Withheld)
	require.Equal(t, []string{"test", "next"}, got.Keys)
	require.Equal(t, right.ID, got.Unreadable[0].DeviceID)
	_, err = wrong.Verify(t.Context(), devicetotp.VerifyRequest{AccountID: "acct", DeviceID: otherID(0), Code: h.code()})
	require.NoError(t, err, "what opens works")
	require.Equal(t, before, sealed(), "and is not sealed with the wrong key")

	for name, r := range map[string]devicetotp.CreateRequest{
		"grace": {DeviceID: otherID(2)}, "PIN": {DeviceID: otherID(2), PIN: secret("8299")}, "wrong PIN": {DeviceID: otherID(2), PIN: secret("0000")},
		"OTP": {DeviceID: otherID(2), OTP: secret(rightCode)}, "replace": {DeviceID: otherID(1), OTP: secret(rightCode)},
	} {
		before := withoutWrites(t, h.account.Stored().State)
		r.AccountID = "acct"
		_, err = wrong.Create(t.Context(), r)
		require.ErrorIs(t, err, credential.ErrMissingKey, name)
		require.ErrorContains(t, requireCode(t, totperrors.CodeInternal, err), `a different key of the id "next"`, name)
		require.Equal(t, before, withoutWrites(t, h.account.Stored().State), "%s: nothing is looked at, counted or spent", name)
	}

	changeState(t, h.World, func(s *credential.State) { s.Devices = s.Devices[:1] }) // that device is gone
	_, err = wrong.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: otherID(2), PIN: secret("8299")})
	require.NoError(t, err)
}

// A digest that was dropped is needed for nothing: a late retry is one wrong OTP
// and no fault, and a fresh OTP is served.
func TestReseal_ALateRetryAfterIt(t *testing.T) {
	h := newHousehold(t)
	h.create(t, devicetotp.CreateRequest{DeviceID: deviceID, OTP: secret(rightCode)})
	i := issuerUnder(t, h.World, rolled(t))
	create := func(i *devicetotp.Issuer, otp string) error {
		_, err := i.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: deviceID, OTP: secret(otp)})
		return err
	}
	got, err := i.Reseal(t.Context(), "acct")
	require.NoError(t, err)
	require.Zero(t, got.Dropped)
	require.Contains(t, got.Keys, "test", "for a retry in time")
	require.NoError(t, create(i, rightCode), "which gets its device")

	h.Clock.Advance(devicetotp.MaxCodeTTL)
	got, err = i.Reseal(t.Context(), "acct")
	require.NoError(t, err)
	require.Equal(t, 1, got.Dropped)
	update(h.World, func(a *credential.Account) { a.PINHash = "" })
	got, err = i.Reseal(t.Context(), "acct")
	require.NoError(t, err)
	require.Equal(t, []string{"next"}, got.Keys)

	alone := issuerUnder(t, h.World, keyRing(t, "next", namedKey("next")))
	requireCode(t, totperrors.CodeInvalidCredentials, create(alone, rightCode))
	require.Equal(t, 1, h.account.Stored().State.OTP.Failures)
	_, err = alone.AddCode(t.Context(), devicetotp.AddCodeRequest{AccountID: "acct", Kind: "account", Code: secret("55555555"), TTL: time.Minute})
	require.NoError(t, err)
	require.NoError(t, create(alone, "55555555"))
}

// The same where nothing was dropped and the key is simply gone.
func TestCreate_ADigestThatIsTooOldToMatterIsNoFault(t *testing.T) {
	h := newHousehold(t)
	h.create(t, devicetotp.CreateRequest{DeviceID: deviceID, OTP: secret(rightCode)})
	alone := issuerUnder(t, h.World, keyRing(t, "next", namedKey("next")))
	retry := func() error {
		_, err := alone.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: deviceID, OTP: secret(rightCode)})
		return err
	}
	requireCode(t, totperrors.CodeInternal, retry()) // its digest is needed, and does not open
	h.Clock.Advance(devicetotp.MaxCodeTTL)
	requireCode(t, totperrors.CodeInvalidCredentials, retry())
}

// Where the digest is gone, nothing was compared with it: a request that is refused
// before its OTP is checked has made no guess.
func TestCreate_ADigestThatWasDroppedIsNotGuessedAt(t *testing.T) {
	h := newHousehold(t)
	h.create(t, devicetotp.CreateRequest{DeviceID: deviceID, OTP: secret(rightCode)})
	h.Clock.Advance(devicetotp.MaxCodeTTL)
	_, err := issuerUnder(t, h.World, rolled(t)).Reseal(t.Context(), "acct")
	require.NoError(t, err)
	// It has the wrong key, so no device can be sealed.
	wrong := issuerUnder(t, h.World, keyRing(t, "next", worldKey(), credential.Key{ID: "next", Secret: namedKey("!next").Secret}))
	_, err = wrong.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: deviceID, OTP: secret(wrongCode)})
	requireCode(t, totperrors.CodeInternal, err)
	require.Zero(t, h.account.Stored().State.OTP.Failures)
}

// resealed reports whether everything in the stored State is of the newest key.
func resealed(t *testing.T, s credential.State) bool {
	t.Helper()
	for _, d := range s.Devices {
		if id, _ := credential.KeyID(d.Sealed); id != "next" {
			return false
		}
	}
	return true
}

// What was lost, or only seen, is no answer: Reseal says that a key is no longer
// needed after a Save of its own has returned nil, whatever happens to the first.
func TestReseal_AnswersAfterItsOwnSave(t *testing.T) {
	for name, fault := range map[string]func(p *process){
		"cut off":          func(p *process) { p.standbyAway(true) },
		"lost answer":      func(p *process) { p.lie = firstly(errUnclear) },
		"lost as conflict": func(p *process) { p.lie = firstly(credential.ErrConflict) },
		"panic behind it":  func(p *process) { p.afterSave = func(n int) { panicAt(n, 1) } },
		"conflict":         func(p *process) { p.refuse = once(credential.ErrConflict) },
		"nothing to do":    func(*process) {},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHousehold(t)
				if name == "nothing to do" { // by another process, whose save is seen and not kept
					_, err := issuerUnder(t, h.World, rolled(t)).Reseal(t.Context(), "acct")
					require.NoError(t, err)
				}
				p := &process{database: databaseOf(t, h.World, "acct")}
				fault(p)
				p.afterLoad = func(n int) {
					if n == 2 {
						p.standbyAway(false)
					}
				}
				i, err := devicetotp.NewIssuer(p, rolled(t), devicetotp.Config{Clock: h.Clock})
				require.NoError(t, err)
				got, err := i.Reseal(t.Context(), "acct")
				require.NoError(t, err)
				require.Positive(t, p.acknowledged)
				if name != "nothing to do" {
					require.Equal(t, 1, got.Devices, "the answer of the decision that was kept")
				}
				p.failOver()
				require.True(t, resealed(t, p.stored("acct").State), "a fail-over behind the answer loses nothing")
			})
		})
	}
}

// Processes of both steps of a roll-out reseal one account while others use it and
// add to it: no device is lost or doubled, no code is refused, and in the end
// nothing needs the old key.
func TestReseal_BesideEverythingElse(t *testing.T) {
	w := devicetotptest.New(t)
	a := w.Account("acct").PIN("8299")
	const devices, rounds = 8, 20
	first := keyRing(t, "test", worldKey(), namedKey("next"))
	var processes []*devicetotp.Issuer
	for n := range 4 {
		ring := rolled(t)
		if n == 0 {
			ring = first // still in the first step
		}
		processes = append(processes, issuerUnder(t, w, ring))
	}
	phones := make([]*devicetotptest.Phone, devices)
	for n := range devices {
		d, err := processes[0].Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: otherID(n), PIN: secret("8299")})
		require.NoError(t, err)
		phones[n] = w.Phone(d)
	}
	for round := range rounds {
		w.Clock.Advance(time.Minute)
		codes := together(2*devices+1, func(i int) error {
			issuer := processes[i%len(processes)]
			switch {
			case i < devices:
				_, err := issuer.Verify(context.Background(), devicetotp.VerifyRequest{AccountID: "acct", DeviceID: otherID(i), Code: phones[i].Code()})
				return err
			case i < 2*devices:
				_, err := issuer.Reseal(context.Background(), "acct")
				return err
			default:
				_, err := processes[1].Create(context.Background(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: otherID(100 + round%10), PIN: secret("8299")})
				if devicetotp.CodeOf(err) == totperrors.CodeIDInUse {
					return nil // of ten minutes ago
				}
				return err
			}
		})
		require.Equal(t, 2*devices+1, codes[""]+codes[totperrors.CodeUnavailable], "%v", codes)
	}
	got, err := processes[1].Reseal(t.Context(), "acct")
	require.NoError(t, err)
	require.Empty(t, got.Unreadable)
	state := a.Stored().State
	require.True(t, resealed(t, state))
	require.Len(t, state.Devices, devices+10)
	alone := issuerUnder(t, w, keyRing(t, "next", namedKey("next")))
	w.Clock.Advance(time.Minute)
	for n, phone := range phones {
		_, err := alone.Verify(t.Context(), devicetotp.VerifyRequest{AccountID: "acct", DeviceID: otherID(n), Code: phone.Code()})
		require.NoError(t, err)
	}
}
