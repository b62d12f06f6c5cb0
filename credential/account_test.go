package credential_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
)

var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

func TestHashOfFactor(t *testing.T) {
	a := credential.Account{PasswordHash: "password", PINHash: "pin"}
	for f, want := range map[credential.Factor]string{
		credential.FactorOTP: "", credential.FactorPassword: "password", credential.FactorPIN: "pin", 0: "", 9: "",
	} {
		require.Equal(t, want, a.Hash(f), f.String())
	}
}

// Failures belong to the hash that they were counted against: after a change of
// the hash they start at zero, and those of OTP are never forgotten.
func TestAttemptsBelongToTheirHash(t *testing.T) {
	counted := func(hash string) credential.Attempts {
		return credential.Attempts{Failures: 9, LastAt: noon, Against: credential.Fingerprint(hash)}
	}
	a := credential.Account{PasswordHash: "new", PINHash: "same", State: credential.State{
		OTP: counted(""), Password: counted("old"), PIN: counted("same"),
	}}
	require.Equal(t, credential.Attempts{Against: credential.Fingerprint("new")}, a.Attempts(credential.FactorPassword))
	require.Equal(t, a.State.PIN, a.Attempts(credential.FactorPIN))
	require.Equal(t, a.State.OTP, a.Attempts(credential.FactorOTP))
	require.Equal(t, 9, a.State.Password.Failures, "the State is left alone")
	a.PINHash = ""
	require.Equal(t, credential.Attempts{}, a.Attempts(credential.FactorPIN), "a PIN that was removed")
	require.Zero(t, a.Attempts(0))
}

func TestFingerprint(t *testing.T) {
	require.Empty(t, credential.Fingerprint(""))
	require.Len(t, credential.Fingerprint("hash"), 16)
	require.Equal(t, credential.Fingerprint("hash"), credential.Fingerprint("hash"))
	require.NotEqual(t, credential.Fingerprint("hash"), credential.Fingerprint("Hash"))
	require.Equal(t, "\xd0\x4b\x98\xf4\x8e\x8f\x8b\xcc\x15\xc6\xae\x5a\xc0\x50\x80\x1c", credential.Fingerprint("hash"), "SHA-256, as stored")
}

func TestSameHostFields(t *testing.T) {
	a := credential.Account{ID: "alice", RegisteredAt: noon, PasswordHash: "x", PINHash: "y", Locked: true}
	same := a
	same.RegisteredAt = noon.In(time.FixedZone("CET", 3600))
	same.Version, same.Next, same.State = 7, 8, credential.State{OTP: credential.Attempts{Failures: 1}}
	require.True(t, a.SameHostFields(same), "another zone, version, next version and State are the same account")
	for name, change := range map[string]func(*credential.Account){
		"ID":           func(a *credential.Account) { a.ID = "bob" },
		"RegisteredAt": func(a *credential.Account) { a.RegisteredAt = noon.Add(1) },
		"PasswordHash": func(a *credential.Account) { a.PasswordHash = "" },
		"PINHash":      func(a *credential.Account) { a.PINHash = "Y" },
		"Locked":       func(a *credential.Account) { a.Locked = false },
	} {
		other := a
		change(&other)
		require.False(t, a.SameHostFields(other), name)
		require.False(t, other.SameHostFields(a), name)
	}
}

func TestCheckNext(t *testing.T) {
	for _, c := range []struct {
		version, next int64
		ok            bool
	}{
		{0, 1, true}, {2, 1, true}, {0, credential.MaxVersion, true}, {credential.MaxVersion, 1, true},
		{0, 0, false}, {1, 0, false}, {0, -1, false}, {0, credential.MaxVersion + 1, false},
		{0, math.MinInt64, false}, {0, math.MaxInt64, false},
		{1, 1, false}, {credential.MaxVersion, credential.MaxVersion, false},
	} {
		err := credential.Account{Version: c.version, Next: c.next}.CheckNext()
		require.Equal(t, c.ok, err == nil, "%d after %d: %v", c.next, c.version, err)
		if !c.ok {
			require.ErrorIs(t, err, credential.ErrVersion)
		}
	}
}

func TestFactorsBasesAndAlgorithms(t *testing.T) {
	require.Equal(t, [3]credential.Factor{credential.FactorOTP, credential.FactorPassword, credential.FactorPIN}, credential.Factors())
	for f, word := range map[credential.Factor]string{credential.FactorOTP: "otp", credential.FactorPassword: "password", credential.FactorPIN: "pin"} {
		require.Equal(t, word, f.String())
		b := credential.BasisOf(f)
		require.Equal(t, word, b.String())
		back, ok := b.Factor()
		require.True(t, ok)
		require.Equal(t, f, back)
	}
	require.Zero(t, credential.BasisOf(0))
	for b, word := range map[credential.Basis]string{0: "none", credential.BasisGrace: "grace", credential.BasisImported: "imported", 77: "basis(77)"} {
		f, ok := b.Factor()
		require.False(t, ok)
		require.Zero(t, f)
		require.Equal(t, word, b.String())
	}
	require.Equal(t, "factor(0)", credential.Factor(0).String())
	for a, want := range map[credential.Algorithm]struct {
		word string
		size int
	}{
		credential.AlgorithmSHA1: {"SHA1", 20}, credential.AlgorithmSHA256: {"SHA256", 32}, credential.AlgorithmSHA512: {"SHA512", 64}, 0: {"algorithm(0)", 0}, 4: {"algorithm(4)", 0},
	} {
		require.Equal(t, want.word, a.String())
		require.Equal(t, want.size, a.SecretSize())
	}
	// Their numbers are stored.
	require.Equal(t, []credential.Algorithm{1, 2, 3}, []credential.Algorithm{credential.AlgorithmSHA1, credential.AlgorithmSHA256, credential.AlgorithmSHA512})
	require.Equal(t, []credential.Basis{1, 2, 3, 4, 5}, []credential.Basis{
		credential.BasisGrace, credential.BasisOTP, credential.BasisPassword, credential.BasisPIN, credential.BasisImported,
	})
}
