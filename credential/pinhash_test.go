package credential_test

import (
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
