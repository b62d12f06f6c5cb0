package devicetotp_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/devicetotptest"
	"example.com/devicetotp/verifier"
)

func dearHasher(t *testing.T) *verifier.Hasher {
	t.Helper()
	dear, err := verifier.NewHasher(verifier.HasherConfig{Memory: 16, Time: 1, Threads: 1, Parallel: 16, Queue: 16})
	require.NoError(t, err)
	return dear
}

func TestCreate_OffersANewHashOnceOneIsBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type call struct {
			account string
			factor  credential.Factor
			from    string
			to      string
		}
		var calls []call
		w := devicetotptest.New(t, func(c *devicetotp.Config) {
			c.Password = verifier.Password(dearHasher(t))
			c.OnRehash = func(_ context.Context, account string, f credential.Factor, from, to string) error {
				calls = append(calls, call{account, f, from, to})
				return nil
			}
		})
		a := w.Account("acct").Password("password") // hashed at the lowest cost
		create := func(password string) error {
			_, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", Password: secret(password)})
			synctest.Wait()
			return err
		}
		require.Error(t, create("wrong"))
		require.Empty(t, calls)
		require.NoError(t, create("password"))
		require.Len(t, calls, 1)
		require.Equal(t, credential.FactorPassword, calls[0].factor)
		require.Equal(t, "acct", calls[0].account)
		require.Equal(t, a.Stored().PasswordHash, calls[0].from)
		require.Contains(t, calls[0].to, "$m=16,t=1,p=1$")
		require.NoError(t, w.Store.Accounts.RotateHash(t.Context(), "acct", credential.FactorPassword, calls[0].from, calls[0].to))
		require.NoError(t, create("password"))
		require.Len(t, calls, 1, "a new hash would be no stronger")
	})
}

// A hash that was made before the service normalized passwords is renewed at the next
// login, and any keyboard will do from then on. A wrong password counts once, however
// often it was compared.
func TestCreate_RenewsHashesOfPasswordsThatWereNotNormalized(t *testing.T) {
	const composed, decomposed = "caf\u00e9 au lait", "cafe\u0301 au lait"
	synctest.Test(t, func(t *testing.T) {
		var w *devicetotptest.World
		w = devicetotptest.New(t, func(c *devicetotp.Config) {
			c.Password = verifier.Normalized(verifier.Password(dearHasher(t)), strings.NewReplacer("e\u0301", "\u00e9").Replace)
			c.OnRehash = func(ctx context.Context, id string, f credential.Factor, from, to string) error {
				return w.Store.Accounts.RotateHash(ctx, id, f, from, to)
			}
		})
		w.Account("acct").Password(decomposed)
		create := func(password string) error {
			_, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", Password: secret(password)})
			synctest.Wait()
			return err
		}
		requireCode(t, devicetotp.CodeInvalidCredentials, create(composed))
		requireCode(t, devicetotp.CodeInvalidCredentials, create(decomposed+"!"))
		view, err := w.Issuer.Inspect(t.Context(), "acct")
		require.NoError(t, err)
		require.Equal(t, 2, view.Factors[1].Failures)
		require.NoError(t, create(decomposed))
		require.NoError(t, create(composed))
		require.NoError(t, create(decomposed))
	})
}

// Neither the Observer nor the caller waits for a new hash, and no more than four
// are made at a time.
func TestCreate_DoesNotWaitForANewHash(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var renewing, most atomic.Int32
		w := devicetotptest.New(t, func(c *devicetotp.Config) {
			c.Password = verifier.Password(dearHasher(t))
			c.OnRehash = func(ctx context.Context, _ string, _ credential.Factor, _, _ string) error {
				most.Store(max(most.Load(), renewing.Add(1)))
				defer renewing.Add(-1)
				<-ctx.Done() // a database that does not answer
				return ctx.Err()
			}
		})
		w.Account("acct").Password("password")
		for range 6 {
			_, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", Password: secret("password")})
			require.NoError(t, err)
			synctest.Wait()
		}
		require.Len(t, w.Events(), 6)
		require.EqualValues(t, 4, renewing.Load())
		require.EqualValues(t, 4, most.Load())
		time.Sleep(10 * time.Second) // Limits.VerifierTimeout, in the time of the bubble
		synctest.Wait()
		require.Zero(t, renewing.Load(), "each is bounded")
		_, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", Password: secret("password")})
		require.NoError(t, err)
		synctest.Wait()
		require.EqualValues(t, 1, renewing.Load(), "and the next success tries again")
		time.Sleep(10 * time.Second)
		synctest.Wait()
	})
}
