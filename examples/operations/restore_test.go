package operations

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/devicetotptest"
	"example.com/devicetotp/verifier"
)

// A disaster is an account that went on after its backup, until the database was
// lost.
type disaster struct {
	*devicetotptest.World
	tablet *devicetotptest.Phone // was revoked
	watch  *devicetotptest.Phone // was rotated
	codes  []credential.Secret
	backup credential.Account
	since  []devicetotp.Event // from the log, which was not lost
}

func newDisaster(t *testing.T) *disaster {
	t.Helper()
	w := devicetotptest.New(t, devicetotptest.WithPolicy(func(p *devicetotp.Policy) { p.OTPKinds = append(p.OTPKinds, verifier.KindRecovery) }))
	alice := w.Account("alice").PIN("8299")
	d := &disaster{World: w, tablet: alice.Device("tablet", time.Hour), watch: alice.Device("watch", time.Hour), codes: alice.RecoveryCodes(10)}
	d.backup = alice.Stored()
	before := len(w.Events())
	_, err := w.Issuer.Revoke(t.Context(), devicetotp.RevokeRequest{AccountID: "alice", DeviceIDs: []string{d.tablet.DeviceID}})
	require.NoError(t, err)
	require.NoError(t, d.create(t, d.codes[0]))
	rotated, err := w.Issuer.Rotate(t.Context(), devicetotp.RotateRequest{
		AccountID: "alice", DeviceID: d.watch.DeviceID, RotationID: "3d1a6c9e-5b7f-4a4e-9c58-2e6f1b0d7a83", PIN: credential.NewSecret("8299"),
	})
	require.NoError(t, err)
	require.NoError(t, d.verify(t, w.Phone(rotated).Code()))
	require.Error(t, d.verify(t, d.watch.Code()), "the old secret is gone")
	d.since = w.Events()[before:]
	w.Clock.Advance(10 * time.Minute)
	require.NoError(t, w.Store.Accounts.Replace(t.Context(), d.backup))
	return d
}

func (d *disaster) create(t *testing.T, otp credential.Secret) error {
	t.Helper()
	_, err := d.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "alice", OTP: otp})
	return err
}

func (d *disaster) verify(t *testing.T, code credential.Secret) error {
	t.Helper()
	_, err := d.Issuer.Verify(t.Context(), devicetotp.VerifyRequest{AccountID: "alice", Code: code})
	return err
}

// What the page says that a backup brings back.
func TestABackupBringsBackWhatWasTakenAway(t *testing.T) {
	d := newDisaster(t)
	require.NoError(t, d.verify(t, d.tablet.Code()), "the revoked device")
	require.NoError(t, d.create(t, d.codes[0]), "the recovery code that was used")
	require.NoError(t, d.verify(t, d.watch.Code()), "the old secret of the rotated device")
}

// again does what a replay does: it writes the Event to a log, reads it from there,
// and repeats what it has read.
func again(t *testing.T, w *devicetotptest.World, restored time.Time, e devicetotp.Event) (newCodes bool) {
	t.Helper()
	var line bytes.Buffer
	slog.New(slog.NewJSONHandler(&line, nil)).Info("devicetotp", "event", e)
	read, ok, err := Logged(line.Bytes())
	require.NoError(t, err)
	require.True(t, ok)
	newCodes, err = Again(t.Context(), w.Issuer, restored, read)
	require.NoError(t, err)
	return newCodes
}

func TestLoggedSkipsOtherLines(t *testing.T) {
	for _, args := range [][]any{nil, {"event", "login"}, {"event", []int{1}}} { // others may use the key too
		var line bytes.Buffer
		slog.New(slog.NewJSONHandler(&line, nil)).Info("something else", args...)
		_, ok, err := Logged(line.Bytes())
		require.NoError(t, err)
		require.False(t, ok)
	}
}

// A service with another logger writes an Event by encoding/json, whose factors are a list.
// A recovery code that was used is found in both.
func TestLoggedReadsBothForms(t *testing.T) {
	e := devicetotp.Event{
		Op: devicetotp.OpProve, At: devicetotptest.Start, AccountID: "alice", DeviceID: "d", Replaced: true,
		Revoked: []string{"a"}, Evicted: []string{"b"}, RotationsConfirmed: []string{"c"},
		Factors: []devicetotp.FactorResult{{Factor: credential.FactorOTP, Result: devicetotp.ResultValid, Kind: verifier.KindRecovery}},
	}
	var bySlog bytes.Buffer
	slog.New(slog.NewJSONHandler(&bySlog, nil)).Info("devicetotp", "event", e)
	byJSON, err := json.Marshal(map[string]any{"level": "info", "event": e})
	require.NoError(t, err)
	for _, line := range [][]byte{bySlog.Bytes(), byJSON} {
		read, ok, err := Logged(line)
		require.NoError(t, err)
		require.True(t, ok)
		require.Equal(t, e, read, "%s", line)
	}
	e.Factors = []devicetotp.FactorResult{{Factor: credential.FactorOTP, Result: devicetotp.ResultWrong}, {Factor: credential.FactorPIN, Result: devicetotp.ResultValid}}
	wrong, err := json.Marshal(map[string]any{"event": e})
	require.NoError(t, err)
	read, _, err := Logged(wrong)
	require.NoError(t, err)
	require.Empty(t, read.Factors, "only an OTP that was right may have been a recovery code")
}

func TestAgainTakesItAwayAgain(t *testing.T) {
	d := newDisaster(t)
	renew, restored := 0, d.Clock.Now()
	for range 2 { // also if it is interrupted, and done once more
		for _, e := range d.since {
			if again(t, d.World, restored, e) {
				renew++
			}
		}
	}
	require.Equal(t, 2, renew, "the user must be shown new recovery codes, once a round")
	require.Equal(t, devicetotp.CodeInvalidCredentials, devicetotp.CodeOf(d.verify(t, d.tablet.Code())))
	require.Equal(t, devicetotp.CodeInvalidCredentials, devicetotp.CodeOf(d.verify(t, d.watch.Code())))
	for _, code := range d.codes[:2] {
		require.Equal(t, devicetotp.CodeInvalidCredentials, devicetotp.CodeOf(d.create(t, code)))
	}
}

// A line that is cut off, or an Event with a member that is none, is an error.
func TestLoggedRefusesWhatItCannotRead(t *testing.T) {
	for _, line := range []string{``, `{"event":{"op":"revoke"`, `{"event":{"op":1}}`, `{"event":{"op":"revoke","revoked":"x"}}`, `{"event":{"at":"yesterday"}}`, `[]`, `{"event":{}} {}`} {
		_, _, err := Logged([]byte(line))
		require.Error(t, err, line)
	}
}

// Secrets that were taken away without Revoke: of a never-used device whose id was
// given to another one, of one that made room, and of a rotation that was replaced.
func TestAgainTakesAwayWhatMadeRoomOrWasReplaced(t *testing.T) {
	w := devicetotptest.New(t, devicetotptest.WithPolicy(func(p *devicetotp.Policy) { p.MaxDevices = 2 }))
	alice := w.Account("alice").PIN("8299")
	const first, second, third = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222", "33333333-3333-4333-8333-333333333333"
	create := func(id string, otp credential.Secret) *devicetotptest.Phone {
		t.Helper()
		r := devicetotp.CreateRequest{AccountID: "alice", DeviceID: id, OTP: otp}
		if !otp.Present() {
			r.PIN = credential.NewSecret("8299")
		}
		d, err := w.Issuer.Create(t.Context(), r)
		require.NoError(t, err)
		w.Clock.Advance(time.Hour)
		return w.Phone(d)
	}
	evicted, replaced := create(first, credential.Secret{}), create(second, credential.Secret{})
	w.Clock.Advance(25 * time.Hour) // a device that was never used may make room
	backup, before := alice.Stored(), len(w.Events())
	create(third, credential.Secret{})
	alice.OTP("12345678")
	create(second, credential.NewSecret("12345678"))
	since := w.Events()[before:]
	require.NoError(t, w.Store.Accounts.Replace(t.Context(), backup))
	for _, e := range since {
		again(t, w, w.Clock.Now(), e)
	}
	for _, phone := range []*devicetotptest.Phone{evicted, replaced} {
		_, err := w.Issuer.Verify(t.Context(), devicetotp.VerifyRequest{AccountID: "alice", DeviceID: phone.DeviceID, Code: phone.Code()})
		require.Equal(t, devicetotp.CodeInvalidCredentials, devicetotp.CodeOf(err))
	}
}

// The Issuer of a replay may log to the very file that is read: what the replay has
// logged itself is not repeated, so that it ends.
func TestAgainEndsWhereItsOwnEventsAreReadToo(t *testing.T) {
	d := newDisaster(t)
	restored := d.Clock.Now()
	read := len(d.Events()) - len(d.since)
	for ; read < len(d.Events()); read++ {
		require.Less(t, read, 100, "it reads what it writes, for ever")
		d.Clock.Advance(time.Second)
		again(t, d.World, restored, d.Events()[read])
	}
}

// A second run changes nothing that was set up after the first one: not a device,
// not an id that was used again, and not the recovery codes that the user was shown.
func TestASecondRunOfAgainChangesNothing(t *testing.T) {
	d := newDisaster(t)
	restored := d.Clock.Now()
	d.Clock.Advance(time.Minute)
	run := func() (renew int) {
		for _, e := range d.since {
			if again(t, d.World, restored, e) {
				renew++
			}
		}
		return renew
	}
	require.Equal(t, 1, run())
	shown, err := d.Issuer.ReplaceRecoveryCodes(t.Context(), devicetotp.RecoveryRequest{AccountID: "alice"})
	require.NoError(t, err)
	d.Clock.Advance(time.Hour) // the id of the revoked device is free again
	_, err = d.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "alice", DeviceID: d.tablet.DeviceID, PIN: credential.NewSecret("8299")})
	require.NoError(t, err)
	before, err := d.Store.Accounts.Load(t.Context(), "alice")
	require.NoError(t, err)
	require.Equal(t, 1, run(), "a run that was interrupted before the user was asked says so again")
	after, err := d.Store.Accounts.Load(t.Context(), "alice")
	require.NoError(t, err)
	require.Equal(t, before.State.Devices, after.State.Devices)
	require.Equal(t, before.State.Recovery, after.State.Recovery)
	require.NoError(t, d.create(t, shown[0]))
}

// Without one-time codes and imported devices, 90 seconds do: three periods of 30 s.
func TestUsedCodesOfThirtySecondsExpireWithinNinety(t *testing.T) {
	for wait, good := range map[time.Duration]bool{0: true, 90*time.Second - time.Second: true, 90 * time.Second: false} {
		w := devicetotptest.New(t)
		w.Clock.Set(w.Clock.Now().Truncate(30 * time.Second))
		alice := w.Account("alice")
		code := alice.Device("phone", time.Hour).Drifted(1)
		backup := alice.Stored()
		verify := func() error {
			_, err := w.Issuer.Verify(t.Context(), devicetotp.VerifyRequest{AccountID: "alice", Code: code})
			return err
		}
		require.NoError(t, verify())
		w.Clock.Advance(wait)
		require.NoError(t, w.Store.Accounts.Replace(t.Context(), backup))
		require.Equal(t, good, verify() == nil, "%v after it was used", wait)
	}
}

// Codes of devices and one-time codes that were used since the backup are good
// again until they expire: after fifteen minutes none is, of whatever period.
func TestUsedCodesExpireWithinFifteenMinutes(t *testing.T) {
	for wait, good := range map[time.Duration]bool{0: true, 15*time.Minute - time.Second: true, 15 * time.Minute: false} {
		w := devicetotptest.New(t)
		w.Clock.Set(w.Clock.Now().Truncate(5 * time.Minute)) // the longest that a code can be good
		alice := w.Account("alice").OTP("526271")
		token := alice.Imported("token", devicetotp.DeviceTOTP{
			ID: "3d1a6c9e-5b7f-4a4e-9c58-2e6f1b0d7a83", Secret: credential.NewSecret("12345678901234567890"),
			Algorithm: credential.AlgorithmSHA1, Digits: 6, Period: verifier.MaxPeriod,
		})
		backup, code := alice.Stored(), token.Drifted(1) // its clock is fast
		verify := func() error {
			_, err := w.Issuer.Verify(t.Context(), devicetotp.VerifyRequest{AccountID: "alice", Code: code})
			return err
		}
		create := func() error {
			_, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "alice", OTP: credential.NewSecret("526271")})
			return err
		}
		require.NoError(t, create())
		require.NoError(t, verify())

		w.Clock.Advance(wait)
		require.NoError(t, w.Store.Accounts.Replace(t.Context(), backup))
		require.Equal(t, good, verify() == nil, "%v after it was used", wait)
		require.Equal(t, wait < devicetotp.MaxCodeTTL, create() == nil)
	}
}
