package devicetotp_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/devicetotptest"
	"example.com/devicetotp/verifier"
)

func TestInspect_ShowsTheAccountAndChangesNothing(t *testing.T) {
	w := devicetotptest.New(t)
	a := w.Account("acct").RegisteredAgo(time.Minute).PIN("8299").OTP("526271")
	device, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: deviceID})
	require.NoError(t, err)
	_, err = w.Issuer.Verify(t.Context(), devicetotp.VerifyRequest{AccountID: "acct", Code: w.Phone(device).Code()})
	require.NoError(t, err)
	for range 5 {
		_, err = w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", PIN: secret("0000")})
		require.Error(t, err)
	}
	before := a.Stored()
	w.Store.Script()

	view, err := w.Issuer.Inspect(t.Context(), "acct")
	require.NoError(t, err)
	require.Equal(t, []devicetotptest.StoreCall{{Method: devicetotptest.MethodLoad, AccountID: "acct"}}, w.Store.Calls())
	require.Equal(t, before, a.Stored())

	require.Len(t, view.Devices, 1)
	got := view.Devices[0]
	require.Equal(t, deviceID, got.ID)
	require.Equal(t, credential.BasisGrace, got.Basis)
	require.True(t, got.RestsOnGrace)
	require.Equal(t, devicetotptest.Start, got.CreatedAt)
	require.Equal(t, devicetotptest.Start, got.LastUsedAt, "the end of the accepted step has not come yet")
	require.False(t, got.Blocked)
	require.True(t, got.Opens)
	require.Equal(t, "test", got.KeyID)
	require.Equal(t, []string{"test"}, view.Keys)
	require.Empty(t, view.Unreadable)
	require.True(t, view.Room)
	require.Equal(t, devicetotptest.Start.Add(4*time.Minute), view.GraceUntil)
	require.Equal(t, []devicetotp.CodeOverview{{Kind: "account", ExpiresAt: devicetotptest.Start.Add(5 * time.Minute)}}, view.Codes)
	require.Equal(t, devicetotp.FactorOverview{
		Factor: credential.FactorPIN, Failures: 5, Blocked: true, BlockedUntil: devicetotptest.Start.Add(30 * time.Second),
	}, view.Factors[2])
	require.Equal(t, devicetotp.FactorOverview{Factor: credential.FactorOTP}, view.Factors[0])

	event := w.Events()[len(w.Events())-1]
	require.Equal(t, devicetotp.OpInspect, event.Op)
	require.Equal(t, 1, event.Rounds)
}

// What a device rests on is not its basis: a code of a device on grace is an OTP.
func TestInspect_ShowsWhatADeviceRestsOn(t *testing.T) {
	w := devicetotptest.New(t)
	w.Account("acct").RegisteredAgo(0).PIN("8299")
	create := func(r devicetotp.CreateRequest) devicetotp.DeviceTOTP {
		r.AccountID = "acct"
		device, err := w.Issuer.Create(t.Context(), r)
		require.NoError(t, err)
		return device
	}
	onGrace := create(devicetotp.CreateRequest{DeviceID: otherID(0)})
	create(devicetotp.CreateRequest{DeviceID: otherID(1), OTP: w.Phone(onGrace).Code()})
	proved := create(devicetotp.CreateRequest{DeviceID: otherID(2), PIN: secret("8299")})
	create(devicetotp.CreateRequest{DeviceID: otherID(3), OTP: w.Phone(proved).Code()})
	view, err := w.Issuer.Inspect(t.Context(), "acct")
	require.NoError(t, err)
	for i, want := range []bool{true, true, false, false} {
		require.Equal(t, otherID(i), view.Devices[i].ID)
		require.Equal(t, want, view.Devices[i].RestsOnGrace, "device %d, made on %v", i, view.Devices[i].Basis)
	}
}

// A code that a newer one of its kind has replaced is not pending.
func TestInspect_ShowsTheNewestCodeOfAKind(t *testing.T) {
	w := devicetotptest.New(t)
	a := w.Account("acct").OTP("526271")
	w.Clock.Advance(time.Minute)
	a.OTP("526272")
	view, err := w.Issuer.Inspect(t.Context(), "acct")
	require.NoError(t, err)
	require.Equal(t, []devicetotp.CodeOverview{{Kind: "account", ExpiresAt: devicetotptest.Start.Add(6 * time.Minute)}}, view.Codes)
}

func TestInspect_OfALockedOrAnUnknownAccount(t *testing.T) {
	w := devicetotptest.New(t)
	w.Account("acct").RegisteredAgo(0).Locked(true)
	view, err := w.Issuer.Inspect(t.Context(), "acct")
	require.NoError(t, err)
	require.Zero(t, view.GraceUntil, "a locked account has no grace")
	_, err = w.Issuer.Inspect(t.Context(), "nobody")
	requireCode(t, devicetotp.CodeInvalidArgument, err)
	require.ErrorIs(t, err, credential.ErrNotFound)
}

// Inspect does not wait for a request that changes the account.
func TestInspect_DoesNotStandInLine(t *testing.T) {
	var w *devicetotptest.World
	var view devicetotp.Overview
	w = devicetotptest.New(t, func(c *devicetotp.Config) {
		c.PIN = hooked(c.PIN, func() {
			var err error
			view, err = w.Issuer.Inspect(t.Context(), "acct")
			require.NoError(t, err)
		})
	})
	w.Account("acct").PIN("8299")
	_, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", PIN: secret("8299")})
	require.NoError(t, err)
	require.Empty(t, view.Devices, "the account as it was while the PIN was hashed")
}

// No text of an Overview holds anything secret that is stored, in any encoding: no
// hash, digest or sealed value, and nothing that was sealed.
func TestInspect_HoldsNoSecret(t *testing.T) {
	w := devicetotptest.New(t, withRecovery)
	a := w.Account("acct").RegisteredAgo(0).PIN("8299").Password("password").OTP("526271")
	hidden := []string{"8299", "password", "526271"}
	for _, code := range a.RecoveryCodes(3) {
		hidden = append(hidden, code.Reveal())
	}
	d, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: otherID(0)})
	require.NoError(t, err)
	require.NoError(t, w.Issuer.Rename(t.Context(), devicetotp.RenameRequest{AccountID: "acct", DeviceID: d.ID, Name: "my phone"}))
	made, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: otherID(1), PIN: secret("8299")})
	require.NoError(t, err)
	_, err = w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: otherID(2), OTP: w.Phone(made).Code()})
	require.NoError(t, err)
	renewed, err := w.Issuer.Rotate(t.Context(), devicetotp.RotateRequest{AccountID: "acct", DeviceID: made.ID, RotationID: rotationID(0), PIN: secret("8299")})
	require.NoError(t, err)
	for _, shown := range []devicetotp.DeviceTOTP{d, made, renewed} {
		hidden = append(hidden, shown.Secret.Reveal(), shown.Base32())
	}
	changeState(t, w, func(s *credential.State) { // shown among what does not open
		torn := s.Clone().Devices[0]
		torn.ID = otherID(3)
		s.Devices = append(s.Devices, torn)
	})
	stored := a.Stored()
	hidden = append(hidden, stored.PINHash, stored.PasswordHash)
	sought := map[string]bool{}
	fields(reflect.ValueOf(stored.State), func(path string, v reflect.Value) {
		if v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Uint8 && v.Len() > 0 {
			hidden = append(hidden, string(v.Bytes()))
			sought[path] = true
		}
	})
	for _, path := range []string{"Devices.Sealed", "Devices.ProofDigest", "Devices.Rotation.Sealed", "Codes.Digest", "Recovery.Sealed"} {
		require.True(t, sought[path], "%s is stored here, and looked for: %v", path, sought)
	}

	view, err := w.Issuer.Inspect(t.Context(), "acct")
	require.NoError(t, err)
	require.Len(t, view.Devices, 4)
	require.Len(t, view.Unreadable, 1)
	texts := 0
	fields(reflect.ValueOf(view), func(path string, v reflect.Value) {
		var text string
		switch {
		case v.Kind() == reflect.String:
			text = v.String()
		case v.Type() == reflect.TypeFor[error]() && !v.IsNil():
			text = v.Interface().(error).Error()
		default:
			bytes := (v.Kind() == reflect.Slice || v.Kind() == reflect.Array) && v.Type().Elem().Kind() == reflect.Uint8
			require.False(t, bytes, "%s holds bytes", path)
			return
		}
		texts++
		for _, value := range hidden {
			for name, form := range formsOf(value) {
				require.NotContains(t, text, form, "%s, as %s", path, name)
			}
		}
	})
	require.Greater(t, texts, 20)
}

// formsOf returns the forms of a value to look for in a text. Another form of a short
// value could be there by chance.
func formsOf(value string) map[string]string {
	if len(value) < 10 {
		return map[string]string{"raw": value}
	}
	return encodings(value)
}

// fields calls visit with each field below v, by its path, and with what is in
// slices, arrays, pointers and interfaces; bytes are visited as a slice.
func fields(v reflect.Value, visit func(path string, v reflect.Value)) {
	var walk func(path string, v reflect.Value)
	walk = func(path string, v reflect.Value) {
		visit(strings.TrimPrefix(path, "."), v)
		switch v.Kind() {
		case reflect.Struct:
			for i := range v.NumField() {
				if v.Type().Field(i).IsExported() {
					walk(path+"."+v.Type().Field(i).Name, v.Field(i))
				}
			}
		case reflect.Slice, reflect.Array:
			for i := 0; i < v.Len() && v.Type().Elem().Kind() != reflect.Uint8; i++ {
				walk(path, v.Index(i))
			}
		case reflect.Pointer:
			if !v.IsNil() {
				walk(path, v.Elem())
			}
		}
	}
	walk("", v)
}

// Which keys an account needs, and what does not open, is said of one account as
// Reseal says it: see TestReseal_TruthTable. What opens is shown beside it.
func TestInspect_SaysWhichKeyIsMissing(t *testing.T) {
	h := newHousehold(t)
	next := keyRing(t, "next", namedKey("next"))
	_, err := issuerUnder(t, h.World, next).Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: brokenID, Password: secret("password")})
	require.NoError(t, err)
	changeState(t, h.World, func(s *credential.State) {
		torn := s.Devices[0]
		torn.ID, torn.Sealed = otherID(9), []byte("nonsense")
		s.Devices = append(s.Devices, torn)
	})
	view, err := h.Issuer.Inspect(t.Context(), "acct")
	require.NoError(t, err)
	require.Equal(t, []string{"test", "next"}, view.Keys)
	var shown []string
	for _, d := range view.Devices {
		shown = append(shown, fmt.Sprintf("%s %t %s", d.ID, d.Opens, d.KeyID))
	}
	require.Equal(t, []string{otherID(0) + " true test", brokenID + " false next", otherID(9) + " false "}, shown)
	require.Len(t, view.Unreadable, 2)
	require.ErrorIs(t, view.Unreadable[0].Err, credential.ErrMissingKey)
	require.ErrorIs(t, view.Unreadable[1].Err, credential.ErrTampered)
}

// What OpenToRetry says is what a Create that presents nothing is answered, by a
// process whose clock may be behind.
func TestInspect_SaysWhichDevicesARetryIsGiven(t *testing.T) {
	window, tolerance := devicetotp.DefaultPolicy().RetryWindow, devicetotp.DefaultPolicy().ClockTolerance
	for name, c := range map[string]struct {
		pin    string
		use    bool
		none   bool // RetryWindow is 0
		after  time.Duration
		behind time.Duration
		want   bool
	}{
		"on grace, at once":                {want: true},
		"on grace, at the end of the time": {after: window, want: true},
		"on grace, where it has not ended": {after: window + tolerance, behind: tolerance, want: true},
		"on grace, where it has ended too": {after: window + tolerance + 1, behind: tolerance},
		"on grace, used":                   {use: true},
		"on grace, with no time for it":    {none: true},
		"on a PIN":                         {pin: "8299"},
	} {
		t.Run(name, func(t *testing.T) {
			w := devicetotptest.New(t, devicetotptest.WithPolicy(func(p *devicetotp.Policy) {
				if c.none {
					p.RetryWindow = 0
				}
			}))
			w.Account("acct").RegisteredAgo(0).PIN("8299")
			r := devicetotp.CreateRequest{AccountID: "acct", DeviceID: deviceID}
			if c.pin != "" {
				r.PIN = secret(c.pin)
			}
			device, err := w.Issuer.Create(t.Context(), r)
			require.NoError(t, err)
			if c.use {
				_, err = w.Issuer.Verify(t.Context(), devicetotp.VerifyRequest{AccountID: "acct", Code: w.Phone(device).Code()})
				require.NoError(t, err)
			}
			w.Clock.Advance(c.after)
			view, err := w.Issuer.Inspect(t.Context(), "acct")
			require.NoError(t, err)
			require.Equal(t, c.want, view.Devices[0].OpenToRetry)
			w.Clock.Advance(-c.behind)
			_, err = w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: deviceID})
			require.Equal(t, c.want, err == nil, "%v", err)
		})
	}
}

// A device that has seen too many wrong codes which name none is skipped by such
// codes, and by nothing else. Support must see that, and that it ends.
func TestInspect_ShowsWhichDevicesAreSkipped(t *testing.T) {
	h := newHouse(t)
	look := func() devicetotp.DeviceOverview {
		view, err := h.Issuer.Inspect(t.Context(), "acct")
		require.NoError(t, err)
		require.Equal(t, targetID, view.Devices[1].ID)
		return view.Devices[1]
	}
	require.Zero(t, look().Failures)
	for range 5 {
		_ = h.guess(t, "verify")
	}
	got := look()
	require.Equal(t, 5, got.Failures)
	require.True(t, got.Skipped)
	require.Equal(t, h.Clock.Now().Add(30*time.Second), got.SkippedUntil)
	require.False(t, got.Blocked, "a code that names it is compared")
	h.Clock.Advance(30 * time.Second)
	require.False(t, look().Skipped)
	require.Zero(t, look().SkippedUntil)
	for range unnamedLimit {
		h.Clock.Advance(2 * time.Hour)
		_ = h.guess(t, "create")
	}
	got = look()
	require.Equal(t, unnamedLimit, got.Failures)
	require.True(t, got.Skipped)
	require.Zero(t, got.SkippedUntil, "no wait ends it")
	require.False(t, got.Blocked)
	for range 5 {
		_ = h.guess(t, "verify, the target named")
	}
	got = look()
	require.Equal(t, unnamedLimit+5, got.Failures, "by all paths")
	require.True(t, got.Blocked)
	require.Equal(t, h.Clock.Now().Add(30*time.Second), got.BlockedUntil)
	h.Clock.Advance(time.Minute)
	require.NoError(t, h.verify(t, targetID, h.target.Code()))
	got = look()
	require.Zero(t, got.Failures)
	require.False(t, got.Skipped || got.Blocked)
}

// Only what would be accepted now is pending: not what was spent, replaced, or has
// expired, although it is remembered.
func TestInspect_ShowsPendingCodesOnly(t *testing.T) {
	h := newHouse(t, twoKinds)
	look := func() (kinds []string) {
		view, err := h.Issuer.Inspect(t.Context(), "acct")
		require.NoError(t, err)
		for _, c := range view.Codes {
			kinds = append(kinds, c.Kind)
		}
		return kinds
	}
	h.addCode(t, verifier.KindAccount, rightCode)
	h.addCode(t, verifier.KindAccount, "66666666")
	require.Equal(t, []string{verifier.KindAccount}, look(), "one was replaced")
	h.addCode(t, "sms", "55555555")
	require.NoError(t, h.create(t, secret("66666666")))
	require.Equal(t, []string{"sms"}, look(), "one is spent")
	h.Clock.Advance(10*time.Minute - 1)
	require.Equal(t, []string{"sms"}, look())
	h.Clock.Advance(1)
	require.Empty(t, look(), "expired")
	require.Len(t, h.account.Stored().State.Codes, 3, "all are remembered")
}

// A kind of one-time code that is blocked is shown whether one is pending or not:
// AddCode announces none then.
func TestInspect_ShowsWhichKindsOfCodeAreBlocked(t *testing.T) {
	h := newHouse(t, twoKinds)
	look := func() []devicetotp.KindOverview {
		view, err := h.Issuer.Inspect(t.Context(), "acct")
		require.NoError(t, err)
		return view.Kinds
	}
	require.Empty(t, look())
	h.addCode(t, "sms", "55555555")
	for range 4 {
		require.Error(t, h.create(t, secret(wrongCode)))
	}
	require.Equal(t, []devicetotp.KindOverview{{Kind: "sms", Failures: 4}}, look())
	require.Error(t, h.create(t, secret(wrongCode)))
	require.Equal(t, []devicetotp.KindOverview{{
		Kind: "sms", Failures: 5, Blocked: true, BlockedUntil: h.Clock.Now().Add(30 * time.Second),
	}}, look())
	for range kindLimit {
		h.Clock.Advance(2 * time.Hour)
		_ = h.announce(t, "sms", "55555555")
		_ = h.create(t, secret(wrongCode))
	}
	h.Clock.Advance(2 * time.Hour)
	require.Equal(t, []devicetotp.KindOverview{{Kind: "sms", Failures: kindLimit, Blocked: true}}, look(), "no code is pending")
	require.NoError(t, h.Issuer.Unblock(t.Context(), devicetotp.UnblockRequest{AccountID: "acct"}))
	require.Empty(t, look())
	changeState(t, h.World, func(s *credential.State) {
		s.Kinds = []credential.KindAttempts{{Kind: "sms", Attempts: credential.Attempts{LastAt: h.Clock.Now()}}}
	})
	require.Empty(t, look(), "no failure is left")
}

// A code of the next time step is accepted before that step has begun. The device
// was then used now, not in the future.
func TestInspect_LastUsedAtIsNeverInTheFuture(t *testing.T) {
	h := newHouse(t)
	look := func() time.Time {
		view, err := h.Issuer.Inspect(t.Context(), "acct")
		require.NoError(t, err)
		return view.Devices[1].LastUsedAt
	}
	h.Clock.Set(h.Clock.Now().Truncate(30 * time.Second).Add(10 * time.Second))
	used := h.Clock.Now()
	require.NoError(t, h.verify(t, targetID, h.target.Drifted(1)))
	require.Equal(t, used.UTC(), look())
	h.Clock.Advance(time.Hour)
	require.Equal(t, used.Add(50*time.Second).UTC(), look(), "the end of its step, which is all that is stored")
}
