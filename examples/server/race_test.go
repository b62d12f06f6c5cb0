package main

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

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
			require.NoError(t, issuer.AddCode(t.Context(), devicetotp.CodeRequest{
				AccountID: id, Kind: verifier.KindAccount, Code: code, TTL: 5 * time.Minute,
			}))
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
			_, answers[i] = issuer.Create(t.Context(), devicetotp.Request{
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
		require.Contains(t, []devicetotp.Code{totperrors.InvalidCredentials, totperrors.TooManyAttempts}, devicetotp.CodeOf(err))
	}
	return granted
}
