package sqltest

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/sqlstore"
)

// PostgreSQL that is told to end a statement which waits for a standby reports
// the commit as done, though the standby does not have it. So what is reported
// after the end of ctx is unknown.
func TestAWriteThatOutlastsItsContextHasNotSucceeded(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d database) {
		store, spy := d.spied(t)
		require.NoError(t, store.Put(t.Context(), credential.Account{ID: "a"}))
		a := load(t, store, "a")
		a.Next = 7
		for name, write := range map[string]func(context.Context) error{
			"save":        func(ctx context.Context) error { return store.Save(ctx, a) },
			"set locked":  func(ctx context.Context) error { return store.SetLocked(ctx, "a", false) },
			"rotate hash": func(ctx context.Context) error { return store.RotateHash(ctx, "a", credential.FactorPIN, "", "") },
		} {
			ctx, end := context.WithCancel(t.Context())
			spy.hooks(nil, func(call) error { end(); return nil })
			err := write(ctx)
			require.ErrorIs(t, err, context.Canceled, name)
			require.NotErrorIs(t, err, credential.ErrConflict, name)
			spy.hooks(nil, nil)
		}
	})
}

// A connection can turn read-only under its user, or have been opened to what is
// a standby. It must not stay in the pool.
func TestReadOnlyConnectionIsNotUsedAgain(t *testing.T) {
	eachPostgres(t, func(t *testing.T, d database) {
		db := d.open(t)
		db.SetMaxOpenConns(1)
		store := migrated(t, db, d.dialect, sqlstore.Config{})
		require.NoError(t, store.Put(t.Context(), credential.Account{ID: "a"}))
		a := load(t, store, "a")
		a.Next = 7
		first := serverProcess(t, db)

		_, err := db.ExecContext(t.Context(), `SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY`)
		require.NoError(t, err)
		err = store.Save(t.Context(), a)
		require.Equal(t, "25006", sqlState(err), "%v", err)
		require.NotErrorIs(t, err, driver.ErrBadConn, "the caller is told what the server said")

		require.NoError(t, store.Save(t.Context(), a), "another connection is used")
		require.NotEqual(t, first, serverProcess(t, db))
	})
}

// Every other error leaves the connection in the pool.
func TestConnectionIsKeptAfterAnErrorOfItsStatement(t *testing.T) {
	eachPostgres(t, func(t *testing.T, d database) {
		db := d.open(t)
		db.SetMaxOpenConns(1)
		store := migrated(t, db, d.dialect, sqlstore.Config{})
		require.NoError(t, store.Put(t.Context(), credential.Account{ID: "a"}))
		a := load(t, store, "a")
		a.Next = 7
		first := serverProcess(t, db)
		_, err := db.ExecContext(t.Context(), `ALTER TABLE devicetotp_accounts RENAME COLUMN state TO gone`)
		require.NoError(t, err)
		require.Equal(t, "42703", sqlState(store.Save(t.Context(), a)))
		require.Equal(t, first, serverProcess(t, db))
	})
}

// database/sql itself sends a statement again if the driver says that the
// connection was bad before it was sent; so after a restart of the server no
// Save fails for an old connection.
func TestSaveGetsRoundConnectionsThatAreGone(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d database) {
		store, spy := d.spied(t)
		require.NoError(t, store.Put(t.Context(), credential.Account{ID: "a"}))
		a := load(t, store, "a")
		a.Next = 7
		gone := 2 // as many as database/sql tries before it opens a new one
		spy.hooks(func(call) error {
			if gone == 0 {
				return nil
			}
			gone--
			return driver.ErrBadConn
		}, nil)
		require.NoError(t, store.Save(t.Context(), a))
		require.Zero(t, gone)
	})
}

// serverProcess returns the number of the server process that serves the only
// connection.
func serverProcess(t *testing.T, db *sql.DB) (pid int) {
	t.Helper()
	require.NoError(t, db.QueryRowContext(t.Context(), `SELECT pg_backend_pid()`).Scan(&pid))
	return pid
}

func sqlState(err error) string {
	var state interface{ SQLState() string }
	if errors.As(err, &state) {
		return state.SQLState()
	}
	return ""
}
