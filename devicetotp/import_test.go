package devicetotp_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/devicetotptest"
)

// importRequest is an import that succeeds: the id is otherID(7).
func importRequest() devicetotp.ImportRequest {
	return devicetotp.ImportRequest{
		AccountID: "acct", DeviceID: otherID(7), Name: "old phone", Secret: secret("imported-secret-20.."),
		Algorithm: credential.AlgorithmSHA1, Digits: 6, Period: 30 * time.Second,
	}
}

// importedPhone is the phone that r is about.
func importedPhone(w *devicetotptest.World, r devicetotp.ImportRequest) *devicetotptest.Phone {
	return w.Phone(devicetotp.DeviceTOTP{Secret: r.Secret, Algorithm: r.Algorithm, Digits: r.Digits, Period: r.Period})
}

func TestImport_AddsADeviceThatCountsAsUsed(t *testing.T) {
	for _, locked := range []bool{false, true} {
		w := devicetotptest.New(t)
		a := w.Account("acct").RegisteredAgo(0).Locked(locked)
		r := importRequest()
		got, err := w.Issuer.Import(t.Context(), r)
		require.NoError(t, err, "locked: %v", locked)
		require.Equal(t, devicetotp.Imported{DeviceID: otherID(7), CreatedAt: devicetotptest.Start}, got)
		d := a.Stored().State.Devices[0]
		d.Sealed = nil
		require.Equal(t, credential.Device{
			ID: otherID(7), Name: "old phone", Algorithm: credential.AlgorithmSHA1, Digits: 6, Period: 30 * time.Second,
			Basis: credential.BasisImported, CreatedAt: devicetotptest.Start,
		}, d)
		event := w.Events()[0]
		require.Equal(t, []any{devicetotp.OpImport, otherID(7), credential.BasisImported, devicetotptest.Start, false, false},
			[]any{event.Op, event.DeviceID, event.Basis, event.CreatedAt, event.Replayed, event.RestsOnGrace})

		a.Locked(false)
		_, err = w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: otherID(7)})
		requireCode(t, devicetotp.CodeIDInUse, err)
		view, err := w.Issuer.Inspect(t.Context(), "acct")
		require.NoError(t, err)
		require.Zero(t, view.Devices[0].LastUsedAt, "nobody knows")
		code := importedPhone(w, r).Code()
		_, err = verify(t, w, otherID(7), code)
		require.NoError(t, err)
		require.False(t, w.Events()[len(w.Events())-1].RestsOnGrace)
	}
}

// Each bound is held on the way in, and whatever got in works afterwards: its code
// is accepted once, it makes a device, and it is rotated.
func TestImport_Bounds(t *testing.T) {
	for _, c := range []struct {
		field  string
		change func(*devicetotp.ImportRequest)
	}{
		{"", func(*devicetotp.ImportRequest) {}},
		{"", func(r *devicetotp.ImportRequest) { r.Secret = secret(strings.Repeat("a", 10)) }},
		{"Secret", func(r *devicetotp.ImportRequest) { r.Secret = secret(strings.Repeat("a", 9)) }},
		{"Secret", func(r *devicetotp.ImportRequest) { r.Secret = secret("") }},
		{"Secret", func(r *devicetotp.ImportRequest) { r.Secret = credential.Secret{} }},
		{"", func(r *devicetotp.ImportRequest) { r.Secret = secret(strings.Repeat("\xff", 128)) }},
		{"Secret", func(r *devicetotp.ImportRequest) { r.Secret = secret(strings.Repeat("a", 129)) }},
		{"", func(r *devicetotp.ImportRequest) { r.Period = 10 * time.Second }},
		{"Period", func(r *devicetotp.ImportRequest) { r.Period = 9 * time.Second }},
		{"Period", func(r *devicetotp.ImportRequest) { r.Period = 0 }},
		{"Period", func(r *devicetotp.ImportRequest) { r.Period = -30 * time.Second }},
		{"", func(r *devicetotp.ImportRequest) { r.Period = 300 * time.Second }},
		{"Period", func(r *devicetotp.ImportRequest) { r.Period = 301 * time.Second }},
		{"Period", func(r *devicetotp.ImportRequest) { r.Period = 30*time.Second + 1 }},
		{"", func(r *devicetotp.ImportRequest) { r.Digits = 7 }},
		{"", func(r *devicetotp.ImportRequest) { r.Digits = 8 }},
		{"", func(r *devicetotp.ImportRequest) { r.Digits = 10 }},
		{"Digits", func(r *devicetotp.ImportRequest) { r.Digits = 5 }},
		{"Digits", func(r *devicetotp.ImportRequest) { r.Digits = 11 }},
		{"Digits", func(r *devicetotp.ImportRequest) { r.Digits = 0 }},
		{"", func(r *devicetotp.ImportRequest) { r.Algorithm = credential.AlgorithmSHA512 }},
		{"Algorithm", func(r *devicetotp.ImportRequest) { r.Algorithm = 0 }},
		{"Algorithm", func(r *devicetotp.ImportRequest) { r.Algorithm = 4 }},
		{"", func(r *devicetotp.ImportRequest) { r.Name = "" }},
		{"", func(r *devicetotp.ImportRequest) { r.Name = strings.Repeat("é", 64) }},
		{"Name", func(r *devicetotp.ImportRequest) { r.Name = strings.Repeat("é", 65) }},
		{"Name", func(r *devicetotp.ImportRequest) { r.Name = " phone" }},
		{"Name", func(r *devicetotp.ImportRequest) { r.Name = "my\u202ephone" }},
		{"Name", func(r *devicetotp.ImportRequest) { r.Name = "my\xffphone" }},
		{"Name", func(r *devicetotp.ImportRequest) { r.Name = "my\nphone" }},
		{"DeviceID", func(r *devicetotp.ImportRequest) { r.DeviceID = "" }},
		{"DeviceID", func(r *devicetotp.ImportRequest) { r.DeviceID = "phone" }},
		{"", func(r *devicetotp.ImportRequest) { r.LastUsedAt = time.Unix(0, 0) }},
		{"", func(r *devicetotp.ImportRequest) { r.LastUsedAt = devicetotptest.Start.Add(-time.Hour) }},
		{"LastUsedAt", func(r *devicetotp.ImportRequest) { r.LastUsedAt = devicetotptest.Start.Add(31 * time.Second) }},
		{"LastUsedAt", func(r *devicetotp.ImportRequest) { r.LastUsedAt = time.Unix(devicetotptest.Start.UnixMilli(), 0) }},
		{"AccountID", func(r *devicetotp.ImportRequest) { r.AccountID = "nobody" }},
	} {
		r := importRequest()
		c.change(&r)
		t.Run(fmt.Sprintf("%s %v", c.field, r), func(t *testing.T) {
			w := devicetotptest.New(t)
			a := w.Account("acct")
			_, err := w.Issuer.Import(t.Context(), r)
			if c.field != "" {
				code := map[bool]devicetotp.Code{true: devicetotp.CodeInvalidID, false: devicetotp.CodeInvalidArgument}[c.field == "DeviceID"]
				require.Equal(t, c.field, requireCode(t, code, err).Field)
				require.Empty(t, a.Stored().State.Devices)
				return
			}
			require.NoError(t, err)
			phone := importedPhone(w, r)
			code := phone.Code()
			_, err = verify(t, w, "", code)
			require.NoError(t, err)
			_, err = verify(t, w, "", code)
			requireCode(t, devicetotp.CodeInvalidCredentials, err)
			w.Clock.Advance(r.Period)
			_, err = w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", OTP: phone.Code()})
			require.NoError(t, err)
			w.Clock.Advance(r.Period)
			_, err = w.Issuer.Rotate(t.Context(), devicetotp.RotateRequest{AccountID: "acct", DeviceID: r.DeviceID, RotationID: rotationID(0), OTP: phone.Code()})
			require.NoError(t, err)
		})
	}
}

// A device that nobody knows to have been used counts as used everywhere.
func TestImport_IsNeverTakenForUnused(t *testing.T) {
	w := devicetotptest.New(t, devicetotptest.WithPolicy(func(p *devicetotp.Policy) { p.MaxDevices = 1 }))
	w.Account("acct").RegisteredAgo(0).PIN("8299")
	r := importRequest()
	_, err := w.Issuer.Import(t.Context(), r)
	require.NoError(t, err)
	w.Clock.Advance(1000 * time.Hour)
	_, err = w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", PIN: secret("8299")})
	requireCode(t, devicetotp.CodeDeviceLimitReached, err)
	_, err = w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: r.DeviceID, OTP: importedPhone(w, r).Code()})
	requireCode(t, devicetotp.CodeIDInUse, err)
	renewed, err := w.Issuer.Rotate(t.Context(), devicetotp.RotateRequest{AccountID: "acct", DeviceID: r.DeviceID, RotationID: rotationID(0), PIN: secret("8299")})
	require.NoError(t, err)
	_, err = verify(t, w, "", w.Phone(renewed).Code())
	require.NoError(t, err)
	_, err = w.Issuer.Import(t.Context(), r)
	requireCode(t, devicetotp.CodeIDInUse, err) // its secret is another one now
}

// No code of the step in which the other service saw it last, or of an older one.
func TestImport_LastUsedAt(t *testing.T) {
	for ago, want := range map[time.Duration]map[int]bool{
		0:                 {-1: false, 0: false, 1: true},
		-30 * time.Second: {-1: false, 0: false, 1: true}, // their clock is a little ahead
		30 * time.Second:  {-1: false, 0: true, 1: true},
		60 * time.Second:  {-1: true, 0: true, 1: true},
	} {
		for drift, ok := range want {
			w := devicetotptest.New(t)
			w.Account("acct")
			r := importRequest()
			r.LastUsedAt = w.Clock.Now().Add(-ago)
			_, err := w.Issuer.Import(t.Context(), r)
			require.NoError(t, err)
			_, err = verify(t, w, "", importedPhone(w, r).Drifted(drift))
			require.Equal(t, ok, err == nil, "%v ago, %d steps off", ago, drift)
		}
	}
}

// importTable: what the account has already, against what is imported.
func TestImport_TruthTable(t *testing.T) {
	type expectation struct {
		code  devicetotp.Code
		field string
		there bool
	}
	base := importRequest()
	remember := func(w *devicetotptest.World, id string, value credential.Secret, imported bool, ago time.Duration) credential.RevokedDevice {
		r := credential.RevokedDevice{ID: id, At: w.Clock.Now().Add(-ago), Imported: imported}
		if imported && value.Present() {
			sum := sha256.Sum256([]byte(value.Reveal()))
			sealed, err := w.Keys.Seal(credential.RevokedScope("acct", id), credential.NewSecret(string(sum[:])))
			if err != nil {
				panic(err)
			}
			r.Sealed = sealed
		}
		return r
	}
	for name, c := range map[string]struct {
		before  []func(*devicetotp.ImportRequest) // imported before
		revoked func(w *devicetotptest.World) credential.RevokedDevice
		change  func(*devicetotp.ImportRequest)
		want    expectation
		forced  expectation // with AgainAfterRevoke
	}{
		"the same again":     {before: []func(*devicetotp.ImportRequest){nil}, want: expectation{there: true}, forced: expectation{there: true}},
		"under another name": {before: []func(*devicetotp.ImportRequest){func(r *devicetotp.ImportRequest) { r.Name = "else" }}, want: expectation{there: true}, forced: expectation{there: true}},
		"in upper case":      {before: []func(*devicetotp.ImportRequest){nil}, change: func(r *devicetotp.ImportRequest) { r.DeviceID = strings.ToUpper(r.DeviceID) }, want: expectation{there: true}, forced: expectation{there: true}},
		"another secret": {before: []func(*devicetotp.ImportRequest){nil}, change: func(r *devicetotp.ImportRequest) { r.Secret = secret("another-secret-20...") },
			want: expectation{code: "id-in-use", field: "DeviceID"}, forced: expectation{code: "id-in-use", field: "DeviceID"}},
		"other digits": {before: []func(*devicetotp.ImportRequest){nil}, change: func(r *devicetotp.ImportRequest) { r.Digits = 8 },
			want: expectation{code: "id-in-use", field: "DeviceID"}, forced: expectation{code: "id-in-use", field: "DeviceID"}},
		"the secret under another id": {before: []func(*devicetotp.ImportRequest){nil}, change: func(r *devicetotp.ImportRequest) { r.DeviceID = otherID(8) },
			want: expectation{code: "invalid-argument", field: "Secret"}, forced: expectation{code: "invalid-argument", field: "Secret"}},
		"another device": {before: []func(*devicetotp.ImportRequest){nil}, change: func(r *devicetotp.ImportRequest) { r.DeviceID, r.Secret = otherID(8), secret("another-secret-20...") }},
		"the id was revoked": {revoked: func(w *devicetotptest.World) credential.RevokedDevice {
			return remember(w, otherID(7), secret("another-secret-20..."), true, 1e6*time.Hour)
		}, want: expectation{code: "id-in-use", field: "DeviceID"}},
		"the id was revoked, and its secret did not open": {revoked: func(w *devicetotptest.World) credential.RevokedDevice {
			return remember(w, otherID(7), credential.Secret{}, true, 1e6*time.Hour)
		}, want: expectation{code: "id-in-use", field: "DeviceID"}},
		"the secret was revoked": {revoked: func(w *devicetotptest.World) credential.RevokedDevice {
			return remember(w, otherID(8), base.Secret, true, 1e6*time.Hour)
		}, want: expectation{code: "id-in-use", field: "Secret"}},
		"another one was revoked": {revoked: func(w *devicetotptest.World) credential.RevokedDevice {
			return remember(w, otherID(8), secret("another-secret-20..."), true, 0)
		}},
		"a created one was just revoked": {revoked: func(w *devicetotptest.World) credential.RevokedDevice {
			return remember(w, otherID(7), credential.Secret{}, false, 5*time.Minute)
		}, want: expectation{code: "id-in-use", field: "DeviceID"}},
		"a created one was revoked long ago": {revoked: func(w *devicetotptest.World) credential.RevokedDevice {
			return remember(w, otherID(7), credential.Secret{}, false, 5*time.Minute+1)
		}},
	} {
		for _, again := range []bool{false, true} {
			t.Run(fmt.Sprint(name, again), func(t *testing.T) {
				w := devicetotptest.New(t)
				a := w.Account("acct")
				for _, change := range c.before {
					r := base
					if change != nil {
						change(&r)
					}
					_, err := w.Issuer.Import(t.Context(), r)
					require.NoError(t, err)
				}
				if c.revoked != nil {
					changeState(t, w, func(s *credential.State) { s.Revoked = append(s.Revoked, c.revoked(w)) })
				}
				before := a.Stored().State
				r := base
				r.AgainAfterRevoke = again
				if c.change != nil {
					c.change(&r)
				}
				got, err := w.Issuer.Import(t.Context(), r)
				want := c.want
				if again {
					want = c.forced
				}
				require.Equal(t, want.code, devicetotp.CodeOf(err), "%v", err)
				require.Equal(t, want.there, got.AlreadyThere)
				after := a.Stored().State
				if err != nil {
					require.Equal(t, want.field, requireCode(t, want.code, err).Field)
					require.NotContains(t, err.Error(), "secret-20")
				}
				if err != nil || got.AlreadyThere {
					require.Equal(t, withoutWrites(t, before), withoutWrites(t, after), "nothing changes")
					return
				}
				require.Len(t, after.Devices, len(before.Devices)+1)
				_, err = verify(t, w, got.DeviceID, importedPhone(w, r).Code())
				require.NoError(t, err)
				if again && name != "another one was revoked" {
					require.Empty(t, after.Revoked, "what is there again is not remembered as revoked")
				}
			})
		}
	}
}

// A device that was imported and revoked stays away for ever, by its id and by its
// secret, and takes no place; asked to, an import brings it back, and it can be
// revoked again.
func TestImport_AfterRevoke(t *testing.T) {
	w := devicetotptest.New(t, devicetotptest.WithPolicy(func(p *devicetotp.Policy) { p.MaxDevices = 1 }))
	a := w.Account("acct")
	r := importRequest()
	elsewhere := r
	elsewhere.DeviceID = otherID(8)
	for range 3 {
		_, err := w.Issuer.Import(t.Context(), r)
		require.NoError(t, err)
		code := importedPhone(w, r).Code()
		_, err = w.Issuer.Revoke(t.Context(), devicetotp.RevokeRequest{AccountID: "acct", DeviceIDs: []string{r.DeviceID}})
		require.NoError(t, err)
		_, err = verify(t, w, "", code)
		requireCode(t, devicetotp.CodeInvalidCredentials, err)
		r.AgainAfterRevoke = false
		for range 2 {
			_, err = w.Issuer.Import(t.Context(), r)
			require.Equal(t, "DeviceID", requireCode(t, devicetotp.CodeIDInUse, err).Field)
			_, err = w.Issuer.Import(t.Context(), elsewhere)
			require.Equal(t, "Secret", requireCode(t, devicetotp.CodeIDInUse, err).Field)
			w.Clock.Advance(1000 * time.Hour)
		}
		require.NoError(t, w.Issuer.Unblock(t.Context(), devicetotp.UnblockRequest{AccountID: "acct"}))
		r.AgainAfterRevoke = true
	}
	elsewhere.AgainAfterRevoke = true
	_, err := w.Issuer.Import(t.Context(), elsewhere)
	require.NoError(t, err)
	require.Empty(t, a.Stored().State.Revoked)
	require.Equal(t, []string{otherID(8)}, ids(a.Stored().State.Devices))
}

// A code is accepted once, also where the device that generates it was revoked and
// imported again meanwhile, under whatever id.
func TestImport_AgainRevivesNoCode(t *testing.T) {
	for _, id := range []string{otherID(7), otherID(8)} {
		for _, drift := range []int{-1, 0, 1} {
			w := devicetotptest.New(t)
			w.Account("acct")
			r := importRequest()
			_, err := w.Issuer.Import(t.Context(), r)
			require.NoError(t, err)
			phone := importedPhone(w, r)
			used := phone.Drifted(drift)
			_, err = verify(t, w, "", used)
			require.NoError(t, err)
			_, err = w.Issuer.Revoke(t.Context(), devicetotp.RevokeRequest{AccountID: "acct", DeviceIDs: []string{r.DeviceID}})
			require.NoError(t, err)
			r.DeviceID, r.AgainAfterRevoke = id, true
			_, err = w.Issuer.Import(t.Context(), r)
			require.NoError(t, err)
			_, err = verify(t, w, "", used)
			requireCode(t, devicetotp.CodeInvalidCredentials, err)
			w.Clock.Advance(2 * r.Period)
			_, err = verify(t, w, "", phone.Code())
			require.NoError(t, err)
		}
	}
}

// A clock that was ahead when the device was revoked keeps it from nothing.
func TestImport_AgainAfterARevocationFarAhead(t *testing.T) {
	w := devicetotptest.New(t)
	w.Account("acct")
	r := importRequest()
	_, err := w.Issuer.Import(t.Context(), r)
	require.NoError(t, err)
	w.Clock.Advance(1000 * time.Hour)
	_, err = w.Issuer.Revoke(t.Context(), devicetotp.RevokeRequest{AccountID: "acct", DeviceIDs: []string{r.DeviceID}})
	require.NoError(t, err)
	w.Clock.Advance(-1000 * time.Hour)
	r.AgainAfterRevoke = true
	_, err = w.Issuer.Import(t.Context(), r)
	require.NoError(t, err)
	w.Clock.Advance(2 * r.Period)
	_, err = verify(t, w, "", importedPhone(w, r).Code())
	require.NoError(t, err)
}

// The clocks of two servers differ a little.
func TestImport_AgainAfterARevocationByAClockThatIsALittleAhead(t *testing.T) {
	for _, period := range []time.Duration{30 * time.Second, 300 * time.Second} {
		for ahead := time.Duration(0); ahead <= 30*time.Second; ahead += 5 * time.Second {
			w := devicetotptest.New(t)
			w.Account("acct")
			r := importRequest()
			r.Period = period
			_, err := w.Issuer.Import(t.Context(), r)
			require.NoError(t, err)
			w.Clock.Advance(10*time.Second + ahead)
			used := importedPhone(w, r).Drifted(1)
			_, err = verify(t, w, "", used)
			require.NoError(t, err)
			_, err = w.Issuer.Revoke(t.Context(), devicetotp.RevokeRequest{AccountID: "acct", DeviceIDs: []string{r.DeviceID}})
			require.NoError(t, err)
			w.Clock.Advance(-ahead)
			r.AgainAfterRevoke = true
			_, err = w.Issuer.Import(t.Context(), r)
			require.NoError(t, err)
			for range 12 {
				_, err = verify(t, w, r.DeviceID, used)
				require.Error(t, err, "%v", ahead)
				w.Clock.Advance(period / 2)
				require.NoError(t, w.Issuer.Unblock(t.Context(), devicetotp.UnblockRequest{AccountID: "acct"}))
			}
			_, err = verify(t, w, "", importedPhone(w, r).Code())
			require.NoError(t, err)
		}
	}
}

// Whatever time an account has for the revocation, the device works again soon.
func TestImport_AgainWhateverTheTimeOfTheRevocation(t *testing.T) {
	for name, at := range map[string]time.Time{
		"zero": {}, "before 1970": time.Unix(-1e6, 0), "year 1": time.Date(1, 1, 1, 0, 0, 1, 0, time.UTC), "9999": time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC),
	} {
		t.Run(name, func(t *testing.T) {
			w := devicetotptest.New(t)
			w.Account("acct")
			r := importRequest()
			r.Period = 300 * time.Second
			_, err := w.Issuer.Import(t.Context(), r)
			require.NoError(t, err)
			_, err = w.Issuer.Revoke(t.Context(), devicetotp.RevokeRequest{AccountID: "acct", DeviceIDs: []string{r.DeviceID}})
			require.NoError(t, err)
			changeState(t, w, func(s *credential.State) { s.Revoked[0].At = at })
			r.AgainAfterRevoke = true
			_, err = w.Issuer.Import(t.Context(), r)
			require.NoError(t, err)
			w.Clock.Advance(2 * r.Period)
			_, err = verify(t, w, "", importedPhone(w, r).Code())
			require.NoError(t, err)
		})
	}
}

// The new secret of a rotation is a secret of the account too.
func TestImport_OfTheNewSecretOfARotation(t *testing.T) {
	r := newRotating(t)
	renewed := r.rotated(t)
	q := importRequest()
	q.Secret = renewed.Secret
	_, err := r.Issuer.Import(t.Context(), q)
	require.Equal(t, "Secret", requireCode(t, devicetotp.CodeInvalidArgument, err).Field)
	require.ErrorContains(t, err, deviceID)
}

// Imports count like other devices: they need room, and make it as Create does.
func TestImport_NeedsRoom(t *testing.T) {
	w := devicetotptest.New(t, devicetotptest.WithPolicy(func(p *devicetotp.Policy) { p.MaxDevices = 1 }))
	a, _ := enrol(t, w, "acct", 1)
	before := a.Stored()
	_, err := w.Issuer.Import(t.Context(), importRequest())
	requireCode(t, devicetotp.CodeDeviceLimitReached, err)
	require.Equal(t, before, a.Stored())
	w.Clock.Advance(24*time.Hour + 1)
	_, err = w.Issuer.Import(t.Context(), importRequest())
	require.NoError(t, err)
	require.Equal(t, []string{otherID(0)}, w.Events()[len(w.Events())-1].Evicted)
	require.Equal(t, []string{otherID(7)}, ids(a.Stored().State.Devices))
}

// A device beside it that does not open is not recognized, and the Event says so. One
// of the same id is an internal error: whether it is the same cannot be told.
func TestImport_BesideWhatDoesNotOpen(t *testing.T) {
	w := devicetotptest.New(t)
	w.Account("acct")
	r := importRequest()
	_, err := w.Issuer.Import(t.Context(), r)
	require.NoError(t, err)
	changeState(t, w, func(s *credential.State) { s.Devices[0].Sealed = []byte("junk") })
	_, err = w.Issuer.Import(t.Context(), r)
	require.ErrorIs(t, err, credential.ErrTampered)
	requireCode(t, devicetotp.CodeInternal, err)
	r.DeviceID = otherID(8)
	_, err = w.Issuer.Import(t.Context(), r)
	require.NoError(t, err)
	event := w.Events()[len(w.Events())-1]
	require.Len(t, event.Unreadable, 1)
	require.Equal(t, otherID(7), event.Unreadable[0].DeviceID)
}

// The same import from many processes at once makes one device, and tells each that
// it is there; the same secret under many ids makes one device too.
func TestImport_AtOnce(t *testing.T) {
	for _, processes := range []int{1, 4} {
		w := devicetotptest.New(t)
		all := issuers(t, w, processes)
		for range 20 {
			a := w.Account("acct")
			codes := together(16, func(i int) error {
				_, err := all[i%processes].Import(context.Background(), importRequest())
				return err
			})
			require.Equal(t, 16, codes[""]+codes[devicetotp.CodeUnavailable], "%v", codes)
			require.Positive(t, codes[""], "who is in the way of all has succeeded")
			require.Len(t, a.Stored().State.Devices, 1)

			a = w.Account("acct")
			codes = together(16, func(i int) error {
				r := importRequest()
				r.DeviceID = otherID(i)
				_, err := all[i%processes].Import(context.Background(), r)
				return err
			})
			require.Equal(t, 1, codes[""], "%v", codes)
			require.Equal(t, 15, codes[devicetotp.CodeInvalidArgument]+codes[devicetotp.CodeUnavailable], "%v", codes)
			require.Len(t, a.Stored().State.Devices, 1)
		}
	}
}

func ExampleIssuer_Import() {
	issuer, clock := newExample()
	ctx := context.Background()
	exported, err := credential.ParseURI("otpauth://totp/Old%20Service:alice?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Old%20Service")
	if err != nil {
		fmt.Println(err)
		return
	}
	request := devicetotp.ImportRequest{
		AccountID: "alice", DeviceID: "738e379f-fe30-45ab-819c-ba88804b6368", Name: "from " + exported.Issuer,
		Secret: exported.Secret, Algorithm: exported.Algorithm, Digits: exported.Digits, Period: exported.Period,
		LastUsedAt: clock.Now().Add(-time.Hour),
	}
	for range 2 { // imports are run twice
		imported, err := issuer.Import(ctx, request)
		fmt.Println(imported.DeviceID, imported.AlreadyThere, err)
	}
	// Output:
	// 738e379f-fe30-45ab-819c-ba88804b6368 false <nil>
	// 738e379f-fe30-45ab-819c-ba88804b6368 true <nil>
}
