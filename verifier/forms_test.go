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
		"$pbkdf2-sha256$29000$N2YMIWQsBWBMae09x1jrPQ$1t8iyB2A.WF/Z5JZv.lfCIhXXN33N23OSgQYThBYRfk": "$pbkdf2-sha256$",
		"$scrypt$ln=15,r=8,p=1$c2FsdHNhbHRzYWx0$" + b64(32):                                       "$scrypt$",
		"$argon2i$v=19$m=64,t=1,p=1$" + b64(16) + "$" + b64(32):                                   "$argon2i$",
		"$argon2d$v=19$m=64,t=1,p=1$" + b64(16) + "$" + b64(32):                                   "$argon2d$",
		"$6$rounds=5000$saltsalt$YWJj":                                                            "$6$",
		"$y$j9T$saltsalt$YWJj":                                                                    "$y$",
		"$P$BsaltsaltYWJj":                                                                        "$P$",
		"pbkdf2_sha256$600000$salt$YWJj":                                                          "pbkdf2_sha256$",
		"pbkdf2:sha256:600000$salt$61626364":                                                      "pbkdf2:sha256:",
		"scrypt:32768:8:1$salt$61626364":                                                          "scrypt:",
		"argon2$argon2id$v=19$m=64,t=1,p=1$a":                                                     "argon2$",
		"{SSHA}YWJjZGVm":                                                                          "{SSHA}",
		"{bcrypt}" + bcryptStored:                                                                 "{bcrypt}",
		"$sealed$YWJjZGVm":                                                                        "$sealed$",
		"$2x$05" + bcryptStored[6:]:                                                               "$2x$",
	} {
		_, _, err := h.Compare(t.Context(), stored, credential.NewSecret("x"))
		require.ErrorIs(t, err, ErrHash, stored)
		require.ErrorContains(t, err, "form "+name+" is not accepted; accepted are argon2id in PHC form and bcrypt ($2a$, $2b$, $2y$)")
		require.NotContains(t, err.Error(), stored[len(name):], "what follows the name is not quoted")
	}
}

// A form is named from a list and never from what is stored, which may be a
// password in the clear that looks like a hash.
func TestWhatIsOfNoKnownFormIsNotQuoted(t *testing.T) {
	h := smallHasher(t, 64, 1, 0)
	for _, stored := range []string{
		"hunter2", "$hunter2$", "$hunter2$1$2", "{hunter2}x", "hunter2$hunter2", "hunter2:x", "$", "$$", "{}", " ", "\x00",
		"$hunter2", "$PBKDF2-SHA256$hunter2", " $scrypt$hunter2", "$scrypt", strings.Repeat("hunter2", 1000),
	} {
		_, _, err := h.Compare(t.Context(), stored, credential.NewSecret("x"))
		require.EqualError(t, err, "verifier: stored hash is not accepted: its form is not known; accepted are argon2id in PHC form and bcrypt ($2a$, $2b$, $2y$)", "%q", stored)
	}
}

// Every form in the list is refused, and is not taken for another one.
func TestForeignFormsAreTellable(t *testing.T) {
	for i, form := range foreignForms {
		require.Equal(t, form, foreignForm(form+"x"))
		for _, earlier := range foreignForms[:i] {
			require.False(t, strings.HasPrefix(form, earlier), "%s hides %s", earlier, form)
		}
		require.False(t, isBcrypt(form+bcryptStored[4:]) && strings.ContainsAny(form[2:3], "aby"))
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
