package credential_test

import (
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
)

// spellings returns how people write a key down.
func spellings(key []byte) []string {
	return []string{
		base64.StdEncoding.EncodeToString(key), base64.RawStdEncoding.EncodeToString(key),
		base64.URLEncoding.EncodeToString(key), base64.RawURLEncoding.EncodeToString(key),
		hex.EncodeToString(key), strings.ToUpper(hex.EncodeToString(key)),
		base32.StdEncoding.EncodeToString(key), base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(key),
	}
}

// letters returns a key of n bytes that are all letters, which is what a
// passphrase looks like.
func letters(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = "ABCDEFGHKLMNPQRSTUVWXYZabcdefghkmnpqrstuvwxyz"[r.IntN(45)]
	}
	return b
}

// requireNothingOf looks in text for any eight characters in a row of key, or of
// a spelling of it.
func requireNothingOf(t *testing.T, text string, key []byte, what string) {
	t.Helper()
	for _, form := range append(spellings(key), string(key), fmt.Sprint(key), fmt.Sprintf("%q", key)) {
		for i := 0; i+8 <= len(form); i++ {
			if strings.Contains(text, form[i:i+8]) {
				t.Fatalf("%q shows %q: %s", text, form[i:i+8], what)
			}
		}
	}
}

// Whatever column of a keyring a key stands in, and however it is written, no
// error shows a part of it, and no keyring takes it for an id.
func TestNoErrorOfAKeyringShowsAKey(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	dir := t.TempDir()
	layouts := []string{
		"ID:KEY", "KEY:ID", "KEY", "KEY:KEY", "*KEY:ID", "* ID:KEY", "ID KEY", "ID=KEY", "KEY=ID", "ID: KEY", "KEY :ID", " ID:KEY ", "ID:KEY:ID",
		"**ID:KEY", "ID:*KEY", ":KEY", "KEY:", "*:KEY", "ID:KEY,KEY:ID", "KEY,ID", "ID:KEY\nID:KEY", "*ID:KEY\n*KEY:ID", "*ID:KEY\nID:KEY",
		"KEY:GOOD", "KEY:GOOD\nKEY:GOOD", "*KEY:GOOD\nKEY:GOOD", "*KEY:GOOD\nID:GOOD", "KEY:GOOD\nID:GOOD", "*KEY:GOOD\n*ID:GOOD", "*KEY:AAAA", "KEY:ZERO", "#KEY\nKEY", "ID:KEY\r",
	}
	good, zero := base64.StdEncoding.EncodeToString(letters(r, 32)), base64.StdEncoding.EncodeToString(make([]byte, 32))
	refused := 0
	for range 20 {
		for _, size := range []int{12, 15, 16, 20, 24, 32, 33, 48, 64} {
			key := letters(r, size)
			if r.IntN(2) == 0 {
				for i := range key {
					key[i] = byte(r.Uint32())
				}
			}
			spelled := append(spellings(key), string(key))
			written := spelled[r.IntN(len(spelled))]
			layout := layouts[r.IntN(len(layouts))]
			text := strings.NewReplacer("KEY", written, "ID", "2026-05", "GOOD", good, "ZERO", zero).Replace(layout)
			check := func(k *credential.Keyring, err error, door string) {
				t.Helper()
				what := fmt.Sprintf("%s of %d bytes as %q by %s", layout, size, written, door)
				if err != nil {
					require.Nil(t, k)
					requireNothingOf(t, err.Error(), key, what)
					refused++
				} else if len(written) > 21 { // as every spelling of 16 bytes
					requireNothingOf(t, k.String(), key, what)
				}
			}
			k, err := credential.ParseKeyring(text)
			check(k, err, "ParseKeyring")
			path := filepath.Join(dir, "keys")
			require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
			k, err = credential.KeyringFromFile(path)
			check(k, err, "KeyringFromFile")
			k, err = credential.KeyringFromFile(text)
			check(k, err, "a text for a path")
			k, err = credential.KeyringFromEnv(text)
			check(k, err, "a text for a variable")
			one := credential.Key{ID: written, Secret: secret(good[:32])}
			for name, keys := range map[string][]credential.Key{
				"swapped": {{ID: written, Secret: secret("2026-05")}}, "no secret": {{ID: written}}, "an id": {one}, "twice": {one, one},
				"the same": {one, {ID: "b", Secret: one.Secret}}, "the same before": {{ID: "b", Secret: one.Secret}, one},
				"zeros": {{ID: written, Secret: secret(strings.Repeat("\x00", 32))}}, "none": nil, "another": {{ID: "b", Secret: one.Secret}},
			} {
				for _, primary := range []string{written, "b"} {
					k, err = credential.NewKeyring(primary, keys...)
					check(k, err, "NewKeyring: "+name)
				}
			}
		}
	}
	require.Greater(t, refused, 1000)
}

// What cannot be the id of a key is not shown either where it stands in a stored
// value.
func TestMissingKeyShowsNoKey(t *testing.T) {
	k := ring(t, "k", "k")
	r := rand.New(rand.NewPCG(5, 6))
	for _, size := range []int{16, 20, 24, 32} {
		for _, written := range append(spellings(letters(r, size)), string(letters(r, 32))) {
			stored := append(append([]byte{1, byte(len(written))}, written...), make([]byte, 60)...)
			_, _, err := k.Open(deviceScope, stored)
			require.EqualError(t, err, credential.ErrTampered.Error(), "%q", written)
		}
	}
}
