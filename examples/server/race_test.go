package main

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/clock/clocktest"
	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	totperrors "example.com/devicetotp/errors"
	"example.com/devicetotp/verifier"
)

const (
	raceRounds   = 100
	raceRequests = 64
)

// One one-time code, presented by many requests at the same moment, each for a
// device of its own, makes exactly one device.
func TestOneCodeMakesOneDevice(t *testing.T) {
	bothStores(t, func(t *testing.T, store accountStore) {
		issuer, err := devicetotp.NewIssuer(store, newKeys(t), devicetotp.Config{})
		require.NoError(t, err)
		for round := range raceRounds {
			id := fmt.Sprint("acct-", round)
			_, err := store.Insert(t.Context(), credential.Account{ID: id})
			require.NoError(t, err)
			code := credential.NewSecret("526271")
			_, err = issuer.AddCode(t.Context(), devicetotp.AddCodeRequest{
				AccountID: id, Kind: verifier.KindAccount, Code: code, TTL: 5 * time.Minute,
			})
			require.NoError(t, err)
			require.Equal(t, 1, raceOnce(t, issuer, id, code), "devices granted in round %d", round)
			account, err := store.Load(t.Context(), id)
			require.NoError(t, err)
			require.Len(t, account.State.Devices, 1, "devices stored in round %d", round)
			require.Len(t, account.State.Spent, 1, "the code is used up")
		}
	})
}

// raceOnce lets all requests go at once and counts the devices granted.
func raceOnce(t *testing.T, issuer *devicetotp.Issuer, id string, code credential.Secret) (granted int) {
	t.Helper()
	answers := make([]error, raceRequests)
	start := make(chan struct{})
	var group sync.WaitGroup
	for i := range answers {
		group.Go(func() {
			<-start
			_, answers[i] = issuer.Create(t.Context(), devicetotp.CreateRequest{
				AccountID: id, DeviceID: fmt.Sprintf("00000000-0000-4000-8000-%012d", i), OTP: code,
			})
		})
	}
	close(start)
	group.Wait()
	for _, err := range answers {
		if err == nil {
			granted++
			continue
		}
		require.ErrorIs(t, err, devicetotp.ErrDenied)
		require.Contains(t, []devicetotp.Code{totperrors.CodeInvalidCredentials, totperrors.CodeTooManyAttempts}, devicetotp.CodeOf(err))
	}
	return granted
}

// A thousand wrong PINs at the same moment, the clock standing still, get
// exactly five verdicts; then the right PIN is refused, and after Unblock it is
// accepted.
func TestAThousandWrongPINs(t *testing.T) {
	bothStores(t, func(t *testing.T, store accountStore) {
		keys, still := newKeys(t), clocktest.New(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
		issuer, err := devicetotp.NewIssuer(store, keys, devicetotp.Config{Clock: still})
		require.NoError(t, err)
		hash, err := verifier.DefaultHasher().Hash(t.Context(), credential.NewSecret("8299"))
		require.NoError(t, err)
		sealed, err := keys.SealPINHash("acct", hash)
		require.NoError(t, err)
		_, err = store.Insert(t.Context(), credential.Account{ID: "acct", PINHash: sealed})
		require.NoError(t, err)
		present := func(pin string) devicetotp.Code {
			_, err := issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", PIN: credential.NewSecret(pin)})
			return devicetotp.CodeOf(err)
		}

		const requests = 1000
		codes := make([]devicetotp.Code, requests)
		start := make(chan struct{})
		var group sync.WaitGroup
		for i := range codes {
			group.Go(func() {
				<-start
				codes[i] = present("0000")
			})
		}
		close(start)
		group.Wait()

		count := map[devicetotp.Code]int{}
		for _, code := range codes {
			count[code]++
		}
		require.Equal(t, 5, count[totperrors.CodeInvalidCredentials], "%v", count)
		require.Equal(t, requests-5, count[totperrors.CodeTooManyAttempts]+count[totperrors.CodeUnavailable], "%v", count)
		require.Equal(t, totperrors.CodeTooManyAttempts, present("8299"))
		require.NoError(t, issuer.Unblock(t.Context(), devicetotp.UnblockRequest{AccountID: "acct", Factors: []credential.Factor{credential.FactorPIN}}))
		require.Empty(t, present("8299"))
	})
}
