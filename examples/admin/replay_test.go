package main

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/examples/operations"
)

// What was done since a backup is repeated from the one log of the service and the
// command, to which the replay logs too. A second replay changes nothing.
func TestReplay(t *testing.T) {
	onBoth(t, func(t *testing.T, d *desk) {
		backedUp := time.Now().Add(-time.Second).UTC().Format(time.RFC3339)
		lost, _ := d.account("alice")
		for _, id := range []string{"bob", "carol", "dave"} {
			d.account(id)
		}
		_, err := d.issuer().ReplaceRecoveryCodes(t.Context(), devicetotp.RecoveryRequest{AccountID: "bob"})
		require.NoError(t, err)
		backup := d.all()

		d.run(0, "revoke", "-device", lost.ID, "alice")
		d.run(0, "lock", "bob")
		d.run(0, "delete", "carol")
		d.run(0, "lock", "dave")
		d.run(0, "unlock", "dave")
		d.run(0, "rename-account", "dave", "u-7")
		restored := d.restore(backup)
		var codes credential.RecoveryCodes
		for round := range 2 {
			out := d.run(0, "replay", "-since", backedUp, "-restored", restored, d.log)
			require.Contains(t, out, `needs new recovery codes: "bob"`)
			require.Contains(t, out, `to be set up again: "alice"`)
			require.Len(t, d.inspected("alice").Devices, 1)
			require.True(t, d.inspected("bob").Locked)
			require.False(t, d.inspected("u-7").Locked)
			var ids []string
			for _, a := range d.all() {
				ids = append(ids, a.ID)
			}
			require.Equal(t, []string{"alice", "bob", "u-7"}, ids)
			bob, err := d.store.Load(t.Context(), "bob")
			require.NoError(t, err)
			if round == 0 {
				codes = bob.State.Recovery
			}
			require.Equal(t, codes, bob.State.Recovery)
		}
	})
}

// restore puts a backup back, and returns when.
func (d *desk) restore(backup []credential.Account) (restored string) {
	d.t.Helper()
	for _, a := range d.all() {
		_, err := d.store.Delete(d.t.Context(), a.ID)
		require.NoError(d.t, err)
	}
	for _, a := range backup {
		_, err := d.store.Insert(d.t.Context(), a)
		require.NoError(d.t, err)
	}
	return time.Now().UTC().Format(time.RFC3339Nano)
}

// A wrong time repeats nothing, and the command says so.
func TestReplay_SaysWhichEventsItLeftOut(t *testing.T) {
	d := onSQLite(t)
	d.account("alice")
	d.run(0, "lock", "alice")
	d.run(0, "unlock", "alice")
	out := d.run(0, "replay", "-since", "2020-05-01T12:00:00Z", "-restored", "2020-05-02T12:00:00Z", d.log)
	require.Regexp(t, `^0 Events between the two times; left out: 0 before and 4 after, the first at 20`, out)
}

// logs appends lines for Events, as a service does.
func (d *desk) logs(events ...devicetotp.Event) {
	d.t.Helper()
	log, err := openLog(d.log, nil)
	require.NoError(d.t, err)
	defer log.Close()
	for _, e := range events {
		log.observe(d.t.Context(), e)
	}
}

// A rotation that was pending in the backup may have been confirmed since, by a code
// that was otherwise refused, too: the phone has only the new secret then, and the
// replay revokes the device because of the old one.
func TestReplay_OfARotationThatWasConfirmed(t *testing.T) {
	d := onSQLite(t)
	for account, e := range map[string]devicetotp.Event{
		"alice": {Op: devicetotp.OpVerify},
		"bob":   {Op: devicetotp.OpCreate, Code: devicetotp.CodeDeviceLimitReached},
	} {
		first, _ := d.account(account)
		e.At, e.AccountID, e.RotationsConfirmed = time.Now(), account, []string{first.ID}
		d.logs(e)
		out := d.run(0, "replay", "-since", e.At.Format(time.RFC3339Nano), "-restored", time.Now().Format(time.RFC3339Nano), d.log)
		require.Contains(t, out, `to be set up again: "`+account+`"`)
		require.Len(t, d.inspected(account).Devices, 1)
	}
}

// A run that ended within a move leaves accounts locked. The next one goes on, and
// says which.
func TestReplay_AfterOneThatEndedWithinAMove(t *testing.T) {
	for name, interrupt := range map[string]func(t *testing.T, d *desk, keys *credential.Keyring){
		"before the insert": func(t *testing.T, d *desk, _ *credential.Keyring) {
			require.NoError(t, d.store.SetLocked(t.Context(), "alice", true))
		},
		"before the delete": func(t *testing.T, d *desk, keys *credential.Keyring) {
			_, err := operations.Move(t.Context(), undying{d.store}, keys, "alice", "u-7")
			require.ErrorIs(t, err, errUndying)
		},
		"before the unlock": func(t *testing.T, d *desk, keys *credential.Keyring) {
			_, err := operations.Move(t.Context(), d.store, keys, "alice", "u-7")
			require.NoError(t, err)
			require.NoError(t, d.store.SetLocked(t.Context(), "u-7", true))
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := onSQLite(t)
			first, _ := d.account("alice")
			at := time.Now()
			require.NoError(t, os.Remove(d.log))
			d.logs(devicetotp.Event{Op: devicetotp.OpRevoke, At: at, AccountID: "alice", Revoked: []string{first.ID}})
			log, err := os.ReadFile(d.log)
			require.NoError(t, err)
			moved := `{"event":{"op":"rename-account","at":"` + at.Format(time.RFC3339Nano) + `","account":"alice"},"to":"u-7"}` + "\n"
			require.NoError(t, os.WriteFile(d.log, append(log, moved...), 0o600))
			_, err = d.issuer().Revoke(t.Context(), devicetotp.RevokeRequest{AccountID: "alice", DeviceIDs: []string{first.ID}}) // the first run did this
			require.NoError(t, err)
			interrupt(t, d, d.keys)
			out := d.run(0, "replay", "-since", at.Add(-time.Minute).Format(time.RFC3339), "-restored", time.Now().Format(time.RFC3339Nano), d.log)
			require.Contains(t, out, `is locked, perhaps by a replay that was interrupted: "u-7"`)
			require.Len(t, d.inspected("u-7").Devices, 1)
			d.run(3, "inspect", "alice")
			d.run(0, "unlock", "u-7")
		})
	}
}

// What is wrong with one account does not keep the replay from all others.
func TestReplay_GoesOnPastAnAccountThatIsBroken(t *testing.T) {
	d := onSQLite(t)
	first, _ := d.account("alice")
	second, _ := d.account("bob")
	d.account("carol")
	db, err := sql.Open("sqlite", "file:"+strings.TrimPrefix(d.name, "sqlite:"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	_, err = db.ExecContext(t.Context(), `UPDATE devicetotp_accounts SET state = x'ff01' WHERE id = 'alice'`)
	require.NoError(t, err)
	a, err := d.store.Load(t.Context(), "bob")
	require.NoError(t, err)
	a.State.Devices[0].Sealed[len(a.State.Devices[0].Sealed)-1] ^= 1
	a.Next = 7
	require.NoError(t, d.store.Save(t.Context(), a))
	at := time.Now()
	line := func(event, more string) string {
		return `{"event":{"at":"` + at.Format(time.RFC3339Nano) + `",` + event + `}` + more + "}\n"
	}
	require.NoError(t, os.WriteFile(d.log, []byte(line(`"op":"revoke","account":"alice","revoked":["`+first.ID+`"]`, "")+
		line(`"op":"rename-account","account":"alice"`, `,"to":"u-7"`)+line(`"op":"lock","account":"bob"`, "")+
		line(`"op":"rename-account","account":"bob"`, `,"to":"u-8"`)+line(`"op":"rename-account","account":"carol"`, "")+
		line(`"op":"rename-account","account":"carol"`, `,"to":9`)+line(`"op":"lock","account":"carol"`, "")), 0o600))
	out := d.run(3, "replay", "-since", at.Format(time.RFC3339Nano), "-restored", time.Now().Format(time.RFC3339Nano), d.log)
	for _, named := range []string{"line 1: ", "line 2: ", "line 4: ", second.ID, "line 5: ", "line 6: ", "5 lines"} {
		require.Contains(t, out, named)
	}
	require.True(t, d.inspected("carol").Locked)
	require.True(t, d.inspected("bob").Locked, "it is there still, under the old id")
	require.Contains(t, d.run(3, "rename-account", "bob", "u-8"), second.ID)
}

// undying is a store whose database ends before an account is deleted.
type undying struct{ operations.Accounts }

var errUndying = errors.New("the database is gone")

func (undying) Delete(context.Context, string) (bool, error) { return false, errUndying }

// A replay goes on past lines that it cannot do, and names them.
func TestReplay_NamesWhatItCannotDo(t *testing.T) {
	d := onSQLite(t)
	first, _ := d.account("alice")
	at := time.Now().UTC().Format(time.RFC3339)
	line := func(event string) string { return `{"event":{"at":"` + at + `","account":"alice",` + event + `}}` }
	require.NoError(t, os.WriteFile(d.log, []byte(strings.Join([]string{
		"not JSON", line(`"op":"revoke","code":"unavailable"`), line(`"op":"delete","code":"unavailable"`), `{"msg":"serving"}`,
		line(`"op":"revoke","revoked":["` + first.ID + `"]`), `{"event":{"op":"delete","at":"2020-01-01T00:00:00Z","account":"alice"}}`,
	}, "\n")+"\n"), 0o600))
	after := time.Now().UTC().Format(time.RFC3339Nano)
	out := d.run(3, "replay", "-since", at, "-restored", after, d.log)
	for _, named := range []string{"line 1: ", "line 2: ", "line 3: ", "3 lines"} {
		require.Contains(t, out, named)
	}
	require.NotContains(t, out, "line 4: ")
	require.Contains(t, out, "3 Events between the two times; left out: 1 before")
	require.Len(t, d.inspected("alice").Devices, 1, "lines after those are repeated, and those of before the backup are not")
}

// A service that logs a lock itself may misspell it. It is named, because a lock that is
// left out silently is one that nobody repeats.
func TestReplay_NamesWhatItDoesNotKnow(t *testing.T) {
	d := onSQLite(t)
	d.account("alice")
	at := time.Now().UTC().Format(time.RFC3339)
	require.NoError(t, os.WriteFile(d.log, []byte(strings.Join([]string{
		`{"event":{"op":"locked","at":"` + at + `","account":"alice"}}`,
		`{"event":{"op":"LOCK","at":"` + at + `","account":"alice"}}`,
		`{"event":{"op":"lock","at":"` + at + `"}}`,
		`{"event":{"op":"lock","account":"alice"}}`,
		`{"event":{"op":"locked","at":"2020-01-01T00:00:00Z","account":"alice"}}`,                        // of before the backup
		`{"event":{"op":"verify","account":"alice","code":"invalid-id"}}`,                                // refused for its form, before the clock was read
		`{"event":{"op":"create","at":"` + at + `","account":"","code":"internal-error"}}`,               // nobody was authenticated
		`{"event":{"op":"lock","at":"` + at + `","account":"alice","code":"invalid-argument"},"more":1}`, // a field that nobody knows
		`{"event":{"kind":"deploy"}}`,                                                                    // of somebody else
	}, "\n")+"\n"), 0o600))
	out := d.run(3, "replay", "-since", at, "-restored", time.Now().UTC().Format(time.RFC3339Nano), d.log)
	for _, named := range []string{`line 1: refused: "locked" is no operation`, `line 2: refused: "LOCK" is`, "line 3: refused: this lock names no account", `line 4: refused: this lock of account "alice" has no time`, "4 lines"} {
		require.Contains(t, out, named)
	}
	require.Contains(t, out, "5 Events between the two times; left out: 2 before", "what is no Event is not counted")
	require.False(t, d.inspected("alice").Locked)
}

// A replay knows every operation of the library.
func TestReplay_KnowsEveryOperation(t *testing.T) {
	source, err := os.ReadFile("../../errors/op.go")
	require.NoError(t, err)
	constants := regexp.MustCompile(`(?m)^\tOp\w+ +Op = "(.+?)"`).FindAllSubmatch(source, -1)
	require.Greater(t, len(constants), 10)
	for _, c := range constants {
		op := devicetotp.Op(c[1])
		require.Equal(t, op != devicetotp.OpNewIssuer, isKnown(op), "%s; making an Issuer has no Event", op)
	}
}

// A proof whose answer was lost may have used a recovery code, or confirmed a rotation, and
// its retry does not say so: somebody has to look.
func TestReplay_SaysWhereNobodyKnows(t *testing.T) {
	d := onSQLite(t)
	at := time.Now()
	var events []devicetotp.Event
	for _, op := range []devicetotp.Op{devicetotp.OpVerify, devicetotp.OpProve, devicetotp.OpCreate, devicetotp.OpRotate, devicetotp.OpRename} {
		d.account(string(op))
		e := devicetotp.Event{Op: op, At: at, AccountID: string(op), Code: devicetotp.CodeUnavailable}
		events = append(events, e, e)
	}
	d.account("bob")
	events = append(events, devicetotp.Event{Op: devicetotp.OpVerify, At: at, AccountID: "bob", Code: devicetotp.CodeInvalidCredentials})
	require.NoError(t, os.Remove(d.log))
	d.logs(events...)
	out := d.run(0, "replay", "-since", at.Format(time.RFC3339Nano), "-restored", time.Now().Format(time.RFC3339Nano), d.log)
	for _, id := range []string{"verify", "prove", "create", "rotate"} {
		require.Equal(t, 1, strings.Count(out, `to be checked, because a request ended as unavailable: "`+id+`"`), out)
	}
	require.NotContains(t, out, `"rename"`)
	require.NotContains(t, out, `"bob"`)
}
