package operations

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/devicetotptest"
	"example.com/devicetotp/verifier"
)

// A disaster is an account that went on after its backup, until the database was
// lost.
type disaster struct {
	*devicetotptest.World
	tablet *devicetotptest.Phone
	codes  []credential.Secret
	backup credential.Account
	since  []devicetotp.Event // from the log, which was not lost
}

func newDisaster(t *testing.T) *disaster {
	t.Helper()
	w := devicetotptest.New(t, devicetotptest.WithPolicy(func(p *devicetotp.Policy) { p.OTPKinds = append(p.OTPKinds, verifier.KindRecovery) }))
	alice := w.Account("alice").PIN("8299")
	d := &disaster{World: w, tablet: alice.Device("tablet", time.Hour), codes: alice.RecoveryCodes(10), backup: alice.Stored()}
	before := len(w.Events())
	_, err := w.Issuer.Revoke(t.Context(), devicetotp.RevokeRequest{AccountID: "alice", DeviceIDs: []string{d.tablet.DeviceID}})
	require.NoError(t, err)
	require.NoError(t, d.create(t, d.codes[0]))
	d.since = w.Events()[before:]
	w.Clock.Advance(10 * time.Minute)
	require.NoError(t, w.Store.Accounts.Replace(t.Context(), d.backup))
	return d
}

func (d *disaster) create(t *testing.T, otp credential.Secret) error {
	t.Helper()
	_, err := d.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "alice", OTP: otp})
	return err
}

func (d *disaster) verify(t *testing.T, code credential.Secret) error {
	t.Helper()
	_, err := d.Issuer.Verify(t.Context(), devicetotp.VerifyRequest{AccountID: "alice", Code: code})
	return err
}

// What the page says that a backup brings back.
func TestABackupBringsBackWhatWasTakenAway(t *testing.T) {
	d := newDisaster(t)
	require.NoError(t, d.verify(t, d.tablet.Code()), "the revoked device")
	require.NoError(t, d.create(t, d.codes[0]), "the recovery code that was used")
}

func TestAgainTakesItAwayAgain(t *testing.T) {
	d := newDisaster(t)
	renew := 0
	for range 2 { // also if it is interrupted, and done once more
		for _, e := range d.since {
			newCodes, err := Again(t.Context(), d.Issuer, e)
			require.NoError(t, err)
			if newCodes {
				renew++
			}
		}
	}
	require.Equal(t, 2, renew, "the user must be shown new recovery codes, once a round")
	require.Equal(t, devicetotp.CodeInvalidCredentials, devicetotp.CodeOf(d.verify(t, d.tablet.Code())))
	for _, code := range d.codes[:2] {
		require.Equal(t, devicetotp.CodeInvalidCredentials, devicetotp.CodeOf(d.create(t, code)))
	}
}

// Codes of devices and one-time codes that were used since the backup are good
// again until they expire: after ten minutes none is.
func TestUsedCodesExpireWithinTenMinutes(t *testing.T) {
	for _, wait := range []time.Duration{0, devicetotp.MaxCodeTTL} {
		w := devicetotptest.New(t)
		alice := w.Account("alice").OTP("526271")
		phone := alice.Device("phone", time.Hour)
		backup, code := alice.Stored(), phone.Code()
		use := func() (create, verify error) {
			_, create = w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "alice", OTP: credential.NewSecret("526271")})
			_, verify = w.Issuer.Verify(t.Context(), devicetotp.VerifyRequest{AccountID: "alice", Code: code})
			return create, verify
		}
		create, verify := use()
		require.NoError(t, create)
		require.NoError(t, verify)

		w.Clock.Advance(wait)
		require.NoError(t, w.Store.Accounts.Replace(t.Context(), backup))
		create, verify = use()
		if wait == 0 {
			require.NoError(t, create)
			require.NoError(t, verify)
			continue
		}
		require.Equal(t, devicetotp.CodeInvalidCredentials, devicetotp.CodeOf(create))
		require.Equal(t, devicetotp.CodeInvalidCredentials, devicetotp.CodeOf(verify))
	}
}
