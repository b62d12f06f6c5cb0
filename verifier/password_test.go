package verifier_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/argon2"
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
	withPassword := credential.Account{ID: account, PasswordHash: hashOf(t, h, "superSecret12345!")}
	withPIN := credential.Account{ID: account, PINHash: sealed}
	password, pin := verifier.Password(h), verifier.PIN(keys, h)
	for _, tc := range []struct {
		name  string
		v     verifier.Verifier
		a     credential.Account
		value string
		want  verifier.Status
	}{
		{"right password", password, withPassword, "superSecret12345!", verifier.StatusValid},
		{"wrong password", password, withPassword, "supersecret12345!", verifier.StatusWrong},
		{"the PIN as password", password, withPassword, "8299", verifier.StatusWrong},
		{"right PIN", pin, withPIN, "8299", verifier.StatusValid},
		{"wrong PIN", pin, withPIN, "8298", verifier.StatusWrong},
		{"the password as PIN", pin, withPIN, "superSecret12345!", verifier.StatusWrong},
		{"the stored hash as PIN", pin, withPIN, sealed[:64], verifier.StatusWrong},
	} {
		t.Run(tc.name, func(t *testing.T) {
			require.Equal(t, verifier.Verdict{Status: tc.want}, verify(t, tc.v, tc.a, tc.value, noon))
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
		"pin":      {verifier.PIN(keys, h), verifier.MaxPINSize, func(a *credential.Account, hash string) { a.PINHash = hash }},
	} {
		t.Run(name, func(t *testing.T) {
			for size, want := range map[int]verifier.Status{1: verifier.StatusValid, tc.size: verifier.StatusValid, tc.size + 1: verifier.StatusWrong} {
				value := strings.Repeat("x", size)
				a := credential.Account{ID: account}
				tc.set(&a, argonText(64, 1, 1, argon2.IDKey([]byte(value), make([]byte, 16), 1, 64, 1, 32)))
				require.Equal(t, want, verify(t, tc.v, a, value, noon).Status, "%d bytes", size)
			}
			a := credential.Account{ID: account}
			tc.set(&a, "not a hash at all, so that looking at it is an error")
			for _, value := range []string{"", strings.Repeat("x", tc.size+1)} {
				require.Equal(t, verifier.Verdict{Status: verifier.StatusWrong}, verify(t, tc.v, a, value, noon), "%d bytes", len(value))
			}
			_, err := tc.v.Verify(t.Context(), query(a, secret("x"), noon))
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
	password, pin := verifier.Password(h), verifier.PIN(keys, h)
	for _, tc := range []struct {
		v verifier.Verifier
		a credential.Account
	}{
		{password, credential.Account{}},
		{password, credential.Account{ID: account}},
		{pin, credential.Account{}},
		{pin, credential.Account{ID: account}},
		{pin, credential.Account{ID: account, PINHash: sealedNothing}},
	} {
		for _, value := range []string{"8299", "\x00", sealedNothing[:20]} {
			require.Equal(t, verifier.Verdict{Status: verifier.StatusWrong}, verify(t, tc.v, tc.a, value, noon))
		}
	}
}

// A PIN hash is outdated if it is bare, sealed by an old key, or of a cost below
// that of new hashes; never if it is sealed by a key newer than the primary.
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
			v := verifier.PIN(ring(t, tc.primary, "k1", "k2"), tc.hasher)
			a := credential.Account{ID: account, PINHash: tc.stored}
			require.Equal(t, verifier.Verdict{Status: verifier.StatusValid, Outdated: tc.want}, verify(t, v, a, "8299", noon))
			require.Equal(t, verifier.Verdict{Status: verifier.StatusWrong}, verify(t, v, a, "0000", noon))
		})
	}
}

// A sealed PIN hash that was altered, moved or cut does not open.
func TestTamperedPINSealIsAnError(t *testing.T) {
	h, keys := newHasher(t, cheap()), ring(t, "k", "k")
	sealed, err := keys.SealPINHash(account, hashOf(t, h, "8299"))
	require.NoError(t, err)
	v := verifier.PIN(keys, h)
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
				verdict, err := v.Verify(t.Context(), query(a, secret(value), noon))
				require.ErrorIs(t, err, credential.ErrTampered)
				require.Zero(t, verdict)
			}
		})
	}
	_, err = verifier.PIN(nil, h).Verify(t.Context(), query(credential.Account{ID: account, PINHash: sealed}, secret("8299"), noon))
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
		"pin":      {verifier.PIN(keys, h), func(a *credential.Account, hash string) { a.PINHash = hash }, "$sealed$"},
	} {
		t.Run(name, func(t *testing.T) {
			weak, err := bcrypt.GenerateFromPassword([]byte("8299"), bcrypt.MinCost)
			require.NoError(t, err)
			a := credential.Account{ID: account}
			tc.set(&a, string(weak))
			require.True(t, verify(t, tc.v, a, "8299", noon).Outdated)
			renewed, err := tc.v.(verifier.Rehasher).Rehash(t.Context(), query(a, secret("8299"), noon))
			require.NoError(t, err)
			require.True(t, strings.HasPrefix(renewed, tc.prefix), renewed)
			tc.set(&a, renewed)
			require.Equal(t, verifier.Verdict{Status: verifier.StatusValid}, verify(t, tc.v, a, "8299", noon), "and is not outdated")
			_, err = tc.v.(verifier.Rehasher).Rehash(t.Context(), query(a, secret(""), noon))
			require.Error(t, err)
		})
	}
	_, err := verifier.PIN(nil, h).Rehash(t.Context(), query(credential.Account{ID: account}, secret("8299"), noon))
	require.ErrorIs(t, err, credential.ErrMissingKey, "a PIN hash is never written bare")
}

// A nil hasher is the one that the process shares.
func TestNilHasherIsTheDefault(t *testing.T) {
	stored := hashOf(t, verifier.DefaultHasher(), "8299")
	a := credential.Account{ID: account, PasswordHash: stored}
	require.Equal(t, verifier.Verdict{Status: verifier.StatusValid}, verify(t, verifier.Password(nil), a, "8299", noon))
	require.Equal(t, verifier.StatusValid, verify(t, verifier.PIN(ring(t, "k", "k"), nil), a, "8299", noon).Status)
}

func TestOffAcceptsNothing(t *testing.T) {
	h := newHasher(t, cheap())
	a := credential.Account{ID: account, PasswordHash: hashOf(t, h, "8299")}
	require.Equal(t, verifier.Verdict{Status: verifier.StatusWrong}, verify(t, verifier.Off(), a, "8299", noon))
}

func TestFuncIsAVerifier(t *testing.T) {
	var got verifier.Query
	v := verifier.Func(func(_ context.Context, q verifier.Query) (verifier.Verdict, error) {
		got = q
		return verifier.Verdict{Status: verifier.StatusSpent}, nil
	})
	require.Equal(t, verifier.StatusSpent, verify(t, v, credential.Account{ID: account}, "x", noon).Status)
	require.Equal(t, account, got.AccountID)
	require.Equal(t, "x", got.Presented.Reveal())
	require.Equal(t, noon, got.Now)
}

func TestStatusWords(t *testing.T) {
	for s, want := range map[verifier.Status]string{
		verifier.StatusUndecided: "undecided", verifier.StatusValid: "valid", verifier.StatusWrong: "wrong", verifier.StatusSpent: "spent", 99: "undecided",
	} {
		require.Equal(t, want, s.String())
	}
	require.Equal(t, verifier.StatusUndecided, verifier.Verdict{}.Status, "the zero verdict is no answer")
}
