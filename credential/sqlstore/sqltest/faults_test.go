package sqltest

import (
	"context"
	"database/sql/driver"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/sqlstore"
)

// stateError is like what pgx and lib/pq return.
type stateError string

func (e stateError) Error() string    { return string(e) }
func (e stateError) SQLState() string { return string(e) }

var errConnectionLost = errors.New("connection lost")

// once answers err to the first statement only.
func once(err error) func(call) error {
	return func(call) error {
		answer := err
		err = nil
		return answer
	}
}

func TestFaultsOfTheConnection(t *testing.T) {
	marker := credential.WriteID{1, 2, 3}
	for _, c := range []struct {
		rule          string
		before, after func() func(call) error
		kind          error // ErrConflict, ErrSerialization or nil
		saved         bool
	}{
		{"a serialization failure asks to try again", func() func(call) error { return once(stateError("40001")) }, nil, credential.ErrSerialization, false},
		{"a deadlock asks to try again", func() func(call) error { return once(stateError("40P01")) }, nil, credential.ErrSerialization, false},
		{"another error before the write is no conflict", func() func(call) error { return once(errConnectionLost) }, nil, nil, false},
		{"an error after the write is no conflict, and the write id tells", nil, func() func(call) error { return once(errConnectionLost) }, nil, true},
		{"a statement that was silently sent again is a conflict, and the write id tells", nil, func() func(call) error { return once(driver.ErrBadConn) }, credential.ErrConflict, true},
	} {
		t.Run(c.rule, func(t *testing.T) {
			eachDatabase(t, func(t *testing.T, d database) {
				ctx := context.Background()
				store, spy := d.spied(t)
				require.NoError(t, store.Put(ctx, credential.Account{ID: "a"}))
				a := load(t, store, "a")
				a.State.Writes, a.Next = []credential.WriteID{marker}, 7
				hook := func(f func() func(call) error) func(call) error {
					if f == nil {
						return nil
					}
					return f()
				}
				spy.hooks(hook(c.before), hook(c.after))
				err := store.Save(ctx, a)
				require.Error(t, err)
				for _, kind := range []error{credential.ErrConflict, credential.ErrSerialization} {
					require.Equal(t, errors.Is(c.kind, kind), errors.Is(err, kind), "%v", err)
				}
				spy.hooks(nil, nil)

				got := load(t, store, "a")
				if c.saved {
					require.Equal(t, []credential.WriteID{marker}, got.State.Writes)
					require.EqualValues(t, 7, got.Version)
				} else {
					require.Zero(t, got.Version)
					require.NoError(t, store.Save(ctx, a), "the store must recover by itself")
				}
			})
		})
	}
}

// Under SERIALIZABLE the database can refuse a SELECT too.
func TestALoadThatCannotBeSerializedAsksToTryAgain(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d database) {
		store, spy := d.spied(t)
		require.NoError(t, store.Put(t.Context(), credential.Account{ID: "a"}))
		for _, state := range []string{"40001", "40P01"} {
			spy.hooks(once(stateError(state)), nil)
			_, err := store.Load(t.Context(), "a")
			require.ErrorIs(t, err, credential.ErrSerialization)
			require.NotErrorIs(t, err, credential.ErrConflict)
			load(t, store, "a")
		}
	})
}

func TestErrorsOfTheDriverReachTheCaller(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d database) {
		ctx := context.Background()
		store, spy := d.spied(t)
		spy.hooks(func(call) error { return errConnectionLost }, nil)
		for name, do := range map[string]func() error{
			"load":        func() error { _, err := store.Load(ctx, "a"); return err },
			"save":        func() error { return store.Save(ctx, credential.Account{ID: "a", Next: 7}) },
			"put":         func() error { return store.Put(ctx, credential.Account{ID: "a"}) },
			"insert":      func() error { _, err := store.Insert(ctx, credential.Account{ID: "a"}); return err },
			"delete":      func() error { _, err := store.Delete(ctx, "a"); return err },
			"set locked":  func() error { return store.SetLocked(ctx, "a", true) },
			"rotate hash": func() error { return store.RotateHash(ctx, "a", credential.FactorPIN, "", "x") },
			"ids":         func() error { _, err := store.IDs(ctx, "", 1); return err },
			"migrate":     func() error { return store.Migrate(ctx) },
		} {
			err := do()
			require.ErrorIs(t, err, errConnectionLost)
			require.ErrorContains(t, err, "sqlstore: "+name)
			require.NotErrorIs(t, err, credential.ErrConflict)
			require.NotErrorIs(t, err, credential.ErrNotFound)
		}
	})
}

// A row that another transaction holds keeps a Save waiting; the context ends
// the wait, and no conflict is made of it. (SQLite locks no rows; see
// TestSaveThatWaitsForAnotherProcess.)
func TestSaveThatWaitsForARowEndsWithItsContext(t *testing.T) {
	eachServer(t, saveEndsWithItsContext)
}

func TestSaveBehindAPoolerEndsWithItsContext(t *testing.T) {
	eachPoolerMode(t, saveEndsWithItsContext)
}

func saveEndsWithItsContext(t *testing.T, d database) {
	db := d.open(t)
	store := migrated(t, db, d.dialect, sqlstore.Config{})
	require.NoError(t, store.Put(context.Background(), credential.Account{ID: "a"}))
	a := load(t, store, "a")
	a.Next = 7
	tx, err := db.Begin()
	require.NoError(t, err)
	defer func() { _ = tx.Rollback() }()
	_, err = tx.Exec(`SELECT 1 FROM devicetotp_accounts FOR UPDATE`)
	require.NoError(t, err)

	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	err = store.Save(ctx, a)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.NotErrorIs(t, err, credential.ErrConflict)
	require.NoError(t, tx.Rollback())

	// The outcome was unknown indeed: the server may have carried out the
	// statement when the row became free. Either way it counts once.
	if err := store.Save(context.Background(), a); err != nil {
		require.ErrorIs(t, err, credential.ErrConflict)
	}
	a = load(t, store, "a")
	require.EqualValues(t, 7, a.Version)
	require.NoError(t, save(store, a))
}
