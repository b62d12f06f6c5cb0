// Package accountstest makes the accounts of a service, for tests of the commands of
// its operator.
package accountstest

import (
	"database/sql"
	"path/filepath"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"example.com/devicetotp/credential/sqlstore"
	"example.com/devicetotp/credential/sqlstore/sqltest/pgtest"
)

// A Backend is an empty database: how a command names it, and a store on it.
type Backend struct {
	Name  string
	Store *sqlstore.Store
}

// OnSQLite makes one in a new file.
func OnSQLite(t *testing.T) Backend {
	t.Helper()
	path := filepath.Join(t.TempDir(), "accounts.db")
	return open(t, "sqlite:"+path, "sqlite", "file:"+path+"?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)", sqlstore.DialectSQLite)
}

// OnPostgres makes one on the server of the test binary, whose TestMain calls
// pgtest.Main.
func OnPostgres(t *testing.T) Backend {
	t.Helper()
	dsn := pgtest.Need(t).Database(t)
	return open(t, dsn, "pgx", dsn, sqlstore.DialectPostgres)
}

// OnBoth runs the test on each.
func OnBoth(t *testing.T, test func(*testing.T, Backend)) {
	t.Helper()
	for name, on := range map[string]func(*testing.T) Backend{"SQLite": OnSQLite, "PostgreSQL": OnPostgres} {
		t.Run(name, func(t *testing.T) { test(t, on(t)) })
	}
}

func open(t *testing.T, name, driver, dsn string, dialect sqlstore.Dialect) Backend {
	t.Helper()
	db, err := sql.Open(driver, dsn)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	store, err := sqlstore.New(t.Context(), db, dialect, sqlstore.Config{})
	require.NoError(t, err)
	require.NoError(t, store.Migrate(t.Context()))
	return Backend{name, store}
}
