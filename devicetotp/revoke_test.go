package devicetotp_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/devicetotptest"
	"example.com/devicetotp/verifier"
)

func revoke(t *testing.T, w *devicetotptest.World, devices ...string) devicetotp.Revoked {
	t.Helper()
	out, err := w.Issuer.Revoke(t.Context(), devicetotp.RevokeRequest{AccountID: "acct", DeviceIDs: devices})
	require.NoError(t, err)
	return out
}

func revokedIDs(s credential.State) (out []string) {
	for _, r := range s.Revoked {
		out = append(out, r.ID)
	}
	return out
}

// A revoked device's codes are refused by every door from the next request on,
// and those of the others are not.
func TestRevoke_ItsCodesAreRefused(t *testing.T) {
	w := devicetotptest.New(t)
	a, devices := enrol(t, w, "acct", 2)
	gone, stays := w.Phone(devices[0]), w.Phone(devices[1])
	require.Equal(t, devicetotp.Revoked{DeviceIDs: []string{otherID(0)}}, revoke(t, w, strings.ToUpper(otherID(0)), otherID(0), otherID(9)))
	require.Equal(t, []string{otherID(0)}, w.Events()[len(w.Events())-1].Revoked)
	require.Equal(t, []string{otherID(1)}, ids(a.Stored().State.Devices))
	for _, named := range []string{"", otherID(0)} {
		_, err := verify(t, w, named, gone.Code())
		requireCode(t, devicetotp.CodeInvalidCredentials, err)
	}
	_, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", OTP: gone.Code()})
	requireCode(t, devicetotp.CodeInvalidCredentials, err)
	_, err = prove(t, w, devicetotp.ProveRequest{OTP: gone.Code()})
	requireCode(t, devicetotp.CodeInvalidCredentials, err)
	_, err = verify(t, w, "", stays.Code())
	require.NoError(t, err)
}

func TestRevoke_ChecksTheForm(t *testing.T) {
	w := devicetotptest.New(t)
	a, _ := enrol(t, w, "acct", 1)
	before := a.Stored()
	many := func(n int) []string { return slices.Repeat([]string{otherID(9)}, n) }
	for _, c := range []struct {
		ids  []string
		code devicetotp.Code
	}{
		{nil, devicetotp.CodeInvalidArgument}, {many(101), devicetotp.CodeInvalidArgument}, {[]string{""}, devicetotp.CodeInvalidID},
		{[]string{otherID(0), "all"}, devicetotp.CodeInvalidID}, {[]string{otherID(0) + " "}, devicetotp.CodeInvalidID}, {many(100), ""},
	} {
		_, err := w.Issuer.Revoke(t.Context(), devicetotp.RevokeRequest{AccountID: "acct", DeviceIDs: c.ids})
		require.Equal(t, c.code, devicetotp.CodeOf(err))
		if c.code != "" {
			require.Equal(t, "DeviceIDs", requireCode(t, c.code, err).Field)
			require.Equal(t, before, a.Stored())
		}
	}
	_, err := w.Issuer.Revoke(t.Context(), devicetotp.RevokeRequest{AccountID: "unknown", DeviceIDs: many(1)})
	require.Equal(t, "AccountID", requireCode(t, devicetotp.CodeInvalidArgument, err).Field)
	require.ErrorIs(t, err, credential.ErrNotFound)
}

// graph is an account's devices: for each id, which made it ("" for none) and when.
type graph []struct {
	id, madeBy string
	createdAt  time.Time
}

// goes states once more, independently, whether device n goes: if it is named, or
// if any of its makers does.
func (g graph) goes(n int, r devicetotp.RevokeRequest) (named, goes bool) {
	if slices.Contains(r.DeviceIDs, g[n].id) {
		old := r.CreatedUntil.IsZero() || g[n].createdAt.Truncate(time.Second).Compare(r.CreatedUntil.Truncate(time.Second)) <= 0
		return old, old
	}
	for m := range g {
		if r.WithMadeBy && g[m].id == g[n].madeBy {
			_, goes := g.goes(m, r)
			return false, goes
		}
	}
	return false, false
}

// Random families of devices, every choice of ids, with and without what they
// made, up to some time.
func TestRevoke_TruthTable(t *testing.T) {
	const size = 6
	rnd := rand.New(rand.NewPCG(11, 12))
	w := devicetotptest.New(t)
	took, made, kept := 0, 0, 0
	for range 800 {
		a := w.Account("acct")
		var g graph
		change(t, w, func(s *credential.State) {
			for n := range size {
				d := credential.Device{ID: otherID(n), Basis: credential.BasisOTP, CreatedAt: w.Clock.Now().Add(time.Duration(rnd.IntN(4)) * 700 * time.Millisecond)}
				if n > 0 && rnd.IntN(3) > 0 {
					d.MadeBy = otherID(rnd.IntN(n + 2)) // one of those before it, or one that is gone
				}
				if d.MadeBy == d.ID || d.MadeBy == otherID(n+1) {
					d.MadeBy = otherID(20)
				}
				s.Devices = append(s.Devices, d)
			}
			rnd.Shuffle(size, func(i, j int) { s.Devices[i], s.Devices[j] = s.Devices[j], s.Devices[i] })
			for _, d := range s.Devices {
				g = append(g, struct {
					id, madeBy string
					createdAt  time.Time
				}{d.ID, d.MadeBy, d.CreatedAt})
			}
		})
		a.Locked(rnd.IntN(2) == 0)
		r := devicetotp.RevokeRequest{AccountID: "acct", WithMadeBy: rnd.IntN(2) == 0}
		for range 1 + rnd.IntN(3) {
			r.DeviceIDs = append(r.DeviceIDs, otherID(rnd.IntN(size+2)))
		}
		if rnd.IntN(2) == 0 {
			r.CreatedUntil = w.Clock.Now().Add(time.Duration(rnd.IntN(4)) * 700 * time.Millisecond)
		}
		var want devicetotp.Revoked
		var all, left []string
		for n := range g {
			named, goes := g.goes(n, r)
			switch {
			case named:
				want.DeviceIDs = append(want.DeviceIDs, g[n].id)
			case goes:
				want.MadeBy = append(want.MadeBy, g[n].id)
			default:
				left = append(left, g[n].id)
			}
			if goes {
				all = append(all, g[n].id)
			}
		}
		took, made, kept = took+len(want.DeviceIDs), made+len(want.MadeBy), kept+len(left)
		what := fmt.Sprintf("%+v of %+v", r, g)
		before := a.Stored().Version
		got, err := w.Issuer.Revoke(t.Context(), r)
		require.NoError(t, err, what)
		require.Equal(t, want, got, what)
		after := a.Stored()
		require.NotEqual(t, before, after.Version, "%s: a success saves", what)
		require.Equal(t, left, ids(after.State.Devices), what)
		require.Equal(t, all, revokedIDs(after.State), what)
		require.Equal(t, all, w.Events()[len(w.Events())-1].Revoked, what)

		again, err := w.Issuer.Revoke(t.Context(), r)
		require.NoError(t, err, what)
		require.Zero(t, again, "%s: a retry takes nothing", what)
		require.Equal(t, withoutWrites(t, after.State), withoutWrites(t, a.Stored().State), what)
	}
	for _, n := range []int{took, 2 * made, kept} {
		require.Greater(t, n, 250)
	}
}

// The id of a revoked device stays taken for the retry window, whatever the device
// was created on and whatever the late request presents; nothing is looked at.
func TestRevoke_ALateCreateDoesNotBringItBack(t *testing.T) {
	for _, basis := range bases {
		t.Run(basis.String(), func(t *testing.T) {
			w, a, r, _ := retryWorld(t, basis)
			revoke(t, w, deviceID)
			a.OTP("777777")
			for _, at := range []time.Duration{0, time.Second, 5*time.Minute - time.Second} {
				w.Clock.Set(devicetotptest.Start.Add(at))
				for _, r := range []devicetotp.CreateRequest{r, {}, {OTP: secret("777777")}, {PIN: secret("8299")}, {PIN: secret("0000")}} {
					r.AccountID, r.DeviceID = "acct", deviceID
					before := a.Stored()
					_, err := w.Issuer.Create(t.Context(), r)
					require.Equal(t, "DeviceID", requireCode(t, devicetotp.CodeIDInUse, err).Field)
					require.Equal(t, before, a.Stored(), "nothing was looked at")
				}
			}
			w.Clock.Set(devicetotptest.Start.Add(5 * time.Minute)) // both ends inside, as for a retry
			_, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: deviceID, PIN: secret("8299")})
			requireCode(t, devicetotp.CodeIDInUse, err)
			w.Clock.Advance(1)
			_, err = w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: deviceID, PIN: secret("8299")})
			require.NoError(t, err, "a phone that uses one id for ever is served again")
			require.Empty(t, a.Stored().State.Revoked)
		})
	}
}

// A clock that is ahead or behind for a moment brings nothing back, once it is
// right again.
func TestRevoke_AClockThatIsWrongForAMomentRevivesNothing(t *testing.T) {
	for _, off := range []time.Duration{-48 * time.Hour, -time.Hour, -10 * time.Minute, 10 * time.Minute, 12 * time.Hour, 365 * 24 * time.Hour} {
		for name, meanwhile := range map[string]func(t *testing.T, w *devicetotptest.World){
			"create": func(t *testing.T, w *devicetotptest.World) {
				_, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: otherID(50), PIN: secret("8299")})
				require.NoError(t, err)
			},
			"revoke": func(t *testing.T, w *devicetotptest.World) { revoke(t, w, otherID(1)) },
		} {
			t.Run(off.String()+"/"+name, func(t *testing.T) {
				w := devicetotptest.New(t)
				enrol(t, w, "acct", 2)
				revoke(t, w, otherID(0))
				w.Clock.Advance(off)
				meanwhile(t, w)
				w.Clock.Advance(-off)
				_, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: otherID(0), PIN: secret("8299")})
				requireCode(t, devicetotp.CodeIDInUse, err)
			})
		}
	}
}

// The same where the clock was ahead when the device was revoked: the id is held
// until its window is over by that clock, but not for ever.
func TestRevoke_ARevocationAheadOfNowHoldsTheIDAndEnds(t *testing.T) {
	create := func(w *devicetotptest.World) error {
		_, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: otherID(0), PIN: secret("8299")})
		return err
	}
	for ahead, held := range map[time.Duration]bool{10 * time.Minute: true, 24 * time.Hour: true, 24*time.Hour + 1: false, 1000 * time.Hour: false} {
		w := devicetotptest.New(t)
		enrol(t, w, "acct", 1)
		w.Clock.Advance(ahead)
		revoke(t, w, otherID(0))
		w.Clock.Advance(-ahead)
		require.Equal(t, held, devicetotp.CodeOf(create(w)) == devicetotp.CodeIDInUse, "%v", ahead)
		w.Clock.Advance(min(ahead, 24*time.Hour) + 5*time.Minute + 1)
		if held {
			require.NoError(t, create(w), "%v", ahead)
		}
	}
}

// Without a retry window no id is held.
func TestRevoke_WithoutARetryWindowNoIDIsHeld(t *testing.T) {
	w := devicetotptest.New(t, devicetotptest.WithPolicy(func(p *devicetotp.Policy) { p.RetryWindow, p.MaxDevices = 0, 1 }))
	enrol(t, w, "acct", 1)
	revoke(t, w, otherID(0))
	_, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: otherID(0), PIN: secret("8299")})
	require.NoError(t, err)
}

// A remembered id takes a place until the retry window has passed. Then the oldest
// makes room, before any device does.
func TestRevoke_ARememberedIDTakesAPlace(t *testing.T) {
	w := devicetotptest.New(t, devicetotptest.WithPolicy(func(p *devicetotp.Policy) { p.MaxDevices, p.UnusedAfter = 3, 5*time.Minute }))
	a, _ := enrol(t, w, "acct", 3)
	create := func(n int) error {
		_, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: otherID(n), PIN: secret("8299")})
		return err
	}
	room := func() bool {
		view, err := w.Issuer.Inspect(t.Context(), "acct")
		require.NoError(t, err)
		return view.Room
	}
	revoke(t, w, otherID(0))
	w.Clock.Advance(time.Minute)
	revoke(t, w, otherID(1))
	require.False(t, room())
	requireCode(t, devicetotp.CodeDeviceLimitReached, create(10))
	w.Clock.Advance(4*time.Minute + 1)
	require.True(t, room())
	require.NoError(t, create(10))
	require.Equal(t, []string{otherID(2), otherID(10)}, ids(a.Stored().State.Devices), "the place of the first, and of no device")
	require.Equal(t, []string{otherID(1)}, revokedIDs(a.Stored().State))
	w.Clock.Advance(time.Minute)
	require.NoError(t, create(11))
	require.Empty(t, a.Stored().State.Revoked)
	require.Len(t, a.Stored().State.Devices, 3)
}

// What a device counted against grace stays counted.
func TestRevoke_GraceStaysCounted(t *testing.T) {
	w, a, devices := onGrace(t, 5)
	for _, d := range devices {
		revoke(t, w, d.ID)
	}
	require.Equal(t, 5, a.Stored().State.GraceIssued)
	_, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: otherID(50)})
	requireCode(t, devicetotp.CodeCredentialsRequired, err)
}

// Revoke works on a locked account, and on a device that does not open.
func TestRevoke_WorksWhereNothingElseDoes(t *testing.T) {
	for _, basis := range []credential.Basis{credential.BasisPIN, credential.BasisImported} {
		w := devicetotptest.New(t)
		a, _ := enrol(t, w, "acct", 2)
		change(t, w, func(s *credential.State) { s.Devices[0].Sealed, s.Devices[0].Basis = []byte("broken"), basis })
		a.Locked(true)
		require.Equal(t, devicetotp.Revoked{DeviceIDs: []string{otherID(0)}}, revoke(t, w, otherID(0)))
		state, event := a.Stored().State, w.Events()[len(w.Events())-1]
		require.Equal(t, []string{otherID(1)}, ids(state.Devices))
		imported := basis == credential.BasisImported
		require.Equal(t, []credential.RevokedDevice{{ID: otherID(0), At: devicetotptest.Start, Imported: imported}}, state.Revoked)
		require.Equal(t, oneIf(imported), len(event.Unreadable), "the Event names what does not open")
	}
}

// imported makes device n of the account one that was imported.
func imported(t *testing.T, w *devicetotptest.World, n int, secretOf string) {
	t.Helper()
	change(t, w, func(s *credential.State) {
		d := &s.Devices[s.DeviceIndex(otherID(n))]
		d.Basis = credential.BasisImported
		var err error
		d.Sealed, err = w.Keys.Seal(credential.DeviceScope("acct", d), secret(secretOf))
		require.NoError(t, err)
	})
}

// An imported device is remembered for ever, with the hash of its secret, and takes
// no place; its id is held no longer than another.
func TestRevoke_AnImportedDeviceIsRememberedForEver(t *testing.T) {
	w := devicetotptest.New(t, devicetotptest.WithPolicy(func(p *devicetotp.Policy) { p.MaxDevices, p.UnusedAfter = 2, 5*time.Minute }))
	a, _ := enrol(t, w, "acct", 2)
	imported(t, w, 0, "an imported secret..")
	revoke(t, w, otherID(0))
	create := func(n int) error {
		_, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: otherID(n), PIN: secret("8299")})
		return err
	}
	requireCode(t, devicetotp.CodeIDInUse, create(0))
	require.NoError(t, create(1000), "it takes no place")
	w.Clock.Advance(5*time.Minute - 1) // no device is unused for long
	requireCode(t, devicetotp.CodeDeviceLimitReached, create(1001))
	w.Clock.Advance(2)
	change(t, w, func(s *credential.State) {
		for i := range s.Devices {
			s.Devices[i].LastStep = 1
		}
	})
	requireCode(t, devicetotp.CodeDeviceLimitReached, create(1001)) // and it has none to give
	change(t, w, func(s *credential.State) {
		for i := range s.Devices {
			s.Devices[i].LastStep = 0
		}
	})
	for n := range 5 {
		w.Clock.Advance(24 * time.Hour)
		require.NoError(t, create(1001+n))
		revoke(t, w, otherID(1001+n))
	}
	w.Clock.Advance(24 * time.Hour)
	require.NoError(t, create(0), "its id is free after the retry window")
	revoke(t, w, otherID(0)) // which was not imported this time
	state := a.Stored().State
	i := slices.IndexFunc(state.Revoked, func(r credential.RevokedDevice) bool { return r.Imported })
	require.Equal(t, otherID(0), state.Revoked[i].ID)
	require.Equal(t, w.Clock.Now(), state.Revoked[i].At)
	sum := sha256.Sum256([]byte("an imported secret.."))
	opened, _, err := w.Keys.Open(credential.RevokedScope("acct", otherID(0)), state.Revoked[i].Sealed)
	require.NoError(t, err)
	require.Equal(t, string(sum[:]), opened.Reveal())
}

// Revoke is never refused for room: the oldest go that need not be held, then the
// oldest that are held, and an imported device last.
func TestRevoke_IsNeverRefusedForRoom(t *testing.T) {
	old, now := devicetotptest.Start.Add(-time.Hour), devicetotptest.Start
	fill := func(n int, at time.Time, imported bool) (out []credential.RevokedDevice) {
		for range n {
			out = append(out, credential.RevokedDevice{At: at, Imported: imported})
		}
		return out
	}
	for name, c := range map[string]struct {
		before []credential.RevokedDevice
		gone   int // index of the one that is forgotten; -1 for none
	}{
		"one place left":          {fill(99, now, false), -1},
		"one is not held":         {slices.Concat(fill(50, now, true), fill(20, now, false), fill(1, old, false), fill(29, now, false)), 70},
		"two are not held":        {slices.Concat(fill(1, now, false), fill(2, old, false), fill(97, now, true)), 1},
		"all are held":            {slices.Concat(fill(60, old, true), fill(40, now, false)), 60},
		"all imported, for what?": {fill(100, old, true), 0},
	} {
		t.Run(name, func(t *testing.T) {
			w := devicetotptest.New(t)
			a, _ := enrol(t, w, "acct", 1)
			for n := range c.before {
				c.before[n].ID = otherID(1000 + n)
			}
			change(t, w, func(s *credential.State) { s.Revoked = c.before })
			want := revokedIDs(credential.State{Revoked: c.before})
			if c.gone >= 0 {
				want = slices.Delete(want, c.gone, c.gone+1)
			}
			revoke(t, w, otherID(0))
			require.Equal(t, append(want, otherID(0)), revokedIDs(a.Stored().State))
		})
	}
}

// A retry that comes after the retry window does not take a new device of the same
// id, nor what that one made, if it says what it was about.
func TestRevoke_ALateRetryTakesNoDeviceThatCameLater(t *testing.T) {
	w := devicetotptest.New(t)
	a, devices := enrol(t, w, "acct", 1)
	makes := func(d devicetotp.DeviceTOTP, n int) {
		_, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: otherID(n), OTP: w.Phone(d).Code()})
		require.NoError(t, err)
	}
	makes(devices[0], 10)
	view, err := w.Issuer.Inspect(t.Context(), "acct")
	require.NoError(t, err)
	require.Equal(t, otherID(0), view.Devices[1].MadeBy)
	r := devicetotp.RevokeRequest{AccountID: "acct", DeviceIDs: []string{otherID(0)}, WithMadeBy: true, CreatedUntil: view.Devices[0].CreatedAt.Truncate(time.Second)}
	out, err := w.Issuer.Revoke(t.Context(), r)
	require.NoError(t, err)
	require.Equal(t, devicetotp.Revoked{DeviceIDs: []string{otherID(0)}, MadeBy: []string{otherID(10)}}, out)

	w.Clock.Advance(5*time.Minute + 1)
	again, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: otherID(0), PIN: secret("8299")})
	require.NoError(t, err)
	makes(again, 11)
	out, err = w.Issuer.Revoke(t.Context(), r)
	require.NoError(t, err)
	require.Zero(t, out)
	require.Equal(t, []string{otherID(0), otherID(11)}, ids(a.Stored().State.Devices))
	r.CreatedUntil = time.Time{}
	out, err = w.Issuer.Revoke(t.Context(), r)
	require.NoError(t, err)
	require.Equal(t, devicetotp.Revoked{DeviceIDs: []string{otherID(0)}, MadeBy: []string{otherID(11)}}, out)
}

// Whoever has a stolen phone may make a device on its codes, another on the codes of
// that one, and then remove what stands between: the last one still goes with the phone.
func TestRevoke_TakesWhatWasMadeByADeviceThatIsGone(t *testing.T) {
	w := devicetotptest.New(t)
	a, devices := enrol(t, w, "acct", 1)
	makes := func(d devicetotp.DeviceTOTP, n int) devicetotp.DeviceTOTP {
		made, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: otherID(n), OTP: w.Phone(d).Code()})
		require.NoError(t, err)
		return made
	}
	makes(makes(makes(makes(devices[0], 1), 2), 3), 4)
	for n, d := range a.Stored().State.Devices[1:] {
		require.Equal(t, otherID(n), d.MadeBy, "as long as that one is there")
	}
	out, err := w.Issuer.Revoke(t.Context(), devicetotp.RevokeRequest{AccountID: "acct", DeviceIDs: []string{otherID(1), otherID(2)}})
	require.NoError(t, err)
	require.Equal(t, []string{otherID(1), otherID(2)}, out.DeviceIDs)
	revoke(t, w, otherID(3))
	require.Equal(t, otherID(0), a.Stored().State.Devices[1].MadeBy)
	out, err = w.Issuer.Revoke(t.Context(), devicetotp.RevokeRequest{AccountID: "acct", DeviceIDs: []string{otherID(0)}, WithMadeBy: true})
	require.NoError(t, err)
	require.Equal(t, devicetotp.Revoked{DeviceIDs: []string{otherID(0)}, MadeBy: []string{otherID(4)}}, out)
}

// A device that makes room for the one that is made on its code is gone like one that
// was revoked.
func TestRevoke_TakesWhatWasMadeByADeviceThatMadeRoomForIt(t *testing.T) {
	w := devicetotptest.New(t, devicetotptest.WithPolicy(func(p *devicetotp.Policy) { p.MaxDevices = 2 }))
	a, devices := enrol(t, w, "acct", 1)
	made := devices[0]
	for n := range 3 {
		var err error
		made, err = w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: otherID(n + 1), OTP: w.Phone(made).Code()})
		require.NoError(t, err)
		w.Clock.Advance(25 * time.Hour)
	}
	require.Equal(t, []string{otherID(2)}, w.Events()[len(w.Events())-1].Evicted)
	require.Equal(t, otherID(0), a.Stored().State.Devices[1].MadeBy)
	out, err := w.Issuer.Revoke(t.Context(), devicetotp.RevokeRequest{AccountID: "acct", DeviceIDs: []string{otherID(0)}, WithMadeBy: true})
	require.NoError(t, err)
	require.Equal(t, devicetotp.Revoked{DeviceIDs: []string{otherID(0)}, MadeBy: []string{otherID(3)}}, out)
}

// Each made room for the next, so that it was the only one, and the first made all.
func TestRevoke_TheOnlyDeviceThatMadeRoomPassesOnWhatMadeIt(t *testing.T) {
	w := devicetotptest.New(t, devicetotptest.WithPolicy(func(p *devicetotp.Policy) { p.MaxDevices = 1 }))
	a, devices := enrol(t, w, "acct", 1)
	made := devices[0]
	for n := range 3 {
		w.Clock.Advance(25 * time.Hour)
		var err error
		made, err = w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: otherID(n + 1), OTP: w.Phone(made).Code()})
		require.NoError(t, err)
		require.Equal(t, []string{otherID(n)}, w.Events()[len(w.Events())-1].Evicted)
		require.Equal(t, otherID(0), a.Stored().State.Devices[0].MadeBy)
	}
}

// A row that was edited may have devices that made each other.
func TestRevoke_OfDevicesThatMadeEachOtherEnds(t *testing.T) {
	w := devicetotptest.New(t)
	a, _ := enrol(t, w, "acct", 3)
	change(t, w, func(s *credential.State) {
		s.Devices[0].MadeBy, s.Devices[1].MadeBy, s.Devices[2].MadeBy = otherID(1), otherID(0), otherID(0)
	})
	out, err := w.Issuer.Revoke(t.Context(), devicetotp.RevokeRequest{AccountID: "acct", DeviceIDs: []string{otherID(0), otherID(1)}})
	require.NoError(t, err)
	require.Len(t, out.DeviceIDs, 2)
	require.Equal(t, []string{otherID(2)}, ids(a.Stored().State.Devices))
}

// What an earlier device of an id made is not taken with a later one of that id.
func TestRevoke_ALaterDeviceMadeNothingOfTheEarlierOne(t *testing.T) {
	w := devicetotptest.New(t)
	a, devices := enrol(t, w, "acct", 1)
	_, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: otherID(10), OTP: w.Phone(devices[0]).Code()})
	require.NoError(t, err)
	revoke(t, w, otherID(0))
	require.Equal(t, otherID(0), a.Stored().State.Devices[0].MadeBy)
	w.Clock.Advance(5*time.Minute + 1)
	_, err = w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: otherID(0), PIN: secret("8299")})
	require.NoError(t, err)
	out, err := w.Issuer.Revoke(t.Context(), devicetotp.RevokeRequest{AccountID: "acct", DeviceIDs: []string{otherID(0)}, WithMadeBy: true})
	require.NoError(t, err)
	require.Equal(t, devicetotp.Revoked{DeviceIDs: []string{otherID(0)}}, out)
	require.Equal(t, []string{otherID(10)}, ids(a.Stored().State.Devices))
}

// A device is revoked while its codes are presented, its Create is retried and it
// is renamed, by several processes: once it is revoked, nothing of it is left.
func TestRevoke_AtOnceWithEverythingElse(t *testing.T) {
	w := devicetotptest.New(t)
	all := issuers(t, w, 4)
	for round := range 30 {
		a, devices := enrol(t, w, "acct", 1)
		code := w.Phone(devices[0]).Code()
		ctx := context.Background()
		took := make([]devicetotp.Revoked, 20)
		codes := together(len(took), func(n int) (err error) {
			switch i := all[n%len(all)]; n % 5 {
			case 0, 1:
				took[n], err = i.Revoke(ctx, devicetotp.RevokeRequest{AccountID: "acct", DeviceIDs: []string{otherID(0)}, WithMadeBy: true})
				if err != nil {
					return fmt.Errorf("revoke: %w", err)
				}
				return nil
			case 2:
				_, err = i.Create(ctx, devicetotp.CreateRequest{AccountID: "acct", DeviceID: otherID(0), PIN: secret("8299")})
			case 3:
				_, err = i.Create(ctx, devicetotp.CreateRequest{AccountID: "acct", DeviceID: otherID(100 + n), OTP: code})
			default:
				err = i.Rename(ctx, devicetotp.RenameRequest{AccountID: "acct", DeviceID: otherID(0), Name: "Phone"})
			}
			return err
		})
		require.Zero(t, codes[devicetotp.CodeInternal], "%v", codes)
		times := 0
		for _, out := range took {
			times += len(out.DeviceIDs)
		}
		require.Equal(t, 1, times, "round %d: one request took it", round)
		state := a.Stored().State
		require.Negative(t, state.DeviceIndex(otherID(0)))
		require.Contains(t, revokedIDs(state), otherID(0))
		_, err := w.Issuer.Verify(ctx, devicetotp.VerifyRequest{AccountID: "acct", DeviceID: otherID(0), Code: w.Phone(devices[0]).Drifted(1)})
		require.Error(t, err)
	}
}

// A code of a device that is a pending one-time code, too, is a code of the device all
// the same: what is made on it goes with the device.
func TestRevoke_TakesWhatWasMadeOnACodeThatIsAlsoAOneTimeCode(t *testing.T) {
	h := newHouse(t)
	code := h.own.Code()
	h.addCode(t, verifier.KindAccount, code.Reveal())
	_, err := h.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: deviceID, OTP: code})
	require.NoError(t, err)
	require.Equal(t, verifier.KindAccount, lastEvent(h.World).Factors[0].Kind)
	out, err := h.Issuer.Revoke(t.Context(), devicetotp.RevokeRequest{AccountID: "acct", DeviceIDs: []string{ownID}, WithMadeBy: true})
	require.NoError(t, err)
	require.Equal(t, devicetotp.Revoked{DeviceIDs: []string{ownID}, MadeBy: []string{deviceID}}, out)
}
