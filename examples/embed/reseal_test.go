package main

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/examples/reseal/rollout"
)

// All users of this service are sealed again under a new key by package rollout,
// which needs the store and two methods of Users. Their PIN hashes, which were
// bcrypt, are sealed with it.
func TestAllUsersAreResealed(t *testing.T) {
	onBoth(t, func(t *testing.T, s service) {
		const count = 12 // so that "10" comes after "9"
		db := s.open()
		store, users := s.use(db), Users{db}
		old, fresh := credential.NewKey("old"), credential.NewKey("new")
		before, err := credential.NewKeyring("old", old)
		require.NoError(t, err)
		both, err := credential.NewKeyring("new", old, fresh)
		require.NoError(t, err)
		issuer, err := newIssuer(users, store, before)
		require.NoError(t, err)
		var ids []string
		for n := range count {
			email := fmt.Sprintf("%d@example.com", n)
			_, err := db.ExecContext(t.Context(), `INSERT INTO users (email, password_hash, pin_hash, created_at) VALUES ($1, 'hash', 'bare', $2)`, email, time.Now().UTC())
			require.NoError(t, err)
			page, err := users.IDs(t.Context(), last(ids), 100)
			require.NoError(t, err)
			require.Len(t, page, 1)
			ids = append(ids, page...)
			_, err = issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: page[0]})
			require.NoError(t, err)
		}

		report, err := rollout.Run(t.Context(), rollout.Config{
			Accounts: rollout.Accounts{Store: store, IDs: users.IDs, RotateHash: users.StoreRehash}, Keys: both, Page: 5,
		})
		require.NoError(t, err)
		require.Equal(t, [3]int{count, count, count}, [3]int{report.Accounts, report.Values, report.PINs})
		require.Equal(t, []string{"old"}, report.Unneeded(both))
		alone, err := credential.NewKeyring("new", fresh)
		require.NoError(t, err)
		for _, id := range ids {
			a, err := store.Load(t.Context(), id)
			require.NoError(t, err)
			hash, _, err := alone.OpenPINHash(id, a.PINHash)
			require.NoError(t, err)
			require.Equal(t, "bare", hash)
			_, _, err = alone.Open(credential.DeviceScope(id, &a.State.Devices[0]), a.State.Devices[0].Sealed)
			require.NoError(t, err)
		}
		_, err = users.IDs(t.Context(), "07", 1)
		require.ErrorContains(t, err, "is not an id")
	})
}

func last(ids []string) string {
	if len(ids) == 0 {
		return ""
	}
	return ids[len(ids)-1]
}
