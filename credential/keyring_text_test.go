package credential_test

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
)

func line(id string) string { return credential.KeyText(key(id)) }

func TestParseKeyring(t *testing.T) {
	for name, tc := range map[string]struct{ text, want string }{
		"one key":               {line("a"), "keyring [a], primary a"},
		"one marked key":        {"*" + line("a"), "keyring [a], primary a"},
		"two keys":              {line("a") + "\n*" + line("b"), "keyring [a b], primary b"},
		"newest not primary":    {"*" + line("a") + "\n" + line("b"), "keyring [a b], primary a"},
		"commas":                {line("a") + ",*" + line("b"), "keyring [a b], primary b"},
		"commas and white":      {" " + line("a") + " , *" + line("b") + " ,", "keyring [a b], primary b"},
		"line ends of Windows":  {line("a") + "\r\n*" + line("b") + "\r\n", "keyring [a b], primary b"},
		"empty lines, comments": {"\n# a, b: c\n\n" + line("a") + "\n  # *x:y, z\n", "keyring [a], primary a"},
	} {
		t.Run(name, func(t *testing.T) {
			k, err := credential.ParseKeyring(tc.text)
			require.NoError(t, err)
			require.Equal(t, tc.want, k.String())
			plain, _, err := k.Open(deviceScope, seal(t, ring(t, "a", "a"), deviceScope, "plain"))
			require.NoError(t, err, "the key is that of the text")
			require.Equal(t, "plain", plain.Reveal())
		})
	}
}

func TestParseKeyringErrors(t *testing.T) {
	encoded := line("a")[2:]
	for name, tc := range map[string]struct{ text, want string }{
		"nothing":              {"", "credential: keyring: no key"},
		"comments only":        {"# a\n\n , ", "credential: keyring: no key"},
		"no colon":             {"\n" + encoded, "credential: keyring line 2: not id:base64"},
		"no id":                {":" + encoded, "credential: keyring line 1: the id is not 1 to 21 characters of A-Z a-z 0-9 . _ -"},
		"swapped":              {encoded + ":a", "credential: keyring line 1: the key is not standard padded base64"},
		"key as id":            {encoded + ":" + encoded, "credential: keyring line 1: the id is not 1 to 21 characters of A-Z a-z 0-9 . _ -"},
		"space in id":          {"a b:" + encoded, "credential: keyring line 1: the id is not 1 to 21 characters of A-Z a-z 0-9 . _ -"},
		"space after the mark": {"* a:" + encoded, "credential: keyring line 1: the id is not 1 to 21 characters of A-Z a-z 0-9 . _ -"},
		"without padding":      {"a:" + strings.TrimRight(encoded, "="), "credential: keyring line 1: the key is not standard padded base64"},
		"inner return":         {"a:" + encoded[:8] + "\r" + encoded[8:], "credential: keyring line 1: the key is not standard padded base64"},
		"trailing bits":        {"a:" + encoded[:42] + "B=", "credential: keyring line 1: the key is not standard padded base64"},
		"URL alphabet":         {"a:" + base64.URLEncoding.EncodeToString([]byte(strings.Repeat("\xff", 32))), "credential: keyring line 1: the key is not standard padded base64"},
		"hexadecimal":          {"a:" + strings.Repeat("0f", 32), "credential: keyring line 1: the key has 48 bytes, not 32"},
		"31 bytes":             {"a:" + base64.StdEncoding.EncodeToString(make([]byte, 31)), "credential: keyring line 1: the key has 31 bytes, not 32"},
		"no key":               {"a:", "credential: keyring line 1: the key has 0 bytes, not 32"},
		"no primary":           {line("a") + "\n" + line("b"), "credential: keyring: 0 of 2 keys are marked * as primary, not one"},
		"two primaries":        {"*" + line("a") + "\n*" + line("b"), "credential: keyring: 2 of 2 keys are marked * as primary, not one"},
		"id twice":             {"*" + line("a") + "\n" + line("a"), "credential: key 2: duplicate id"},
		"marked twice":         {"**" + line("a"), "credential: keyring line 1: the id is not 1 to 21 characters of A-Z a-z 0-9 . _ -"},
		"byte order mark":      {"\ufeff" + line("a"), "credential: keyring line 1: the id is not 1 to 21 characters of A-Z a-z 0-9 . _ -"},
		"several, by line": {"# x, y\na:\n\nb, " + line("c") + ",d:!", "credential: keyring line 2: the key has 0 bytes, not 32\n" +
			"credential: keyring line 4: not id:base64\ncredential: keyring line 4: the key is not standard padded base64"},
	} {
		t.Run(name, func(t *testing.T) {
			k, err := credential.ParseKeyring(tc.text)
			require.EqualError(t, err, tc.want)
			require.Nil(t, k)
			require.NotContains(t, err.Error(), encoded[:8])
		})
	}
}

// The text that the comment of ParseKeyring shows is read as it says.
func TestDocumentedKeyringTextParses(t *testing.T) {
	source, err := os.ReadFile("keyring_text.go")
	require.NoError(t, err)
	sample := regexp.MustCompile(`(?m)^//\t(.*)$`).FindAllStringSubmatch(string(source), -1)
	var text strings.Builder
	for _, line := range sample {
		text.WriteString(line[1] + "\n")
	}
	k, err := credential.ParseKeyring(text.String())
	require.NoError(t, err)
	require.Equal(t, "keyring [2025-11 2026-05], primary 2026-05", k.String())
}

func TestKeyringFromFileAndEnv(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	k, err := credential.KeyringFromFile(write("good", line("a")+"\n"))
	require.NoError(t, err)
	require.Equal(t, "keyring [a], primary a", k.String())
	bad := write("bad", "\nx")
	_, err = credential.KeyringFromFile(bad)
	require.EqualError(t, err, bad+": credential: keyring line 2: not id:base64")
	_, err = credential.KeyringFromFile(filepath.Join(dir, "none"))
	require.ErrorIs(t, err, os.ErrNotExist)
	require.EqualError(t, err, "credential: keyring: cannot read the file: "+syscall.ENOENT.Error())

	t.Setenv("DEVICETOTP_KEYS", line("a"))
	k, err = credential.KeyringFromEnv("DEVICETOTP_KEYS")
	require.NoError(t, err)
	require.Equal(t, "keyring [a], primary a", k.String())
	t.Setenv("DEVICETOTP_KEYS", "")
	_, err = credential.KeyringFromEnv("DEVICETOTP_KEYS")
	require.EqualError(t, err, "environment variable DEVICETOTP_KEYS: credential: keyring: no key")
	require.NoError(t, os.Unsetenv("DEVICETOTP_KEYS"))
	_, err = credential.KeyringFromEnv("DEVICETOTP_KEYS")
	require.EqualError(t, err, "credential: keyring: environment variable DEVICETOTP_KEYS is not set")
	_, err = credential.KeyringFromEnv(line("DEVICETOTP_KEYS"))
	require.EqualError(t, err, "credential: keyring: the environment variable is not set")
}
