package verifier_test

import (
	"encoding/base64"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/argon2"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/verifier"
)

// argonOf makes the argon2id hash of "8299" with the reference package alone.
func argonOf(m uint32, t uint32, p uint8, salt, tag int) string {
	enc := base64.RawStdEncoding.EncodeToString
	b := argon2.IDKey([]byte("8299"), make([]byte, salt), t, m, p, uint32(tag))
	return fmt.Sprintf("$argon2id$v=19$m=%d,t=%d,p=%d$%s$%s", m, t, p, enc(make([]byte, salt)), enc(b))
}

func configured(t *testing.T, memory, time uint32) *verifier.Hasher {
	t.Helper()
	return newHasher(t, verifier.HasherConfig{Memory: memory, Time: time, Threads: 1, Parallel: 1})
}

// A hash is fresh if it has the configured cost or more in each number, and
// meets one of OWASP's rows, whatever is configured.
func TestWhatIsOutdated(t *testing.T) {
	for _, tc := range []struct {
		name         string
		memory, time uint32 // configured
		stored       string
		outdated     bool
	}{
		{"the configured cost", 19456, 2, argonOf(19456, 2, 1, 16, 32), false},
		{"more memory", 19456, 2, argonOf(19457, 2, 1, 16, 32), false},
		{"more passes", 19456, 2, argonOf(19456, 3, 1, 16, 32), false},
		{"more lanes", 19456, 2, argonOf(19456, 2, 16, 16, 32), false},
		{"less memory", 19456, 2, argonOf(19455, 2, 1, 16, 32), true},
		{"fewer passes", 19456, 2, argonOf(19456, 1, 1, 16, 32), true},
		{"little memory, many passes, m times t the same", 19456, 2, argonOf(3892, 10, 1, 16, 32), true},
		{"much memory, one pass, m times t more", 19456, 2, argonOf(65536, 1, 1, 16, 32), true},
		{"another of OWASP's rows than the configured one", 19456, 2, argonOf(12288, 3, 1, 16, 32), true},
		{"a salt below 16 bytes", 19456, 2, argonOf(19456, 2, 1, 15, 32), true},
		{"a tag of 16 bytes", 19456, 2, argonOf(19456, 2, 1, 16, 16), false},
		{"bcrypt", 19456, 2, "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", true},

		{"row 1", 8, 1, argonOf(47104, 1, 1, 16, 32), false},
		{"below row 1", 8, 1, argonOf(47103, 1, 1, 16, 32), true},
		{"row 2", 8, 1, argonOf(19456, 2, 1, 16, 32), false},
		{"below row 2", 8, 1, argonOf(19455, 2, 1, 16, 32), true},
		{"row 3", 8, 1, argonOf(12288, 3, 1, 16, 32), false},
		{"below row 3", 8, 1, argonOf(12287, 3, 1, 16, 32), true},
		{"row 4", 8, 1, argonOf(9216, 4, 1, 16, 32), false},
		{"below row 4", 8, 1, argonOf(9215, 4, 1, 16, 32), true},
		{"row 5", 8, 1, argonOf(7168, 5, 1, 16, 32), false},
		{"below row 5", 8, 1, argonOf(7167, 5, 1, 16, 32), true},
		{"more passes than any row, memory below", 8, 1, argonOf(7167, 10, 1, 16, 32), true},
		{"more passes than any row", 8, 1, argonOf(7168, 6, 1, 16, 32), false},
		{"the configured cost, below every row", 64, 1, argonOf(64, 1, 1, 16, 32), true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			h := configured(t, tc.memory, tc.time)
			value := "8299"
			if tc.name == "bcrypt" {
				value = "U*U"
			}
			ok, outdated := compare(t, h, tc.stored, value)
			require.True(t, ok)
			require.Equal(t, tc.outdated, outdated)
			ok, outdated = compare(t, h, tc.stored, "0000")
			require.False(t, ok || outdated, "nothing is said about a hash that did not match")
		})
	}
}

// The numbers of the default are fresh by its own rule.
func TestDefaultHashesAreFresh(t *testing.T) {
	ok, outdated := compare(t, verifier.DefaultHasher(), hashOf(t, verifier.DefaultHasher(), "8299"), "8299")
	require.True(t, ok)
	require.False(t, outdated)
}

// A verdict asks for a renewal only if the renewed hash would be stronger in
// some number: where less than the standard is configured, a hash of that cost
// would be renewed at each success, and a better one replaced by a worse.
func TestARenewalMustHelp(t *testing.T) {
	for _, tc := range []struct {
		name         string
		memory, time uint32
		stored       string
		outdated     bool
	}{
		{"below the standard, the same cost", 64, 1, argonOf(64, 1, 1, 16, 32), false},
		{"below the standard, a lower cost", 64, 1, argonOf(63, 1, 1, 16, 32), true},
		{"below the standard, a better hash", 64, 1, argonOf(3892, 10, 1, 16, 32), false},
		{"the standard, a hash below it", 19456, 2, argonOf(3892, 10, 1, 16, 32), true},
		{"the standard, a dearer hash of another shape", 19456, 2, argonOf(65536, 1, 1, 16, 32), true},
		{"the standard, a dearer hash", 19456, 2, argonOf(65536, 3, 4, 16, 32), false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			h := configured(t, tc.memory, tc.time)
			v, a := verifier.Password(h), credential.Account{ID: account, PasswordHash: tc.stored}
			require.Equal(t, verifier.Verdict{Status: verifier.StatusValid, Outdated: tc.outdated}, verify(t, v, a, "8299", noon))
			renewed, err := v.Rehash(t.Context(), query(a, secret("8299"), noon))
			require.NoError(t, err)
			a.PasswordHash = renewed
			require.False(t, verify(t, v, a, "8299", noon).Outdated, "renewed once and for all")
		})
	}
}
