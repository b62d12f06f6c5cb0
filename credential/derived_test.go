package credential_test

import (
	"crypto/hkdf"
	"crypto/sha256"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
)

// derivedKeys returns the sub-keys of a key: HKDF with SHA-256 (RFC 5869), the
// purpose in the info. Changing this makes stored values unreadable.
func derivedKeys(t testing.TB, secret string) (out []string) {
	t.Helper()
	for _, p := range []credential.Purpose{
		credential.PurposeDeviceSecret, credential.PurposePINHash, credential.PurposeOneTimeCode, credential.PurposeProof,
	} {
		sub, err := hkdf.Key(sha256.New, []byte(secret), nil, "devicetotp/1/"+string(p), 32)
		require.NoError(t, err)
		out = append(out, string(sub))
	}
	return out
}
