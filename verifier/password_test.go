package verifier_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/verifier"
)

func hashOf(t testing.TB, h *verifier.Hasher, value string) string {
	t.Helper()
	stored, err := h.Hash(t.Context(), secret(value))
	require.NoError(t, err)
	return stored
}

func TestPasswordAndPIN(t *testing.T) {
	h, keys := newHasher(t, cheap()), ring(t, "k", "k")
	sealed, err := keys.SealPINHash(account, hashOf(t, h, "8299"))
	require.NoError(t, err)
	a := credential.Account{ID: account, PasswordHash: hashOf(t, h, "superSecret12345!"), PINHash: sealed}
	password, pin := verifier.Password(h), verifier.PIN(h, keys)
	for _, tc := range []struct {
		name  string
		v     verifier.Verifier
		value string
		want  verifier.Status
	}{
		{"right password", password, "superSecret12345!", verifier.Valid},
		{"wrong password", password, "supersecret12345!", verifier.Invalid},
		{"the PIN as password", password, "8299", verifier.Invalid},
		{"right PIN", pin, "8299", verifier.Valid},
		{"wrong PIN", pin, "8298", verifier.Invalid},
		{"the password as PIN", pin, "superSecret12345!", verifier.Invalid},
		{"the stored hash as PIN", pin, sealed[:64], verifier.Invalid},
	} {
		t.Run(tc.name, func(t *testing.T) {
			require.Equal(t, verifier.Verdict{Status: tc.want}, verify(t, tc.v, a, tc.value, noon))
		})
	}
}

// The longest value is looked at; a longer or an empty one is wrong, unhashed.
func TestPresentedSizes(t *testing.T) {
	h, keys := newHasher(t, cheap()), ring(t, "k", "k")
	for name, tc := range map[string]struct {
		v    verifier.Verifier
		size int
		set  func(a *credential.Account, hash string)
	}{
		"password": {verifier.Password(h), verifier.MaxPasswordSize, func(a *credential.Account, hash string) { a.PasswordHash = hash }},
		"pin":      {verifier.PIN(h, keys), verifier.MaxPINSize, func(a *credential.Account, hash string) { a.PINHash = hash }},
	} {
		t.Run(name, func(t *testing.T) {
			for size, want := range map[int]verifier.Status{1: verifier.Valid, tc.size: verifier.Valid, tc.size + 1: verifier.Invalid} {
				value := strings.Repeat("x", size)
				a := credential.Account{ID: account}
				tc.set(&a, hashOf(t, h, value))
				require.Equal(t, want, verify(t, tc.v, a, value, noon).Status, "%d bytes", size)
			}
			a := credential.Account{ID: account}
			tc.set(&a, "not a hash at all, so that looking at it is an error")
			for _, value := range []string{"", strings.Repeat("x", tc.size+1)} {
				require.Equal(t, verifier.Verdict{Status: verifier.Invalid}, verify(t, tc.v, a, value, noon), "%d bytes", len(value))
			}
			_, err := tc.v.Verify(t.Context(), a, secret("x"), noon)
			require.ErrorIs(t, err, verifier.ErrHash)
		})
	}
	require.Equal(t, 1024, verifier.MaxPasswordSize)
	require.Equal(t, 64, verifier.MaxPINSize)
}

// Where nothing is set, no value is right.
func TestUnsetIsWrong(t *testing.T) {
	h, keys := newHasher(t, cheap()), ring(t, "k", "k")
	sealedNothing, err := keys.SealPINHash(account, "")
	require.NoError(t, err)
	for _, a := range []credential.Account{{}, {ID: account}, {ID: account, PINHash: sealedNothing}} {
		for _, v := range []verifier.Verifier{verifier.Password(h), verifier.PIN(h, keys)} {
			for _, value := range []string{"8299", "\x00", sealedNothing[:20]} {
				require.Equal(t, verifier.Verdict{Status: verifier.Invalid}, verify(t, v, a, value, noon))
			}
		}
	}
}

// A PIN hash is outdated if it is bare, sealed by an old key, or of a cost that
// is behind; never if it is sealed by a key newer than the primary.
func TestPINHashIsOutdated(t *testing.T) {
	h := newHasher(t, cheap())
	dear := newHasher(t, verifier.HasherConfig{Memory: 128, Time: 1, Threads: 1, Parallel: 1})
	bare := hashOf(t, h, "8299")
	weak, err := bcrypt.GenerateFromPassword([]byte("8299"), bcrypt.MinCost)
	require.NoError(t, err)
	seal := func(hash string, primary string) string {
		sealed, err := ring(t, primary, "k1", "k2").SealPINHash(account, hash)
		require.NoError(t, err)
		return sealed
	}
	for _, tc := range []struct {
		name    string
		hasher  *verifier.Hasher
		primary string
		stored  string
		want    bool
	}{
		{"sealed by the primary", h, "k1", seal(bare, "k1"), false},
		{"sealed by a newer key", h, "k1", seal(bare, "k2"), false},
		{"sealed by an older key", h, "k2", seal(bare, "k1"), true},
		{"bare", h, "k1", bare, true},
		{"cost behind", dear, "k1", seal(bare, "k1"), true},
		{"sealed bcrypt", h, "k1", seal(string(weak), "k1"), true},
		{"bare bcrypt", h, "k1", string(weak), true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			v := verifier.PIN(tc.hasher, ring(t, tc.primary, "k1", "k2"))
			a := credential.Account{ID: account, PINHash: tc.stored}
			require.Equal(t, verifier.Verdict{Status: verifier.Valid, Outdated: tc.want}, verify(t, v, a, "8299", noon))
			require.Equal(t, verifier.Verdict{Status: verifier.Invalid}, verify(t, v, a, "0000", noon))
		})
	}
}

// A sealed PIN hash that was altered, moved or cut does not open.
func TestTamperedPINSealIsAnError(t *testing.T) {
	h, keys := newHasher(t, cheap()), ring(t, "k", "k")
	sealed, err := keys.SealPINHash(account, hashOf(t, h, "8299"))
	require.NoError(t, err)
	v := verifier.PIN(h, keys)
	for name, a := range map[string]credential.Account{
		"another account": {ID: "account-2", PINHash: sealed},
		"cut short":       {ID: account, PINHash: sealed[:len(sealed)-4]},
		"altered":         {ID: account, PINHash: sealed[:60] + "AAAA" + sealed[64:]},
		"nothing sealed":  {ID: account, PINHash: "$sealed$"},
		"not base64":      {ID: account, PINHash: sealed + "!"},
		"padded":          {ID: account, PINHash: sealed + "=="},
		"line feed":       {ID: account, PINHash: sealed + "\n"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, value := range []string{"8299", "0000"} {
				verdict, err := v.Verify(t.Context(), a, secret(value), noon)
				require.ErrorIs(t, err, credential.ErrTampered)
				require.Zero(t, verdict)
			}
		})
	}
	_, err = verifier.PIN(h, nil).Verify(t.Context(), credential.Account{ID: account, PINHash: sealed}, secret("8299"), noon)
	require.ErrorIs(t, err, credential.ErrMissingKey)
}

// Rehash makes what should stand in place of the stored hash, sealed for a PIN.
func TestRehash(t *testing.T) {
	h, keys := newHasher(t, cheap()), ring(t, "k2", "k1", "k2")
	for name, tc := range map[string]struct {
		v      verifier.Verifier
		set    func(a *credential.Account, hash string)
		prefix string
	}{
		"password": {verifier.Password(h), func(a *credential.Account, hash string) { a.PasswordHash = hash }, "$argon2id$v=19$m=64,t=1,p=1$"},
		"pin":      {verifier.PIN(h, keys), func(a *credential.Account, hash string) { a.PINHash = hash }, "$sealed$"},
	} {
		t.Run(name, func(t *testing.T) {
			weak, err := bcrypt.GenerateFromPassword([]byte("8299"), bcrypt.MinCost)
			require.NoError(t, err)
			a := credential.Account{ID: account}
			tc.set(&a, string(weak))
			require.True(t, verify(t, tc.v, a, "8299", noon).Outdated)
			renewed, err := tc.v.(verifier.Rehasher).Rehash(t.Context(), a, secret("8299"))
			require.NoError(t, err)
			require.True(t, strings.HasPrefix(renewed, tc.prefix), renewed)
			tc.set(&a, renewed)
			require.Equal(t, verifier.Verdict{Status: verifier.Valid}, verify(t, tc.v, a, "8299", noon), "and is not outdated")
			_, err = tc.v.(verifier.Rehasher).Rehash(t.Context(), a, secret(""))
			require.Error(t, err)
		})
	}
	_, err := verifier.PIN(h, nil).(verifier.Rehasher).Rehash(t.Context(), credential.Account{ID: account}, secret("8299"))
	require.ErrorIs(t, err, credential.ErrMissingKey, "a PIN hash is never written bare")
}

// A nil hasher is the one that the process shares.
func TestNilHasherIsTheDefault(t *testing.T) {
	stored := hashOf(t, verifier.DefaultHasher(), "8299")
	a := credential.Account{ID: account, PasswordHash: stored, PINHash: stored}
	require.Equal(t, verifier.Verdict{Status: verifier.Valid}, verify(t, verifier.Password(nil), a, "8299", noon))
	require.Equal(t, verifier.Valid, verify(t, verifier.PIN(nil, ring(t, "k", "k")), a, "8299", noon).Status)
}

func TestOffAcceptsNothing(t *testing.T) {
	h := newHasher(t, cheap())
	a := credential.Account{ID: account, PasswordHash: hashOf(t, h, "8299")}
	require.Equal(t, verifier.Verdict{Status: verifier.Invalid}, verify(t, verifier.Off(), a, "8299", noon))
}

func TestFuncIsAVerifier(t *testing.T) {
	var got credential.Account
	v := verifier.Func(func(_ context.Context, a credential.Account, presented credential.Secret, now time.Time) (verifier.Verdict, error) {
		got = a
		require.Equal(t, "x", presented.Reveal())
		require.Equal(t, noon, now)
		return verifier.Verdict{Status: verifier.Spent}, nil
	})
	require.Equal(t, verifier.Spent, verify(t, v, credential.Account{ID: account}, "x", noon).Status)
	require.Equal(t, account, got.ID)
}

func TestStatusWords(t *testing.T) {
	for s, want := range map[verifier.Status]string{
		verifier.Undecided: "undecided", verifier.Valid: "valid", verifier.Invalid: "invalid", verifier.Spent: "spent", 99: "undecided",
	} {
		require.Equal(t, want, s.String())
	}
	require.Equal(t, verifier.Undecided, verifier.Verdict{}.Status, "the zero verdict is no answer")
}
