package main

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/memstore"
)

// A benchmark that measured refusals would be worth nothing, and one whose
// State grows would measure something else at its end.
func TestRequestsSucceedAgainAndAgainAtTheSameSize(t *testing.T) {
	const accounts, devices = 10, 3
	keys, err := credential.NewKeyring("k", credential.NewKey("k"))
	require.NoError(t, err)
	for _, c := range []struct {
		name string
		pass time.Duration
		grow int // bytes
	}{
		{opCreate, createPass, 16},
		// Each device has the digest of its proof.
		{opCreateOnOTP, createPass, 256},
		// A device that was used remembers the step, in a few bytes.
		{opVerify, period, 16},
	} {
		t.Run(c.name, func(t *testing.T) {
			store := memstore.New()
			sizes := map[string]int{}
			for i := range accounts {
				a, err := newAccount(keys, "", i, devices)
				require.NoError(t, err)
				require.NoError(t, store.Replace(t.Context(), a))
				sizes[a.ID] = stateSize(t, a)
			}
			counted := &countingStore{store, map[string]int{}}
			do, err := makers[c.name](counted, keys, newTurns(accounts, c.pass), devices)
			require.NoError(t, err)
			for range 10 * accounts {
				require.NoError(t, do(t.Context()))
			}
			for id, size := range sizes {
				a, err := store.Load(t.Context(), id)
				require.NoError(t, err)
				require.Equal(t, 10, counted.saves[id], "every account had its turns")
				require.InDelta(t, size, stateSize(t, a), float64(c.grow))
			}
		})
	}
}

// countingStore counts the saves of each account, one at a time.
type countingStore struct {
	credential.Store
	saves map[string]int
}

func (s *countingStore) Save(ctx context.Context, a credential.Account) error {
	err := s.Store.Save(ctx, a)
	if err == nil {
		s.saves[a.ID]++
	}
	return err
}

func stateSize(t *testing.T, a credential.Account) int {
	encoded, err := a.State.MarshalBinary()
	require.NoError(t, err)
	return len(encoded)
}
