package engines

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
)

// A harness on the router shows nothing unless the accounts move.
func TestRouterMovesWhatItIsGiven(t *testing.T) {
	e, err := Named("router")
	require.NoError(t, err)
	dsn, _, err := e.Need(t).CreateDatabase(t.Context())
	require.NoError(t, err)
	db, store, err := e.Open(t.Context(), dsn)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	require.NoError(t, store.Migrate(t.Context()))
	for range 2 { // a repetition
		require.NoError(t, store.Put(t.Context(), credential.Account{ID: "a"}))
	}
	m := store.(*moving)
	require.Eventually(t, func() bool {
		_, err := m.shards[1-m.Home("a")].Load(t.Context(), "a")
		return err == nil
	}, time.Minute, 10*time.Millisecond)
	_, err = store.Load(t.Context(), "a")
	require.NoError(t, err)
}
