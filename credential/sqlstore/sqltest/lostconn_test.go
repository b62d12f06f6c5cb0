package sqltest

import (
	"context"
	"database/sql"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/sqlstore"
	"example.com/devicetotp/credential/sqlstore/sqltest/pgtest"
)

// After a fail-over the pool holds connections to a server that is gone. They are
// in nobody's way: neither of what is asked of the store, nor of the end of a
// test, where lib/pq returns the error of saying goodbye to such a server.
func TestLostConnectionsAreInNobodysWay(t *testing.T) {
	for _, driver := range postgresDrivers {
		t.Run(driver, func(t *testing.T) {
			dsn := pgtest.Need(t).Database(t)
			db := openPostgres(t, driver, suits(driver, dsn))
			store := migrated(t, db, sqlstore.DialectPostgres, sqlstore.Config{})
			require.NoError(t, store.Put(t.Context(), credential.Account{ID: "a"}))
			loseConnections(t, db, dsn, 5)
			require.Equal(t, "a", load(t, store, "a").ID)
			require.NotZero(t, db.Stats().Idle, "some are left for the end of the test")
		})
	}
}

// loseConnections fills the pool of db with n connections, and ends them at the
// server.
func loseConnections(t *testing.T, db *sql.DB, dsn string, n int) {
	t.Helper()
	ctx, admin := context.Background(), openPostgres(t, "pgx", dsn)
	db.SetMaxIdleConns(n)
	held, ids := make([]*sql.Conn, n), make([]int, n)
	for i := range held {
		var err error
		held[i], err = db.Conn(ctx)
		require.NoError(t, err)
		require.NoError(t, held[i].QueryRowContext(ctx, "SELECT pg_backend_pid()").Scan(&ids[i]))
	}
	for i := range held {
		require.NoError(t, held[i].Close())
		var ended bool
		require.NoError(t, admin.QueryRowContext(ctx, "SELECT pg_terminate_backend($1, 60000)", ids[i]).Scan(&ended))
		require.True(t, ended)
	}
}
