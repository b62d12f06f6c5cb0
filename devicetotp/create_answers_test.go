package devicetotp_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	totperrors "example.com/devicetotp/errors"
)

// What the truth table of Create has found, each in a test of its own.

// The field of a refusal names the one presented value. Where two are presented it
// used to name the one that the retry rule looks at, which is what the device was
// created on.
func TestCreate_TheFieldDoesNotTellWhatADeviceWasCreatedOn(t *testing.T) {
	for _, basis := range []credential.Basis{credential.BasisPassword, credential.BasisPIN} {
		w, _, r, _ := retryWorld(t, basis)
		r.Password, r.PIN = secret("no"), secret("0000")
		_, err := w.Issuer.Create(t.Context(), r)
		require.Empty(t, requireCode(t, totperrors.CodeInvalidCredentials, err).Field)
	}
}
