package verifier

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
)

// A hash of another system is named in the error, together with what is
// accepted, so that an operator who imports a table knows what it holds.
func TestAForeignFormIsNamed(t *testing.T) {
	h := smallHasher(t, 64, 1, 0)
	for stored, name := range map[string]string{
		"$argon2i$v=19$m=64,t=1,p=1$" + b64(16) + "$" + b64(32):         "$argon2i$",
		"$argon2d$v=19$m=64,t=1,p=1$" + b64(16) + "$" + b64(32):         "$argon2d$",
		"$6$rounds=5000$saltsalt$YWJj":                                  "$6$",
		"$y$j9T$saltsalt$YWJj":                                          "$y$",
		"$P$BsaltsaltYWJj":                                              "$P$",
		"bcrypt_sha256$" + bcryptStored:                                 "bcrypt_sha256$",
		"{SSHA}YWJjZGVm":                                                "{SSHA}",
		"{noop}hunter2":                                                 "{noop}",
		"{pbkdf2@SpringSecurity_v5_8}YWJjZGVm":                          "{pbkdf2@SpringSecurity_v5_8}",
		"{CRYPT}$6$saltsalt$YWJj":                                       "{CRYPT}$6$",
		"{argon2}$argon2i$v=19$m=64,t=1,p=1$" + b64(16) + "$" + b64(32): "{argon2}$argon2i$",
		"argon2$argon2i$v=19$m=64,t=1,p=1$" + b64(16) + "$" + b64(32):   "argon2$$argon2i$",
		"$sealed$YWJjZGVm":                                              "$sealed$",
		"$2x$05" + bcryptStored[6:]:                                     "$2x$",
	} {
		_, _, err := h.Compare(t.Context(), stored, credential.NewSecret("x"))
		require.ErrorIs(t, err, ErrHash, stored)
		require.ErrorContains(t, err, "form "+name+" is not accepted; accepted are argon2id in PHC form, bcrypt ($2a$, $2b$, $2y$), and PBKDF2 and scrypt of Django, passlib and Werkzeug")
		require.NotContains(t, err.Error(), stored[len(stored)-6:], "what follows the name is not quoted")
	}
}

// A form is named from a list and never from what is stored, which may be a
// password in the clear that looks like a hash.
func TestWhatIsOfNoKnownFormIsNotQuoted(t *testing.T) {
	h := smallHasher(t, 64, 1, 0)
	for _, stored := range []string{
		"hunter2", "$hunter2$", "$hunter2$1$2", "{hunter2}x", "hunter2$hunter2", "hunter2:x", "$", "$$", "{}", " ", "\x00",
		"$hunter2", "$PBKDF2-SHA256$hunter2", " $scrypt$hunter2", "$scrypt", strings.Repeat("hunter2", 1000),
		"pbkdf2:sha256$hunter2", "!hunter2", "{crypt}hunter2",
	} {
		_, _, err := h.Compare(t.Context(), stored, credential.NewSecret("x"))
		require.EqualError(t, err, "verifier: stored hash is not accepted: its form is not known; "+acceptedForms, "%q", stored)
	}
	for _, p := range prefixes {
		for _, rest := range []string{"", "hunter2", "$hunter2$", "{bcrypt}" + bcryptStored} {
			_, _, err := h.Compare(t.Context(), p.prefix+rest, credential.NewSecret("x"))
			require.EqualError(t, err, "verifier: stored hash is not accepted: what follows "+p.prefix+" is of no known form; "+acceptedForms)
		}
	}
}

// Every form is told from every other: none begins like another, so that the order
// of the lists does not matter.
func TestFormsAreTellable(t *testing.T) {
	all := append([]string{"$argon2id$", "$2a$", "$2b$", "$2y$"}, foreignForms...)
	for _, p := range prefixes {
		all = append(all, p.prefix)
	}
	for _, s := range schemes {
		all = append(all, s.form)
	}
	for i, form := range all {
		for j, other := range all {
			require.True(t, i == j || !strings.HasPrefix(form, other), "%s begins like %s", form, other)
		}
	}
	for _, form := range foreignForms {
		require.Equal(t, form, foreignForm(form+"x"))
	}
}

// Each hash of testdata/refused_hashes.txt is refused for its own reason.
func TestRefusedHashesSayWhy(t *testing.T) {
	b, err := os.ReadFile("testdata/refused_hashes.txt")
	require.NoError(t, err)
	h := smallHasher(t, 64, 1, 0)
	for why, want := range map[string]string{
		"argon2-version-16": "version is not v=19", "argon2i": "form $argon2i$", "argon2d": "form $argon2d$",
		"argon2id-of-512-MiB": "m is not a number from 1 to 262144", "bcrypt-of-cost-15": "bcrypt cost is not from 4 to 14", "bcrypt-2x": "form $2x$",
	} {
		_, line, found := strings.Cut(string(b), "\n"+why+" ")
		require.True(t, found, why)
		stored, _, _ := strings.Cut(line, "\n")
		_, _, err := h.Compare(t.Context(), stored, credential.NewSecret("x"))
		require.ErrorContains(t, err, want)
	}
}
