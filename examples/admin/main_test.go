package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
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

// The output of inspect may end in a ticket, and so has no id that is as good as a
// secret. It says what rests on grace.
func TestInspectHidesWhatARetryWouldBeGiven(t *testing.T) {
	onBoth(t, func(t *testing.T, d *desk) {
		d.account("alice")
		unused, err := d.issuer().Create(t.Context(), devicetotp.CreateRequest{AccountID: "alice"})
		require.NoError(t, err)
		require.NotContains(t, d.run(0, "inspect", "alice"), unused.ID)
		v := d.inspected("alice")
		require.Len(t, v.Devices, 3)
		for i, open := range []bool{false, false, true} {
			require.Equal(t, open, v.Devices[i].OpenToRetry)
			require.Equal(t, open, v.Devices[i].ID == "")
			require.True(t, v.Devices[i].RestsOnGrace)
		}
	})
}

// A device whose key this command does not have may be given to a retry by a process
// that has the key.
func TestInspectHidesWhatARetryWouldBeGivenByAnotherProcess(t *testing.T) {
	d := onSQLite(t)
	d.account("alice")
	unused, err := d.issuer().Create(t.Context(), devicetotp.CreateRequest{AccountID: "alice"})
	require.NoError(t, err)
	another := filepath.Join(t.TempDir(), "keys")
	require.NoError(t, os.WriteFile(another, []byte(credential.KeyText(credential.NewKey("another"))+"\n"), 0o600))
	out := d.run(0, "-key-file", another, "inspect", "alice")
	require.NotContains(t, out, unused.ID)
	var v view
	require.NoError(t, json.Unmarshal([]byte(out), &v))
	var named []string
	for _, u := range v.Unreadable {
		named = append(named, u.Device)
	}
	require.Equal(t, []string{v.Devices[0].ID, v.Devices[1].ID, v.Devices[1].ID, ""}, named, "the secrets, and what the second was created on")
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

func TestExitCodes(t *testing.T) { onBoth(t, testExitCodes) }

func testExitCodes(t *testing.T, d *desk) {
	d.account("alice")
	for _, wrong := range [][]string{
		{}, {"what"}, {"inspect"}, {"inspect", "alice", "bob"}, {"inspect", ""}, {"unblock", "-factor", "sms", "alice"}, {"revoke", "alice"},
		{"revoke", "-all", "-device", "x", "alice"}, {"rename-account", "alice"}, {"replay", "x"}, {"replay", "-since", "2026-05-01T12:00:00Z", "x"},
		{"replay", "-since", "yesterday", "-restored", "today", "x"},
		{"replay", "-since", "2026-05-01T12:00:00Z", "-restored", "2026-05-01T12:00:00Z", "x"},
		{"replay", "-since", "2026-05-01T12:00:00Z", "-restored", time.Now().Add(time.Hour).Format(time.RFC3339), "x"},
	} {
		d.run(2, wrong...)
	}
	d.run(2, "-store", "", "inspect", "alice")
	d.run(0, "-h")
	d.run(0, "revoke", "-h")
	d.run(2, "inspect", "-all")
	d.run(3, "inspect", "--", "-all")
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

// Whoever has only the command finds out from it what it does.
func TestHelp(t *testing.T) {
	d := onSQLite(t)
	d.args = nil
	help := d.run(0, "-h")
	require.Contains(t, d.run(0, "revoke", "-h"), "-with-made-by", "no flag is asked for before")
	for name, c := range commands {
		require.Regexp(t, `(?m)^  `+name+` +`+regexp.QuoteMeta(c.does)+`$`, help)
	}
	require.Contains(t, d.run(2, "what"), `admin: no command "what"`)
	require.Contains(t, d.run(2, "what"), "rename-account")
	require.Contains(t, d.run(2), "want -store, -key-file and a command")
	require.Contains(t, d.run(0, "inspect", "-h"), "wants an account")
	require.Contains(t, d.run(0, "rename-account", "-h"), "wants the old id and a new one")
	require.Contains(t, d.run(0, "replay", "-h"), "the file of the log, or -")
	require.Contains(t, d.run(2, "inspect", "alice"), "-key-file")
}

// The second of two operators who moved or deleted one account at once has a copy, which
// must not be unlocked.
func TestNobodyIsAdvisedToUnlockACopy(t *testing.T) {
	require.Contains(t, withAdvice(errors.New("the connection was closed")).Error(), "unlock it")
	for _, err := range []error{operations.ErrGone, operations.ErrTaken} {
		require.NotContains(t, withAdvice(fmt.Errorf("move: %w", err)).Error(), "unlock it")
	}
}
