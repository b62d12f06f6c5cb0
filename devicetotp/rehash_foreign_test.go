package devicetotp_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/devicetotptest"
)

// Users of another system move to argon2id as they sign in, and to nothing before:
// by their passwords, and by PINs, which are then sealed.
func TestCreate_RenewsTheHashOfAnotherSystem(t *testing.T) {
	for name, stored := range map[string]string{
		"Django, PBKDF2":   "pbkdf2_sha1$1000$Pz3mVQ8kT2nL$getCelwqMRXtbxSyjkpUw4ePUbs=",
		"Django, bcrypt":   "bcrypt$$2b$04$TEybYhkq/jltudzyXkD7tuuFf9Zb6.Vpsm6wtI0VjORwiBaIrqDTW",
		"Django, argon2id": "argon2$argon2id$v=19$m=256,t=2,p=2$c2FsdHNhbHRzYWx0c2FsdA$UGTnu8DWgNTWE09JUgKZng",
		"Spring, bcrypt":   "{bcrypt}$2b$04$TEybYhkq/jltudzyXkD7tuuFf9Zb6.Vpsm6wtI0VjORwiBaIrqDTW",
		"Dovecot, bcrypt":  "{BLF-CRYPT}$2b$04$TEybYhkq/jltudzyXkD7tuuFf9Zb6.Vpsm6wtI0VjORwiBaIrqDTW",
		"passlib, PBKDF2":  "$pbkdf2$1000$KsV4zxnD.B.jtJaSEkKIsQ$JgsaF1JqdN2dOaiI6Nbx/Ggzfrw",
		"Werkzeug, PBKDF2": "pbkdf2:sha1:1000$LVEKMvyRCvec3eMO$efa5b270ef65f589178f82d3262d23ca6f246b46",
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				renewals := map[credential.Factor]int{}
				var w *devicetotptest.World
				w = devicetotptest.New(t, func(c *devicetotp.Config) {
					c.OnRehash = func(ctx context.Context, account string, f credential.Factor, from, to string) error {
						require.Equal(t, stored, from)
						renewals[f]++
						return w.Store.Accounts.RotateHash(ctx, account, f, from, to)
					}
				})
				a := w.Account("acct")
				account := a.Stored()
				account.PasswordHash, account.PINHash = stored, stored
				require.NoError(t, w.Store.Accounts.Put(t.Context(), account))
				create := func(password, pin credential.Secret) error {
					_, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", Password: password, PIN: pin})
					synctest.Wait()
					return err
				}
				right, wrong := secret("superSecret12345!"), secret("superSecret12345")
				require.Error(t, create(wrong, wrong))
				require.Empty(t, renewals)
				for range 2 {
					require.NoError(t, create(right, credential.Secret{}))
					require.NoError(t, create(credential.Secret{}, right))
				}
				require.Equal(t, map[credential.Factor]int{credential.FactorPassword: 1, credential.FactorPIN: 1}, renewals)
				require.Regexp(t, `^\$argon2id\$`, a.Stored().PasswordHash)
				require.Regexp(t, `^\$sealed\$`, a.Stored().PINHash)
			})
		})
	}
}
