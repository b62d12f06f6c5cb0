package credential_test

import (
	"crypto/hkdf"
	"crypto/sha256"
	"reflect"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
)

// A difference between two keyrings, or between two values that hold one, shows
// no key and no sub-key.
func TestADiffOfKeyringsShowsNoKey(t *testing.T) {
	keys := ring(t, "k", "k")
	other := ring(t, "k2", "k", "k2")
	_, err := keys.Digest(credential.Scope{Purpose: credential.PurposeProof, AccountID: "a", Subject: "d"}, credential.NewSecret("526271"))
	require.NoError(t, err) // so that a keyed hash stands in a pool
	type holder struct{ keys *credential.Keyring }
	var r report
	require.False(t, assert.Equal(&r, holder{keys}, holder{other}))
	require.Contains(t, r.String(), "Diff:")
	text := r.String() + "\n" + walk(reflect.ValueOf([]any{holder{keys}, *keys}))
	var secrets []string
	for _, k := range []string{"k", "k2"} {
		secret := key(k).Secret.Reveal()
		secrets = append(secrets, secret)
		for _, p := range []credential.Purpose{
			credential.PurposeDeviceSecret, credential.PurposePINHash, credential.PurposeOneTimeCode, credential.PurposeProof,
			credential.PurposeRevoked, credential.PurposeRecovery,
		} {
			sub, err := hkdf.Key(sha256.New, []byte(secret), nil, "devicetotp/1/"+string(p), credential.KeySize)
			require.NoError(t, err)
			secrets = append(secrets, string(sub))
		}
	}
	for _, secret := range secrets {
		for _, form := range forms(secret) {
			require.NotContains(t, text, form)
		}
	}
}
