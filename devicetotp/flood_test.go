package devicetotp_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/devicetotptest"
	"example.com/devicetotp/verifier"
)

// Requests for an unknown account are never refused for their number, and each does
// the work of a refusal. But they take turns like those for any other account, so
// that a flood for one id costs one hash at a time, and what is not in line for it is
// not hashed.
func TestAFloodForAnUnknownAccountHashesOneAtATime(t *testing.T) {
	const flood, perHash = 200, 25 * time.Millisecond
	const answered = 1 + 64 // the one whose turn it is, and Limits.MaxWaiting by default
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		hashing, most, hashed := map[string]int{}, 0, 0
		slow := func(v verifier.Verifier) verifier.Verifier {
			return verifier.Func(func(ctx context.Context, q verifier.Query) (verifier.Verdict, error) {
				mu.Lock()
				hashing[q.AccountID]++
				most = max(most, hashing[q.AccountID])
				if q.AccountID == "deleted" {
					hashed++
				}
				mu.Unlock()
				time.Sleep(perHash) // in the time of the bubble
				mu.Lock()
				hashing[q.AccountID]--
				mu.Unlock()
				return v.Verify(ctx, q)
			})
		}
		w := devicetotptest.New(t, func(c *devicetotp.Config) { c.Password, c.PIN = slow(c.Password), slow(c.PIN) })
		w.Account("acct").PIN("8299")
		codes := map[devicetotp.Code]int{}
		var wg sync.WaitGroup
		for range flood {
			wg.Go(func() {
				r := devicetotp.CreateRequest{AccountID: "deleted", Password: secret("password"), PIN: secret("8299")}
				_, err := w.Issuer.Create(t.Context(), r)
				mu.Lock()
				defer mu.Unlock()
				codes[devicetotp.CodeOf(err)]++
			})
		}
		synctest.Wait()
		began := time.Now()
		_, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", PIN: secret("8299")})
		require.NoError(t, err)
		require.Equal(t, perHash, time.Since(began), "others do not wait for it")
		wg.Wait()
		require.Equal(t, 1, most)
		require.Equal(t, map[devicetotp.Code]int{devicetotp.CodeInvalidCredentials: answered, devicetotp.CodeUnavailable: flood - answered}, codes)
		require.Equal(t, 2*answered, hashed, "the password and the PIN of those that were in line")
	})
}
