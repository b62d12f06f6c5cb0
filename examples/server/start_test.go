package main

import (
	"flag"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
)

// freeAddr is an address that nobody listens on just now.
func freeAddr(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	return listener.Addr().String()
}

// Whatever is wrong is found before anybody can call.
func TestStartIsRefused(t *testing.T) {
	good := writeFile(t, "good.json", documentedAccount)
	bad := writeFile(t, "bad.json", "[{\"id\": \"a\",\n \"token\": \"t\", \"pin\": 8299}]")
	noKeys := writeFile(t, "keys", "nonsense")
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"accounts file with a fault": {[]string{"-accounts", bad}, "bad.json:2:23: [0].pin: is a number, must be a string"},
		"no accounts file":           {[]string{"-accounts", filepath.Join(t.TempDir(), "none")}, "accounts file: "},
		"a bad key file":             {[]string{"-accounts", good, "-key-file", noKeys}, "line 1"},
		"a store in no folder":       {[]string{"-accounts", good, "-store", "sqlite:" + filepath.Join(t.TempDir(), "no", "a.db")}, "open sqlite:"},
		"a file that is no database": {[]string{"-accounts", good, "-store", "sqlite:" + bad}, "open sqlite:"},
		"no such address":            {[]string{"-accounts", good, "-store", "memory", "-addr", "127.0.0.1:99999"}, "invalid port"},
	} {
		t.Run(name, func(t *testing.T) {
			var stdout, log output
			args := append([]string{"-addr", freeAddr(t), "-key-file", filepath.Join(t.TempDir(), "k"), "-store", "memory"}, c.args...)
			err := run(t.Context(), args, &stdout, &log)
			require.ErrorContains(t, err, c.want)
			require.Empty(t, stdout.String(), "nothing was served")
			require.Equal(t, 1, exitCode(err))
		})
	}
}

func TestFlags(t *testing.T) {
	o, err := parseFlags(nil, &output{})
	require.NoError(t, err)
	require.Equal(t, options{addr: "127.0.0.1:8080", store: storeName{"sqlite", "devicetotp-demo.db"}, keyFile: "devicetotp-demo.key"}, o)

	o, err = parseFlags([]string{"-store", "postgres://user:hidden@host/db"}, &output{})
	require.NoError(t, err)
	require.Equal(t, "postgres", o.store.String(), "the password is not shown")

	_, err = parseFlags([]string{"-h"}, &output{})
	require.ErrorIs(t, err, flag.ErrHelp)
	require.Zero(t, exitCode(err))

	for _, args := range [][]string{{"-store", "redis://"}, {"-store", "sqlite:"}, {"-nonsense"}, {"stray"}} {
		var told output
		_, err = parseFlags(args, &told)
		require.ErrorIs(t, err, errUsage, args)
		require.Equal(t, 2, exitCode(err))
		require.NotEmpty(t, told.String())
	}
}

// The key file is made once, for its owner alone, and then kept.
func TestKeyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys")
	first, err := openKeys(path, quiet())
	require.NoError(t, err)
	info, err := os.Stat(path)
	require.NoError(t, err)
	if runtime.GOOS != "windows" {
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	}

	second, err := openKeys(path, quiet())
	require.NoError(t, err)
	scope := credential.DeviceScope("a", &credential.Device{ID: otherID})
	sealed, err := first.Seal(scope, credential.NewSecret("12345678901234567890"))
	require.NoError(t, err)
	_, _, err = second.Open(scope, sealed)
	require.NoError(t, err, "the second start reads the key of the first")

	before, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, makeKeyFile(path), "another process was faster")
	after, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, before, after, "its file stays")
	entries, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Len(t, entries, 1, "nothing is left behind")

	require.NoError(t, os.Chmod(path, 0o644))
	var log output
	_, err = openKeys(path, textLogger(&log))
	require.NoError(t, err)
	if runtime.GOOS != "windows" {
		require.Contains(t, log.String(), "others can read the key file")
	}
}
