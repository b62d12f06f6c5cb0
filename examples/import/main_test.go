package main

import (
	"bytes"
	"context"
	"encoding/base32"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"
	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/sqlstore/sqltest/pgtest"
	"example.com/devicetotp/devicetotp"
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

func base32Secret(n int) string {
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(fmt.Appendf(nil, "import-secret-%06d", n))
}

func line(n int) string {
	return id(n) + " otpauth://totp/Old:user?issuer=Old&secret=" + base32Secret(n)
}

// fill adds n accounts without a device, and returns the args for a file of the
// lines and keys of the test.
func fill(t *testing.T, b accountstest.Backend, n int, lines ...string) (args []string, keys *credential.Keyring) {
	t.Helper()
	for i := range n {
		_, err := b.Store.Insert(t.Context(), credential.Account{ID: id(i), Version: 1})
		require.NoError(t, err)
	}
	key := credential.NewKey("k")
	keys, err := credential.NewKeyring("k", key)
	require.NoError(t, err)
	keyFile, file := filepath.Join(t.TempDir(), "keys"), filepath.Join(t.TempDir(), "devices.txt")
	require.NoError(t, os.WriteFile(keyFile, []byte(credential.KeyText(key)+"\n"), 0o600))
	require.NoError(t, os.WriteFile(file, []byte(strings.Join(lines, "\n")), 0o600))
	return []string{"-store", b.Name, "-key-file", keyFile, file}, keys
}

// ended runs the command to its end.
func ended(t *testing.T, args ...string) (code int, output string) {
	t.Helper()
	var out bytes.Buffer
	code = run(context.WithoutCancel(t.Context()), args, strings.NewReader(line(0)), &out, &out)
	return code, out.String()
}

// The command is killed in the middle, and run again with the same file. In the
// end each account has its device once, and the codes of the user's app verify.
func TestKilledAndRunAgain(t *testing.T) {
	const accounts = 1000
	accountstest.OnBoth(t, func(t *testing.T, b accountstest.Backend) {
		lines := []string{"# of the old service", ""}
		for i := range accounts {
			lines = append(lines, line(i))
		}
		args, keys := fill(t, b, accounts, lines...)
		accountstest.Kill(t, 2, "devices", append([]string{"-report", "20"}, args...)...)
		code, out := ended(t, args...)
		require.Zero(t, code, out)
		var devices, imported, there, refused int
		_, err := fmt.Sscanf(out, "%d devices: %d imported, %d there already, %d refused", &devices, &imported, &there, &refused)
		require.NoError(t, err, out)
		require.Equal(t, []int{accounts, accounts, 0}, []int{devices, imported + there, refused})
		require.GreaterOrEqual(t, there, 40, "what was imported before the kill stays")
		require.Positive(t, imported, "it was killed before the end")

		issuer, err := devicetotp.NewIssuer(b.Store, keys, devicetotp.Config{})
		require.NoError(t, err)
		for i := range accounts {
			a, err := b.Store.Load(t.Context(), id(i))
			require.NoError(t, err)
			require.Len(t, a.State.Devices, 1)
			if i%100 > 0 {
				continue
			}
			code, err := totp.GenerateCode(base32Secret(i), time.Now())
			require.NoError(t, err)
			_, err = issuer.Verify(t.Context(), devicetotp.VerifyRequest{AccountID: a.ID, Code: credential.NewSecret(code)})
			require.NoError(t, err)
		}
	})
}

// Lines that cannot be imported are named by their number and the reason, and the
// others are. Nothing that is printed holds a secret.
func TestWhatIsRefused(t *testing.T) {
	b := accountstest.OnSQLite(t)
	const other = "00000000-0000-4000-8000-00000000000a"
	args, _ := fill(t, b, 2,
		line(0),
		line(7),                   // 2: no such account
		id(1)+" "+base32Secret(1), // 3: no address
		line(1)+" not-a-uuid",     // 4
		line(1)+" "+other,         // imported
		line(1),                   // 6: the same secret under another id
		line(1)+" "+other+" more", // 7
		id(1)+" otpauth://totp/x?secret=JBSWY3DP", // 8: five bytes
	)
	code, out := ended(t, append([]string{"-dry-run"}, args...)...)
	require.Equal(t, 3, code)
	require.Contains(t, out, "read 8 devices; 6 refused; nothing was changed\n")
	a, err := b.Store.Load(t.Context(), id(0))
	require.NoError(t, err)
	require.Empty(t, a.State.Devices)

	code, out = ended(t, args...)
	require.Equal(t, 3, code)
	require.Contains(t, out, "8 devices: 2 imported, 0 there already, 6 refused\n")
	for _, n := range []int{2, 3, 4, 6, 7, 8} {
		require.Contains(t, out, fmt.Sprintf("line %d: ", n))
	}
	for _, secret := range []string{base32Secret(0), base32Secret(1), base32Secret(7), "JBSWY3DP", "otpauth://"} {
		require.NotContains(t, out, secret)
	}
	code, out = ended(t, args...)
	require.Equal(t, 3, code)
	require.Contains(t, out, "8 devices: 0 imported, 2 there already, 6 refused\n")
}

// A device has the name of its label. Where that cannot be a name it is imported
// without one, and the line is named.
func TestLabelsBecomeNames(t *testing.T) {
	b := accountstest.OnSQLite(t)
	address := func(n int, label string) string {
		return id(n) + " otpauth://totp/" + label + "?secret=" + base32Secret(n)
	}
	args, _ := fill(t, b, 4,
		address(0, "Old:phone"),
		address(1, strings.Repeat("x", 200)),
		address(2, "Old:a%00%0ab"),
		id(3)+" otpauth://totp/?secret="+base32Secret(3), // no label at all
	)
	for _, flags := range [][]string{{"-dry-run"}, nil, nil} {
		code, out := ended(t, append(flags, args...)...)
		require.Zero(t, code, out)
		require.Contains(t, out, "line 2: without its label\nline 3: without its label\n")
		require.Contains(t, out, "2 without their label")
		require.NotContains(t, out, "xxx")
	}
	for n, name := range []string{"phone", "", "", ""} {
		a, err := b.Store.Load(t.Context(), id(n))
		require.NoError(t, err)
		require.Len(t, a.State.Devices, 1)
		require.Equal(t, name, a.State.Devices[0].Name)
	}
}

// The reason of a refusal says what is wrong with the line, and nothing else.
func TestReasons(t *testing.T) {
	for line, want := range map[string]string{
		"alice": "not an account id, an otpauth address and, if need be, a device id",
		"alice otpauth://totp/x?secret=JBSWY3DPEHPK3PXP&algorithm=MD5":       "the algorithm is not SHA1, SHA256 or SHA512",
		"alice otpauth://totp/x?secret=JBSWY3DPEHPK3PXP&period=30&period=60": "the address has the parameter period twice",
		"alice otpauth://totp/x?secret=JBSWY3DPEHPK3PXP&period=soon":         "the parameter period of the address is not a small positive number",
		"alice https://totp/x?secret=JBSWY3DPEHPK3PXP":                       "the address is not an otpauth address",
	} {
		_, err := parseLine(line)
		require.Error(t, err)
		require.True(t, isRefusal(err))
		require.Equal(t, want, reason(err))
	}
}

// An account that is full, or an address where the account id should be, is a line
// that is refused; the lines after it are imported, no device is taken away, and
// no secret is printed.
func TestAFullAccountRefusesItsLineOnly(t *testing.T) {
	b := accountstest.OnSQLite(t)
	var lines []string
	for i := range devicetotp.DefaultPolicy().MaxDevices + 1 {
		lines = append(lines, fmt.Sprintf("%s otpauth://totp/Old:phone%d?secret=%s", id(0), i, base32Secret(i)))
	}
	address := "otpauth://totp/Old:x?secret=" + base32Secret(99)
	args, _ := fill(t, b, 2, append(lines, address+" "+address, line(1))...)
	for _, flags := range [][]string{{"-dry-run"}, nil} {
		code, out := ended(t, append(flags, args...)...)
		require.Equal(t, 3, code, out)
		require.Contains(t, out, "line 21: device-limit-reached\nline 22: no such account\n")
		require.NotContains(t, out, base32Secret(99))
	}
	a, err := b.Store.Load(t.Context(), id(0))
	require.NoError(t, err)
	require.Len(t, a.State.Devices, devicetotp.DefaultPolicy().MaxDevices)
	a, err = b.Store.Load(t.Context(), id(1))
	require.NoError(t, err)
	require.Len(t, a.State.Devices, 1)
}

func TestExitCodes(t *testing.T) {
	b := accountstest.OnSQLite(t)
	args, _ := fill(t, b, 1, line(0))
	flags, file := args[:4:4], args[4]

	code, out := ended(t, append(flags, "-")...)
	require.Zero(t, code, out)
	require.Contains(t, out, "1 devices: 1 imported")

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var buffer bytes.Buffer
	require.Equal(t, 1, run(ctx, args, nil, &buffer, &buffer))
	require.Contains(t, buffer.String(), "import: ")

	for _, wrong := range [][]string{{}, flags, {"-store", b.Name, file}, {"-what"}, append(flags, file, file)} {
		code, _ := ended(t, wrong...)
		require.Equal(t, 2, code, "%q", wrong)
	}
	for name, broken := range map[string][]string{
		"no such file":  append(flags, file+"-not"),
		"no such keys":  {"-store", b.Name, "-key-file", file + "-not", file},
		"no such store": {"-store", "sqlite:" + b.Name + "-not", "-key-file", flags[3], file},
	} {
		code, out := ended(t, broken...)
		require.Equal(t, 1, code, name)
		require.Contains(t, out, "import: ", name)
	}
	code, _ = ended(t, "-h")
	require.Zero(t, code)
}
