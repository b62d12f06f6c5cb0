package sqltest

import (
	"context"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/sqlstore"
)

func TestRegistrationTimeComesBackExactlyAndIsComparedExactly(t *testing.T) {
	eachStore(t, func(t *testing.T, s *sqlstore.Store) {
		ctx := context.Background()
		for i, at := range []time.Time{
			{}, // unknown
			time.Unix(0, 0),
			time.Date(2026, 2, 3, 4, 5, 6, 123456789, time.UTC),
			time.Date(2026, 2, 3, 4, 5, 6, 1, time.FixedZone("", -9*3600)),
			time.Date(1907, 1, 1, 0, 0, 0, 999999999, time.UTC),
			time.Date(12026, 1, 1, 0, 0, 0, 0, time.UTC),
			time.Unix(math.MaxInt64-62135596800, 999999999),
		} {
			id := fmt.Sprint(i)
			require.NoError(t, s.Put(ctx, credential.Account{ID: id, RegisteredAt: at}))
			a := load(t, s, id)
			require.True(t, a.RegisteredAt.Equal(at), "%v for %v", a.RegisteredAt, at)
			require.Equal(t, at.IsZero(), a.RegisteredAt.IsZero())
			require.NoError(t, save(s, a))

			moved := load(t, s, id)
			moved.Next = 7
			moved.RegisteredAt = moved.RegisteredAt.Add(-time.Nanosecond)
			require.ErrorIs(t, s.Save(ctx, moved), credential.ErrConflict)
		}
	})
}

func TestPutReplacesWhatIsTheHostsAndLeavesState(t *testing.T) {
	eachStore(t, func(t *testing.T, s *sqlstore.Store) {
		ctx := context.Background()
		require.NoError(t, s.Put(ctx, credential.Account{ID: "a", Version: 9, State: credential.State{OTP: credential.Attempts{Failures: 9}}}))
		a := load(t, s, "a")
		require.Equal(t, credential.Account{ID: "a"}, a)
		a.State.OTP.Failures, a.Next = 2, 7
		require.NoError(t, s.Save(ctx, a))

		put := credential.Account{ID: "a", RegisteredAt: time.Unix(5, 6).UTC(), PasswordHash: "p'\"$1?1", PINHash: "q\u00fc", Locked: true}
		require.NoError(t, s.Put(ctx, put))
		put.Version, put.State = 7, a.State
		require.Equal(t, put, load(t, s, "a"))
	})
}

func TestInsertAddsStateAndLeavesAnAccountThatIsThere(t *testing.T) {
	eachStore(t, func(t *testing.T, s *sqlstore.Store) {
		ctx := context.Background()
		first := credential.Account{
			ID: "a", RegisteredAt: time.Unix(1, 2).UTC(), PasswordHash: "p", PINHash: "q", Locked: true, Version: 4,
			State: credential.State{Devices: []credential.Device{{ID: "d", Sealed: []byte{0, 255}}}},
		}
		inserted, err := s.Insert(ctx, first)
		require.NoError(t, err)
		require.True(t, inserted)
		require.Equal(t, first, load(t, s, "a"))

		inserted, err = s.Insert(ctx, credential.Account{ID: "a"})
		require.NoError(t, err)
		require.False(t, inserted)
		require.Equal(t, first, load(t, s, "a"))

		_, err = s.Insert(ctx, credential.Account{ID: "b", State: credential.State{Devices: make([]credential.Device, credential.MaxDevices+1)}})
		require.ErrorIs(t, err, credential.ErrStateSize)
	})
}

func TestRotateHashComparesAndSets(t *testing.T) {
	eachStore(t, func(t *testing.T, s *sqlstore.Store) {
		ctx := context.Background()
		require.NoError(t, s.Put(ctx, credential.Account{ID: "a", PasswordHash: "p"}))
		require.NoError(t, s.RotateHash(ctx, "a", credential.FactorPassword, "p", "p2"))
		require.NoError(t, s.RotateHash(ctx, "a", credential.FactorPIN, "", "q"))
		require.ErrorIs(t, s.RotateHash(ctx, "a", credential.FactorPassword, "p", "p3"), credential.ErrConflict)
		require.ErrorIs(t, s.RotateHash(ctx, "nobody", credential.FactorPIN, "", "q"), credential.ErrConflict)
		a := load(t, s, "a")
		require.Equal(t, "p2", a.PasswordHash)
		require.Equal(t, "q", a.PINHash)
		require.Zero(t, a.Version)
	})
}

func TestDeleteTellsWhetherTheAccountWasThere(t *testing.T) {
	eachStore(t, func(t *testing.T, s *sqlstore.Store) {
		ctx := context.Background()
		require.NoError(t, s.Put(ctx, credential.Account{ID: "a"}))
		for _, want := range []bool{true, false} {
			deleted, err := s.Delete(ctx, "a")
			require.NoError(t, err)
			require.Equal(t, want, deleted)
		}
	})
}

func TestSetLockedOfUnknownAccountIsNotFound(t *testing.T) {
	eachStore(t, func(t *testing.T, s *sqlstore.Store) {
		ctx := context.Background()
		require.ErrorIs(t, s.SetLocked(ctx, "a", true), credential.ErrNotFound)
		require.NoError(t, s.Put(ctx, credential.Account{ID: "a"}))
		for _, locked := range []bool{true, true, false} {
			require.NoError(t, s.SetLocked(ctx, "a", locked))
			require.Equal(t, locked, load(t, s, "a").Locked)
		}
	})
}

func TestIDsAreListedInPagesInTheOrderOfTheirBytes(t *testing.T) {
	eachStore(t, func(t *testing.T, s *sqlstore.Store) {
		ctx := context.Background()
		want := []string{"1", "10", "2", "A", "B", "a", "\u00e9"}
		for _, id := range want {
			require.NoError(t, s.Put(ctx, credential.Account{ID: id}))
		}
		for limit := 1; limit <= len(want)+1; limit++ {
			var got []string
			for after := ""; ; after = got[len(got)-1] {
				page, err := s.IDs(ctx, after, limit)
				require.NoError(t, err)
				require.LessOrEqual(t, len(page), limit)
				if len(page) == 0 {
					break
				}
				got = append(got, page...)
			}
			require.Equal(t, want, got)
		}
	})
}

// What a host fills in with SQL of its own loads with the columns' defaults.
func TestRowOfAnotherToolLoads(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d database) {
		db := d.open(t)
		s := migrated(t, db, d.dialect, sqlstore.Config{})
		_, err := db.Exec(`INSERT INTO devicetotp_accounts (id) VALUES ('a')`)
		require.NoError(t, err)
		a := load(t, s, "a")
		require.Equal(t, credential.Account{ID: "a"}, a)
		require.NoError(t, save(s, a))
	})
}
