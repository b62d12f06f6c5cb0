package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/sqlstore"
	"example.com/devicetotp/credential/sqlstore/sqltest/pgtest"
	"example.com/devicetotp/examples/internal/accounts/accountstest"
)

// TestMain lets the test binary be the command, so that it can be killed.
func TestMain(m *testing.M) {
	if accountstest.IsCommand() {
		main()
		return
	}
	os.Exit(pgtest.Main(m))
}

func id(n int) string { return fmt.Sprintf("account-%04d", n) }

// fill adds n accounts, each with a device and a PIN sealed with keys.
func fill(t *testing.T, store *sqlstore.Store, keys *credential.Keyring, n int) {
	t.Helper()
	for i := range n {
		a := credential.Account{ID: id(i), Version: 1}
		d := credential.Device{ID: "738e379f-fe30-45ab-819c-ba88804b6368", Digits: 6, Period: 30 * time.Second, CreatedAt: time.Unix(1_700_000_000, 0).UTC()}
		var err error
		d.Sealed, err = keys.Seal(credential.DeviceScope(a.ID, &d), credential.NewSecret("secret of "+a.ID))
		require.NoError(t, err)
		a.State.Devices = []credential.Device{d}
		a.PINHash, err = keys.SealPINHash(a.ID, "$2a$10$"+a.ID)
		require.NoError(t, err)
		_, err = store.Insert(t.Context(), a)
		require.NoError(t, err)
	}
}

// requireMoved: every account opens with keys, and is as it was.
func requireMoved(t *testing.T, store *sqlstore.Store, keys *credential.Keyring, n int) {
	t.Helper()
	for i := range n {
		a, err := store.Load(t.Context(), id(i))
		require.NoError(t, err)
		require.Len(t, a.State.Devices, 1)
		d := a.State.Devices[0]
		plain, _, err := keys.Open(credential.DeviceScope(a.ID, &d), d.Sealed)
		require.NoError(t, err)
		require.Equal(t, "secret of "+a.ID, plain.Reveal())
		hash, _, err := keys.OpenPINHash(a.ID, a.PINHash)
		require.NoError(t, err)
		require.Equal(t, "$2a$10$"+a.ID, hash)
	}
}

// keyFile writes the keys of the second step of a roll-out, and returns the rings
// of before it and after it.
func keyFile(t *testing.T) (path string, before, after *credential.Keyring) {
	t.Helper()
	old, fresh := credential.NewKey("2025-11"), credential.NewKey("2026-05")
	path = filepath.Join(t.TempDir(), "keys")
	require.NoError(t, os.WriteFile(path, []byte(credential.KeyText(old)+"\n*"+credential.KeyText(fresh)+"\n"), 0o600))
	var err error
	before, err = credential.NewKeyring("2025-11", old)
	require.NoError(t, err)
	after, err = credential.NewKeyring("2026-05", fresh)
	require.NoError(t, err)
	return path, before, after
}

// The command is killed twice in the middle, and goes on each time. In the end the
// old key can go.
func TestKilledAndContinued(t *testing.T) {
	const accounts = 200
	accountstest.OnBoth(t, func(t *testing.T, b accountstest.Backend) {
		file, before, after := keyFile(t)
		fill(t, b.Store, before, accounts)
		state := filepath.Join(t.TempDir(), "state")
		args := []string{"-store", b.Name, "-key-file", file, "-state", state, "-page", "20", "-report", "20"}
		for range 2 { // at this rate, ten seconds before the end
			accountstest.Kill(t, 2, "accounts", append(args, "-rate", "20", "-page", "4", "-report", "4")...)
			require.FileExists(t, state)
		}
		code, out := ended(t, append(args, "-rate", "0")...)
		require.Zero(t, code, out)
		require.Contains(t, out, "200 accounts done under the primary key 2026-05")
		require.Contains(t, out, "no account needs: 2025-11\n")
		require.NoFileExists(t, state)
		requireMoved(t, b.Store, after, accounts)
	})
}

// A backup that is restored after the command was killed is noticed: the state file
// says of accounts that they are done, and they are not any more.
func TestKilledAndRestored(t *testing.T) {
	const accounts = 40
	b := accountstest.OnSQLite(t)
	file, before, after := keyFile(t)
	fill(t, b.Store, before, accounts)
	args := []string{"-store", b.Name, "-key-file", file, "-state", filepath.Join(t.TempDir(), "state"), "-page", "4"}
	accountstest.Kill(t, 2, "accounts", append(args, "-rate", "20", "-report", "4")...)
	for i := range accounts {
		_, err := b.Store.Delete(t.Context(), id(i))
		require.NoError(t, err)
	}
	fill(t, b.Store, before, accounts)

	code, out := ended(t, append(args, "-rate", "0")...)
	require.Equal(t, 3, code, out)
	require.NotContains(t, out, "no account needs")
	require.Contains(t, out, "still needed: 2025-11, by ")
	code, out = ended(t, append(args, "-rate", "0")...)
	require.Zero(t, code, out)
	require.Contains(t, out, "no account needs: 2025-11\n")
	requireMoved(t, b.Store, after, accounts)
}

// ended runs the command to its end.
func ended(t *testing.T, args ...string) (code int, output string) {
	t.Helper()
	var out bytes.Buffer
	code = run(context.WithoutCancel(t.Context()), args, &out, &out)
	return code, out.String()
}

func TestExitCodes(t *testing.T) {
	b := accountstest.OnSQLite(t)
	file, before, after := keyFile(t)
	fill(t, b.Store, before, 3)
	args := []string{"-store", b.Name, "-key-file", file, "-state", filepath.Join(t.TempDir(), "state"), "-rate", "0"}

	code, out := ended(t, append(args, "-dry-run")...)
	require.Equal(t, 3, code)
	require.Equal(t, "read 3 accounts; nothing was changed\nstill needed: 2025-11, by 3: \"account-0000\", \"account-0001\", \"account-0002\"\n", out)
	requireMoved(t, b.Store, before, 3)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var buffer bytes.Buffer
	require.Equal(t, 1, run(ctx, args, &buffer, &buffer))
	require.Contains(t, buffer.String(), "reseal: ")

	code, out = ended(t, args...)
	require.Equal(t, 0, code, out)
	requireMoved(t, b.Store, after, 3)
	code, _ = ended(t, append(args, "-dry-run")...)
	require.Equal(t, 0, code)

	for _, wrong := range [][]string{
		{}, {"-store", b.Name}, {"-key-file", file}, {"-what"}, append(args, "what"), append(args, "-rate", "-1"), append(args, "-workers", "0"), append(args, "-page", "0"),
	} {
		code, _ := ended(t, wrong...)
		require.Equal(t, 2, code, "%q", wrong)
	}
	for name, broken := range map[string][]string{
		"no such file": {"-store", "sqlite:" + b.Name + "-not", "-key-file", file},
		"no such keys": {"-store", b.Name, "-key-file", file + "-not"},
		"no store":     {"-store", "what", "-key-file", file},
	} {
		code, out := ended(t, broken...)
		require.Equal(t, 1, code, name)
		require.Contains(t, out, "reseal: ", name)
		require.NotContains(t, out, "no account needs")
	}
	code, _ = ended(t, "-h")
	require.Equal(t, 0, code)
}

// A password in the name of a store shows nowhere.
func TestThePasswordOfTheStoreIsNotPrinted(t *testing.T) {
	file, _, _ := keyFile(t)
	for _, store := range []string{"postgres://user:pa55word@127.0.0.1:1/db?connect_timeout=1", "postgres://user:pa55word@[::1/db"} {
		code, out := ended(t, "-store", store, "-key-file", file)
		require.Equal(t, 1, code)
		require.NotContains(t, out, "pa55word")
	}
	t.Setenv("DEVICETOTP_STORE", "postgres://user:pa55word@127.0.0.1:1/db")
	_, out := ended(t, "-h")
	require.NotContains(t, out, "pa55word", "the usage prints defaults")
}
