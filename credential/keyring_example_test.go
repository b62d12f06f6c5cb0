package credential_test

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"example.com/devicetotp/credential"
)

// Roll a key out in two steps. First it is the newest everywhere, not yet
// primary; then it is primary everywhere.
func ExampleNewKeyring() {
	old, newer := credential.NewKey("2025-11"), credential.NewKey("2026-05")
	today, _ := credential.NewKeyring("2025-11", old)
	stepOne, _ := credential.NewKeyring("2025-11", old, newer)
	stepTwo, _ := credential.NewKeyring("2026-05", old, newer)

	scope := credential.DeviceScope("alice", &credential.Device{ID: "738e379f-fe30-45ab-819c-ba88804b6368"})
	sealed, _ := today.Seal(scope, credential.NewSecret("12345678901234567890"))
	for _, keys := range []*credential.Keyring{today, stepOne, stepTwo} {
		plain, outdated, err := keys.Open(scope, sealed)
		fmt.Println(keys, "|", len(plain.Reveal()), outdated, err)
	}
	// Output:
	// keyring [2025-11], primary 2025-11 | 20 false <nil>
	// keyring [2025-11 2026-05], primary 2025-11 | 20 false <nil>
	// keyring [2025-11 2026-05], primary 2026-05 | 20 true <nil>
}

// What is sealed is bound to its account and device.
func ExampleKeyring_Open() {
	keys, _ := credential.NewKeyring("2026-05", credential.NewKey("2026-05"))
	scope := credential.DeviceScope("alice", &credential.Device{ID: "738e379f-fe30-45ab-819c-ba88804b6368"})
	sealed, _ := keys.Seal(scope, credential.NewSecret("12345678901234567890"))

	scope.AccountID = "mallory"
	_, _, err := keys.Open(scope, sealed)
	fmt.Println(err)

	other, _ := credential.NewKeyring("2026-06", credential.NewKey("2026-06"))
	_, _, err = other.Open(scope, sealed)
	fmt.Println(err)
	// Output:
	// credential: sealed value was altered or belongs elsewhere
	// credential: key not in the keyring: "2026-05"
}

// A one-time code is kept as a digest.
func ExampleKeyring_Matches() {
	keys, _ := credential.NewKeyring("2026-05", credential.NewKey("2026-05"))
	scope := credential.Scope{Purpose: credential.PurposeOneTimeCode, AccountID: "alice", Subject: "00c0ffee00c0ffee"}
	digest, _ := keys.Digest(scope, credential.NewSecret("12345678"))
	for _, code := range []string{"12345678", "87654321"} {
		ok, err := keys.Matches(scope, digest, credential.NewSecret(code))
		fmt.Println(ok, err)
	}
	// Output:
	// true <nil>
	// false <nil>
}

// A host seals its PIN hashes before it stores them.
func ExampleKeyring_SealPINHash() {
	keys, _ := credential.NewKeyring("2026-05", credential.NewKey("2026-05"))
	stored, _ := keys.SealPINHash("alice", "$argon2id$v=19$m=19456,t=2,p=1$...")
	fmt.Println(stored[:8])
	hash, outdated, err := keys.OpenPINHash("alice", stored)
	fmt.Println(hash, outdated, err)
	// Output:
	// $sealed$
	// $argon2id$v=19$m=19456,t=2,p=1$... false <nil>
}

// Keys come from a file or an environment variable. Never use these two.
func ExampleParseKeyring() {
	keys, err := credential.ParseKeyring(`
# oldest first; the star marks the primary
2025-11:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=
*2026-05:ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=
`)
	fmt.Println(keys, err)
	_, err = credential.ParseKeyring("2025-11:AAECAwQFBgcICQ==\n2026-05=ICEiIyQl")
	fmt.Println(err)
	// Output:
	// keyring [2025-11 2026-05], primary 2026-05 <nil>
	// credential: keyring line 1: the key has 10 bytes, not 32
	// credential: keyring line 2: not id:base64
}

// Keys that a key management service decrypts are never in a file.
func ExampleParseKeyring_keyManagement() {
	encrypted := rot13(credential.KeyText(credential.NewKey("2026-05"))) // what is in the configuration
	decrypt := func(text string) (string, error) { return rot13(text), nil }

	text, err := decrypt(encrypted)
	if err != nil {
		fmt.Println(err)
		return
	}
	keys, err := credential.ParseKeyring(text)
	fmt.Println(keys, err)
	// Output: keyring [2026-05], primary 2026-05 <nil>
}

// rot13 stands in for a key management service.
func rot13(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z':
			return 'a' + (r-'a'+13)%26
		case 'A' <= r && r <= 'Z':
			return 'A' + (r-'A'+13)%26
		default:
			return r
		}
	}, text)
}

func ExampleKeyringFromFile() {
	_, err := credential.KeyringFromFile("/nonexistent/devicetotp.keys")
	fmt.Println(errors.Is(err, os.ErrNotExist))
	// Output: true
}

func ExampleKeyringFromEnv() {
	_ = os.Setenv("EXAMPLE_KEYS", credential.KeyText(credential.NewKey("2026-05")))
	keys, err := credential.KeyringFromEnv("EXAMPLE_KEYS")
	fmt.Println(keys, err)
	// Output: keyring [2026-05], primary 2026-05 <nil>
}

// Print a new key once, straight into the place where it will be kept.
func ExampleKeyText() {
	text := credential.KeyText(credential.NewKey("2026-05"))
	fmt.Println(text[:8], len(text))
	// Output: 2026-05: 52
}
