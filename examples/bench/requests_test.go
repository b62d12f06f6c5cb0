package main

import (
	"slices"
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
		make func(credential.Store, *credential.Keyring, *turns, int) (request, error)
	}{{opCreate, createPass, creating}, {opVerify, period, verifying}} {
		t.Run(c.name, func(t *testing.T) {
			store := memstore.New()
			sizes := map[string]int{}
			for i := range accounts {
				a, err := newAccount(keys, "", i, devices)
				require.NoError(t, err)
				require.NoError(t, store.Replace(t.Context(), a))
				sizes[a.ID] = stateSize(t, a)
			}
			do, err := c.make(store, keys, newTurns(accounts, c.pass), devices)
			require.NoError(t, err)
			for range 10 * accounts {
				require.NoError(t, do(t.Context()))
			}
			for id, size := range sizes {
				a, err := store.Load(t.Context(), id)
				require.NoError(t, err)
				made := func(id credential.WriteID) bool { return id == credential.WriteID{} } // by newAccount
				require.Len(t, slices.DeleteFunc(a.State.Writes, made), 10, "every account had its turns")
				// A device that was used remembers the step, in a few bytes.
				require.InDelta(t, size, stateSize(t, a), 16)
			}
		})
	}
}

func stateSize(t *testing.T, a credential.Account) int {
	encoded, err := a.State.MarshalBinary()
	require.NoError(t, err)
	return len(encoded)
}
