package verifier_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/verifier"
)

// What a verifier never accepts is never hashed: whoever sets such a value would
// not find out before the first login.
func TestWhatCanNeverVerifyIsNotHashed(t *testing.T) {
	h, keys := newHasher(t, cheap()), ring(t, "k", "k")
	rehash := func(v verifier.Verifier) func(value credential.Secret) (string, error) {
		return func(value credential.Secret) (string, error) {
			return v.(verifier.Rehasher).Rehash(t.Context(), query(credential.Account{ID: account}, value, noon))
		}
	}
	password, pin := verifier.Password(h), verifier.PIN(keys, h)
	for _, door := range []struct {
		name string
		hash func(value credential.Secret) (string, error)
		v    verifier.Verifier
		set  func(stored string) credential.Account
		most int
	}{
		{"Hash", func(value credential.Secret) (string, error) { return h.Hash(t.Context(), value) }, password, passwordAccount, 1024},
		{"Rehash of a password", rehash(password), password, passwordAccount, 1024},
		{"HashPIN", func(value credential.Secret) (string, error) { return h.HashPIN(t.Context(), value) }, pin, pinAccount, 64},
		{"Rehash of a PIN", rehash(pin), pin, pinAccount, 64},
	} {
		t.Run(door.name, func(t *testing.T) {
			for _, size := range []int{1, door.most} {
				value := secret(strings.Repeat("x", size))
				stored, err := door.hash(value)
				require.NoError(t, err, "%d bytes", size)
				require.Equal(t, verifier.StatusValid, verify(t, door.v, door.set(stored), value.Reveal(), noon).Status, "%d bytes", size)
			}
			for _, value := range []credential.Secret{{}, secret(""), secret(strings.Repeat("x", door.most+1)), secret(strings.Repeat("x", 1<<20))} {
				stored, err := door.hash(value)
				require.ErrorIs(t, err, verifier.ErrSize, "%d bytes", len(value.Reveal()))
				require.NotContains(t, err.Error(), "xxx")
				require.Empty(t, stored)
			}
		})
	}
}

func passwordAccount(stored string) credential.Account {
	return credential.Account{ID: account, PasswordHash: stored}
}

func pinAccount(stored string) credential.Account {
	return credential.Account{ID: account, PINHash: stored}
}

// Compare holds the same bound, whatever program made the hash.
func TestCompareMatchesNothingThatIsTooLong(t *testing.T) {
	h := newHasher(t, cheap())
	foreign := func(value string) string {
		return argonText(64, 1, 1, argon2.IDKey([]byte(value), make([]byte, 16), 1, 64, 1, 32))
	}
	for size, want := range map[int]bool{0: false, 1: true, 1024: true, 1025: false, 1 << 20: false} {
		value := strings.Repeat("x", size)
		ok, outdated := compare(t, h, foreign(value), value)
		require.Equal(t, want, ok, "%d bytes", size)
		require.True(t, want || !outdated)
	}
	weak, err := bcrypt.GenerateFromPassword([]byte(strings.Repeat("x", 72)), bcrypt.MinCost)
	require.NoError(t, err)
	ok, _ := compare(t, h, string(weak), strings.Repeat("x", 1025))
	require.False(t, ok)
	_, _, err = h.Compare(t.Context(), "no hash", secret(strings.Repeat("x", 1025)))
	require.ErrorIs(t, err, verifier.ErrHash, "a hash that nothing can verify is reported whatever is presented")
}
