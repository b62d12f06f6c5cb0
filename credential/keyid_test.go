package credential_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
)

// impostor returns a ring whose only key has that id and other bytes than
// key(id).
func impostor(t testing.TB, id string) *credential.Keyring {
	t.Helper()
	out, err := credential.NewKeyring(id, credential.Key{ID: id, Secret: key("another " + id).Secret})
	require.NoError(t, err)
	return out
}

// A value made by another key of the same id needs a key that is missing: it
// was not tampered with, and the right key opens it.
func TestAnotherKeyOfTheSameIDIsMissing(t *testing.T) {
	right, wrong := ring(t, "k", "k"), impostor(t, "k")
	const want = `credential: key not in the keyring: "k"; the keyring has a different key of that id`

	_, _, err := wrong.Open(deviceScope, seal(t, right, deviceScope, "plain"))
	require.ErrorIs(t, err, credential.ErrMissingKey)
	require.NotErrorIs(t, err, credential.ErrTampered)
	require.EqualError(t, err, want)

	ok, err := wrong.Matches(codeScope, digest(t, right, codeScope, "12345678"), secret("12345678"))
	require.False(t, ok)
	require.EqualError(t, err, want)

	stored, err := right.SealPINHash("alice", "hash")
	require.NoError(t, err)
	_, _, err = wrong.OpenPINHash("alice", stored)
	require.EqualError(t, err, want)
}

// A value says which key made it, whether the keyring has that very key, and
// whether a newer one is primary.
func TestWhichKeyMadeAValue(t *testing.T) {
	made := ring(t, "k1", "k1", "k2")
	for name, stored := range map[string][]byte{
		"sealed": seal(t, made, deviceScope, "plain"), "digest": digest(t, made, codeScope, "12345678"), "PIN": sealedPIN(t, made),
	} {
		id, ok := credential.KeyID(stored)
		require.True(t, ok, name)
		require.Equal(t, "k1", id, name)
		for _, tc := range []struct {
			who                    string
			ring                   *credential.Keyring
			has, foreign, outdated bool
		}{
			{"the same keys", made, true, false, false},
			{"a newer primary", ring(t, "k2", "k1", "k2"), true, false, true},
			{"an older primary", ring(t, "k0", "k0", "k1"), true, false, false},
			{"without the key", ring(t, "k2", "k2"), false, false, false},
			{"another key of that id", impostor(t, "k1"), false, true, false},
			{"no keyring", nil, false, false, false},
			{"an empty keyring", &credential.Keyring{}, false, false, false},
		} {
			require.Equal(t, tc.has, tc.ring.Has(stored), "%s: %s", name, tc.who)
			require.Equal(t, tc.foreign, tc.ring.Foreign(stored), "%s: %s", name, tc.who)
			require.Equal(t, tc.outdated, tc.ring.Outdated(stored), "%s: %s", name, tc.who)
		}
		for n := range 12 {
			id, ok := credential.KeyID(stored[:n])
			require.Equal(t, n == 12, ok, "%s cut to %d bytes", name, n)
			require.Empty(t, id)
			require.False(t, made.Has(stored[:n]) || made.Foreign(stored[:n]) || made.Outdated(stored[:n]))
		}
		id, ok = credential.KeyID(stored[:12])
		require.True(t, ok && id == "k1", "the header is enough")
	}
	for _, nothing := range []string{"", "\x00", "\x03\x01k12345678", "\x01\x00123456789", "\x01\x02k\n12345678", "\x02\x21" + longText + "12345678"} {
		id, ok := credential.KeyID([]byte(nothing))
		require.False(t, ok, "%q", nothing)
		require.Empty(t, id)
	}
}

const longText = "0123456789012345678901234567890123456789"

func sealedPIN(t testing.TB, k *credential.Keyring) []byte {
	t.Helper()
	stored, err := k.SealPINHash("alice", "hash")
	require.NoError(t, err)
	sealed, ok := credential.SealedPINHash(stored)
	require.True(t, ok)
	return sealed
}

func TestKeyringListsItsKeys(t *testing.T) {
	k := ring(t, "k2", "k1", "k2", "k3")
	require.Equal(t, []string{"k1", "k2", "k3"}, k.IDs())
	require.Equal(t, "k2", k.PrimaryID())
	k.IDs()[0] = "altered"
	require.Equal(t, []string{"k1", "k2", "k3"}, k.IDs(), "the list is a copy")
	for _, none := range []*credential.Keyring{nil, {}} {
		require.Empty(t, none.IDs())
		require.Empty(t, none.PrimaryID())
	}
}

// The header tells two keys of one id apart and nothing about either: a check
// is derived for itself, and no part of a key that seals or digests.
func TestKeyCheckIsNoPartOfAKey(t *testing.T) {
	sealed := seal(t, ring(t, "k", "k"), deviceScope, "plain")
	check := string(sealed[3:11])
	require.NotEqual(t, check, string(seal(t, impostor(t, "k"), deviceScope, "plain")[3:11]))
	for _, derived := range append(derivedKeys(t, key("k").Secret.Reveal()), key("k").Secret.Reveal()) {
		require.NotContains(t, derived, check)
	}
}
