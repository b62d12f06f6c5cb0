package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/sqlstore"
	"example.com/devicetotp/credential/sqlstore/sqltest/pgtest"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/examples/internal/accounts/accountstest"
	"example.com/devicetotp/examples/operations"
	"example.com/devicetotp/verifier"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// A desk is where an operator works: a database, keys and a log.
type desk struct {
	t     *testing.T
	name  string // of the store, for the command
	store *sqlstore.Store
	keys  *credential.Keyring
	args  []string
	log   string
}

func onSQLite(t *testing.T) *desk { return newDesk(t, accountstest.OnSQLite(t)) }

func onBoth(t *testing.T, test func(*testing.T, *desk)) {
	accountstest.OnBoth(t, func(t *testing.T, b accountstest.Backend) { test(t, newDesk(t, b)) })
}

func newDesk(t *testing.T, b accountstest.Backend) *desk {
	t.Helper()
	key := credential.NewKey("k")
	keys, err := credential.NewKeyring("k", key)
	require.NoError(t, err)
	dir := t.TempDir()
	d := &desk{t: t, name: b.Name, store: b.Store, keys: keys, log: filepath.Join(dir, "events.log")}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "keys"), []byte(credential.KeyText(key)+"\n"), 0o600))
	d.args = []string{"-store", b.Name, "-key-file", filepath.Join(dir, "keys"), "-log", d.log}
	return d
}

// run runs the command to its end, which must be that exit code.
func (d *desk) run(code int, args ...string) (output string) {
	d.t.Helper()
	var out bytes.Buffer
	require.Equal(d.t, code, run(context.WithoutCancel(d.t.Context()), append(d.args[:len(d.args):len(d.args)], args...), &out, &out), &out)
	return out.String()
}

// logged returns the operations in the log, with their codes.
func (d *desk) logged() (ops []string) {
	d.t.Helper()
	text, err := os.ReadFile(d.log)
	require.NoError(d.t, err)
	for line := range strings.Lines(string(text)) {
		var l struct {
			Event struct{ Op, Account, Code string }
		}
		require.NoError(d.t, json.Unmarshal([]byte(line), &l))
		ops = append(ops, strings.TrimSpace(l.Event.Op+" "+l.Event.Account+" "+l.Event.Code))
	}
	return ops
}

// issuer is a process of the service. Its Events go to the log too.
func (d *desk) issuer() *devicetotp.Issuer {
	d.t.Helper()
	log, err := openLog(d.log, nil)
	require.NoError(d.t, err)
	d.t.Cleanup(func() { _ = log.Close() })
	hasher, err := verifier.NewHasher(verifier.DefaultHasherConfig())
	require.NoError(d.t, err)
	issuer, err := devicetotp.NewIssuer(d.store, d.keys, devicetotp.Config{Observer: log.observe, PIN: verifier.PIN(d.keys, hasher)})
	require.NoError(d.t, err)
	return issuer
}

// account adds one that registered now and made a device, and another device on a
// code of that one.
func (d *desk) account(id string) (first, second devicetotp.DeviceTOTP) {
	d.t.Helper()
	require.NoError(d.t, d.store.Put(d.t.Context(), credential.Account{ID: id, RegisteredAt: time.Now()}))
	issuer := d.issuer()
	first, err := issuer.Create(d.t.Context(), devicetotp.CreateRequest{AccountID: id})
	require.NoError(d.t, err)
	second, err = issuer.Create(d.t.Context(), devicetotp.CreateRequest{AccountID: id, OTP: codeOf(d.t, first)})
	require.NoError(d.t, err)
	return first, second
}

func codeOf(t *testing.T, d devicetotp.DeviceTOTP) credential.Secret {
	t.Helper()
	totp := verifier.TOTP{Secret: d.Secret, Algorithm: d.Algorithm, Digits: d.Digits, Period: d.Period}
	code, err := totp.Code(totp.Step(time.Now()))
	require.NoError(t, err)
	return code
}

// inspected returns what inspect prints of an account.
func (d *desk) inspected(id string) (v view) {
	d.t.Helper()
	require.NoError(d.t, json.Unmarshal([]byte(d.run(0, "inspect", id)), &v))
	return v
}

func TestInspectAndUnblock(t *testing.T) {
	onBoth(t, func(t *testing.T, d *desk) {
		first, second := d.account("alice")
		issuer := d.issuer()
		for range 12 {
			_, err := issuer.Prove(t.Context(), devicetotp.ProveRequest{AccountID: "alice", PIN: credential.NewSecret("0000"), OTP: credential.NewSecret("00000000")})
			require.Error(t, err)
		}
		v := d.inspected("alice")
		require.Equal(t, "alice", v.Account)
		require.False(t, v.Locked)
		require.Equal(t, []string{"k"}, v.Keys)
		require.Equal(t, []string{first.ID, second.ID}, []string{v.Devices[0].ID, v.Devices[1].ID})
		require.Equal(t, first.ID, v.Devices[1].MadeBy)
		require.Equal(t, "otp", v.Devices[1].Basis)
		require.Positive(t, v.Factors["pin"].Failures)
		require.Positive(t, v.Factors["otp"].Failures)

		d.run(0, "unblock", "-factor", "pin", "alice")
		v = d.inspected("alice")
		require.Zero(t, v.Factors["pin"].Failures)
		require.Positive(t, v.Factors["otp"].Failures)
		d.run(0, "unblock", "alice")
		require.Zero(t, d.inspected("alice").Factors["otp"].Failures)
		require.Contains(t, d.logged(), "unblock alice")
	})
}

func TestRevoke(t *testing.T) {
	onBoth(t, func(t *testing.T, d *desk) {
		first, second := d.account("alice")
		require.Contains(t, d.run(3, "revoke", "-device", "738e379f-fe30-45ab-819c-ba88804b6368", "alice"), "no such device")
		require.JSONEq(t, `{"revoked":["`+first.ID+`"],"madeBy":["`+second.ID+`"]}`, d.run(0, "revoke", "-device", first.ID, "-with-made-by", "alice"))
		require.Empty(t, d.inspected("alice").Devices)
		d.account("bob")
		d.run(0, "revoke", "-all", "bob")
		require.Empty(t, d.inspected("bob").Devices)
		require.JSONEq(t, `{"revoked":[]}`, d.run(0, "revoke", "-all", "bob"))
	})
}

func TestLockDeleteAndRename(t *testing.T) {
	onBoth(t, func(t *testing.T, d *desk) {
		d.account("alice")
		d.run(0, "lock", "alice")
		require.True(t, d.inspected("alice").Locked)
		require.Contains(t, d.run(3, "unblock", "alice"), "account-locked")
		d.run(0, "unlock", "alice")
		require.False(t, d.inspected("alice").Locked)

		d.account("bob")
		require.Contains(t, d.run(3, "rename-account", "alice", "bob"), "has the new id already")
		require.Len(t, d.inspected("alice").Devices, 2)
		d.run(0, "rename-account", "alice", "u-7")
		v := d.inspected("u-7")
		require.Len(t, v.Devices, 2)
		require.Empty(t, v.Unreadable)
		require.False(t, v.Locked)
		require.Contains(t, d.run(3, "inspect", "alice"), "not found")

		d.run(0, "delete", "u-7")
		d.run(3, "delete", "u-7")
		ops := d.logged()
		for _, op := range []string{"lock alice", "unlock alice", "rename-account alice", "rename-account alice invalid-argument", "delete u-7", "delete u-7 invalid-argument"} {
			require.Contains(t, ops, op)
		}
	})
}

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
		for _, a := range d.all() {
			_, err := d.store.Delete(t.Context(), a.ID)
			require.NoError(t, err)
		}
		for _, a := range backup {
			_, err := d.store.Insert(t.Context(), a)
			require.NoError(t, err)
		}
		restored := time.Now().UTC().Format(time.RFC3339Nano)
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
			require.True(t, round == 0 || reflect.DeepEqual(codes, bob.State.Recovery))
			codes = bob.State.Recovery
		}
	})
}

// A wrong time repeats nothing, and the command says so.
func TestReplay_SaysWhichEventsItLeftOut(t *testing.T) {
	d := onSQLite(t)
	d.account("alice")
	d.run(0, "lock", "alice")
	d.run(0, "unlock", "alice")
	out := d.run(0, "replay", "-since", "2020-05-01T12:00:00Z", "-restored", "2020-05-02T12:00:00Z", d.log)
	require.Regexp(t, `^0 Events of between the two times; left out: 0 of before and 4 of after, the first of 20`, out)
}

// all returns every account, in the order of ids.
func (d *desk) all() (accounts []credential.Account) {
	d.t.Helper()
	ids, err := d.store.IDs(d.t.Context(), "", 100)
	require.NoError(d.t, err)
	for _, id := range ids {
		a, err := d.store.Load(d.t.Context(), id)
		require.NoError(d.t, err)
		accounts = append(accounts, a)
	}
	return accounts
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

// A recovery code that was used after a lock of the time of the backup was lifted is
// taken away in the first run.
func TestReplay_OfAnAccountThatWasLockedWhenItWasBackedUp(t *testing.T) {
	d := onSQLite(t)
	d.account("alice")
	codes, err := d.issuer().ReplaceRecoveryCodes(t.Context(), devicetotp.RecoveryRequest{AccountID: "alice"})
	require.NoError(t, err)
	require.NotEmpty(t, codes)
	lost, err := d.store.Load(t.Context(), "alice")
	require.NoError(t, err)
	require.NoError(t, d.store.SetLocked(t.Context(), "alice", true))
	at := time.Now()
	d.logs(devicetotp.Event{Op: opUnlock, At: at, AccountID: "alice"}, devicetotp.Event{
		Op: devicetotp.OpProve, At: at, AccountID: "alice",
		Factors: []devicetotp.FactorResult{{Factor: credential.FactorOTP, Result: devicetotp.ResultValid, Kind: verifier.KindRecovery}},
	})
	out := d.run(0, "replay", "-since", at.Format(time.RFC3339Nano), "-restored", time.Now().Format(time.RFC3339Nano), d.log)
	require.Contains(t, out, `needs new recovery codes: "alice"`)
	after, err := d.store.Load(t.Context(), "alice")
	require.NoError(t, err)
	require.False(t, after.Locked)
	require.NotEqual(t, lost.State.Recovery, after.State.Recovery)
}

// What was locked or unlocked after the backup was put back stays so in a second run.
func TestReplay_LeavesLocksOfAfterwards(t *testing.T) {
	d := onSQLite(t)
	d.account("alice")
	d.account("bob")
	at := time.Now()
	d.logs(devicetotp.Event{Op: opLock, At: at, AccountID: "alice"}, devicetotp.Event{Op: opUnlock, At: at, AccountID: "bob"})
	restored := time.Now().Format(time.RFC3339Nano)
	replay := func() {
		d.run(0, "replay", "-since", at.Add(-time.Minute).Format(time.RFC3339), "-restored", restored, d.log)
	}
	replay()
	require.True(t, d.inspected("alice").Locked)
	d.run(0, "unlock", "alice")
	d.run(0, "lock", "bob")
	replay()
	require.False(t, d.inspected("alice").Locked)
	require.True(t, d.inspected("bob").Locked)
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
	require.Contains(t, out, "3 Events of between the two times; left out: 1 of before")
	require.Len(t, d.inspected("alice").Devices, 1, "lines after those are repeated, and those of before the backup are not")
}

func TestExitCodes(t *testing.T) { onBoth(t, testExitCodes) }

func testExitCodes(t *testing.T, d *desk) {
	d.account("alice")
	for _, wrong := range [][]string{
		{}, {"what"}, {"inspect"}, {"inspect", "alice", "bob"}, {"inspect", ""}, {"unblock", "-factor", "sms", "alice"}, {"revoke", "alice"},
		{"revoke", "-all", "-device", "x", "alice"}, {"rename-account", "alice"}, {"replay", "x"}, {"replay", "-since", "2026-05-01T12:00:00Z", "x"},
		{"replay", "-since", "yesterday", "-restored", "today", "x"},
	} {
		d.run(2, wrong...)
	}
	d.run(2, "-store", "", "inspect", "alice")
	d.run(0, "-h")
	d.run(0, "revoke", "-h")
	for _, refused := range [][]string{
		{"inspect", "nobody"}, {"unblock", "nobody"}, {"revoke", "-all", "nobody"}, {"lock", "nobody"}, {"delete", "nobody"}, {"rename-account", "nobody", "x"},
		{"revoke", "-device", "not-a-uuid", "alice"},
	} {
		d.run(3, refused...)
	}
	for _, id := range []string{"a\xff", strings.Repeat("a", 1025), "alice"} {
		d.run(3, "rename-account", "alice", id)
		require.False(t, d.inspected("alice").Locked)
	}
	for _, id := range []string{"a\xff", strings.Repeat("a", 1025), "'; --", " alice", "Alice"} {
		for _, refused := range [][]string{
			{"inspect"}, {"unblock"}, {"revoke", "-all"}, {"revoke", "-device", "738e379f-fe30-45ab-819c-ba88804b6368"}, {"lock"}, {"unlock"}, {"delete"},
		} {
			d.run(3, append(refused, id)...)
		}
	}
	d.run(1, "replay", "-since", "2026-05-01T12:00:00Z", "-restored", "2026-05-02T12:00:00Z", d.log+"-not")
	d.run(1, "-key-file", d.log+"-not", "inspect", "alice")
	d.run(1, "-store", d.name+"-not", "inspect", "alice")
	d.run(1, "-log", filepath.Join(d.log, "not"), "inspect", "alice")
}

// What is done and not logged is an error: a replay would not know of it.
func TestALogThatCannotBeWritten(t *testing.T) {
	const full = "/dev/full"
	if _, err := os.Stat(full); err != nil {
		t.Skip(err)
	}
	d := onSQLite(t)
	d.account("alice")
	require.Contains(t, d.run(1, "-log", full, "lock", "alice"), "write the log")
	require.True(t, d.inspected("alice").Locked)
}
