package devicetotp_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/devicetotptest"
)

// Who can write the database but has no key cannot have the secret of a device
// that was proved, used and is old given out again, by making it look like one
// that was just created on grace.
func TestADatabaseWriterIsGivenNoSecret(t *testing.T) {
	w := devicetotptest.New(t)
	w.Account("acct").Password("a password").RegisteredAgo(365 * 24 * time.Hour)
	first, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: deviceID, Password: secret("a password")})
	require.NoError(t, err)
	_, err = w.Issuer.Verify(t.Context(), devicetotp.VerifyRequest{AccountID: "acct", Code: w.Phone(first).Code()})
	require.NoError(t, err)
	w.Clock.Advance(24 * time.Hour)
	a, err := w.Store.Accounts.Load(t.Context(), "acct")
	require.NoError(t, err)
	a.RegisteredAt = w.Clock.Now()
	d := &a.State.Devices[0]
	d.Basis, d.CreatedAt, d.LastStep = credential.BasisGrace, w.Clock.Now(), 0
	require.NoError(t, w.Store.Accounts.Replace(t.Context(), a))
	given, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: deviceID})
	requireCode(t, devicetotp.CodeInternal, err)
	require.ErrorIs(t, err, credential.ErrTampered)
	require.Zero(t, given)
}
