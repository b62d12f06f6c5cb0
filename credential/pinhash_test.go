package credential_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
)

func TestPINHashes(t *testing.T) {
	k, newer := ring(t, "k1", "k1", "k2"), ring(t, "k2", "k1", "k2")
	stored, err := k.SealPINHash("alice", "hash")
	require.NoError(t, err)
	require.Regexp(t, `^\$sealed\$[A-Za-z0-9+/]+$`, stored)
	for _, tc := range []struct {
		name     string
		ring     *credential.Keyring
		stored   string
		hash     string
		outdated bool
	}{
		{"sealed", k, stored, "hash", false},
		{"sealed by an old key", newer, stored, "hash", true},
		{"bare", k, "$2a$05$x", "$2a$05$x", true},
		{"bare, without a keyring", nil, "$2a$05$x", "$2a$05$x", true},
		{"none set", k, "", "", false},
	} {
		hash, outdated, err := tc.ring.OpenPINHash("alice", tc.stored)
		require.NoError(t, err, tc.name)
		require.Equal(t, tc.hash, hash, tc.name)
		require.Equal(t, tc.outdated, outdated, tc.name)
	}
	for _, altered := range []string{stored + "\n", stored[:20] + "\r\n" + stored[20:], stored + "=", stored[:len(stored)-1], "$sealed$", "$sealed$AQ", stored + "A"} {
		hash, outdated, err := k.OpenPINHash("alice", altered)
		require.ErrorIs(t, err, credential.ErrTampered, "%q", altered)
		require.Empty(t, hash)
		require.False(t, outdated)
	}
	_, _, err = k.OpenPINHash("bob", stored)
	require.ErrorIs(t, err, credential.ErrTampered)
	for i := range len(stored) {
		for bit := range 8 {
			altered := []byte(stored)
			altered[i] ^= 1 << bit
			hash, _, err := k.OpenPINHash("alice", string(altered))
			require.True(t, err != nil || hash == string(altered), "altered, it is refused, or is a bare hash of no known form")
		}
	}
}

// Failures belong to the hash: sealing it, or sealing it again, forgives none; a
// new PIN starts at zero.
// What is cut is sealed all the same, as long as it says for which hash its
// failures count: it does not open, and is no bare hash.
func TestSealedPINHashesThatAreCut(t *testing.T) {
	k := ring(t, "k", "k")
	stored, err := k.SealPINHash("alice", "hash")
	require.NoError(t, err)
	raw, err := base64.RawStdEncoding.DecodeString(strings.TrimPrefix(stored, "$sealed$"))
	require.NoError(t, err)
	for n, want := range map[int]bool{15: false, 16: true, 17: true} {
		cut := "$sealed$" + base64.RawStdEncoding.EncodeToString(raw[:n])
		_, ok := credential.SealedPINHash(cut)
		require.Equal(t, want, ok, "%d bytes", n)
		_, _, err := k.OpenPINHash("alice", cut)
		require.ErrorIs(t, err, credential.ErrTampered)
	}
}

func TestSealingForgivesNoFailures(t *testing.T) {
	old, both := ring(t, "k1", "k1"), ring(t, "k2", "k1", "k2")
	a := credential.Account{ID: "alice", PINHash: "$2a$05$bare"}
	a.State.PIN = credential.Attempts{Failures: 9, Against: credential.Fingerprint(a.PINHash)}
	sealed := func(k *credential.Keyring, stored string) string {
		t.Helper()
		out, err := k.ResealPINHash("alice", stored)
		require.NoError(t, err)
		return out
	}
	first := sealed(old, a.PINHash)
	second := sealed(both, first)
	require.NotEqual(t, first, second)
	require.Equal(t, second, sealed(both, second), "what is sealed with the primary stays as it is")
	require.Empty(t, sealed(both, ""), "none set")
	for _, stored := range []string{a.PINHash, first, second} {
		a.PINHash = stored
		require.Equal(t, 9, a.Attempts(credential.FactorPIN).Failures)
		hash, _, err := both.OpenPINHash("alice", stored)
		require.NoError(t, err)
		require.Equal(t, "$2a$05$bare", hash)
	}
	part, ok := credential.SealedPINHash(second)
	require.True(t, ok)
	require.True(t, both.Has(part) && !both.Outdated(part) && !old.Has(part))

	another, err := both.SealPINHash("alice", "$2a$05$other")
	require.NoError(t, err)
	a.PINHash = another
	require.Zero(t, a.Attempts(credential.FactorPIN).Failures)

	_, err = both.SealPINHash("alice", first)
	require.EqualError(t, err, "credential: the PIN hash is sealed already; see ResealPINHash")
	nothing, err := both.SealPINHash("alice", "")
	require.NoError(t, err)
	hash, _, err := both.OpenPINHash("alice", nothing)
	require.NoError(t, err)
	require.Empty(t, hash)
	_, err = ring(t, "k2", "k2").ResealPINHash("alice", first)
	require.ErrorIs(t, err, credential.ErrMissingKey)
	_, err = both.ResealPINHash("bob", first)
	require.ErrorIs(t, err, credential.ErrTampered)
	for _, none := range []string{"", "$2a$05$bare", "$sealed$", "$sealed$AAAA", first + "="} {
		_, ok := credential.SealedPINHash(none)
		require.False(t, ok, "%q", none)
	}
}
