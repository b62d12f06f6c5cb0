package sqltest

import (
	"context"
	"database/sql"
	"testing"

	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"

	"example.com/devicetotp/credential/sqlstore"
)

const sqlitePragmas = "?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)"

// openSQLite returns a handle on the database file at path.
func openSQLite(t testing.TB, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+sqlitePragmas)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

func migrated(t testing.TB, db *sql.DB, d sqlstore.Dialect, o sqlstore.Config) *sqlstore.Store {
	t.Helper()
	store, err := sqlstore.New(context.Background(), db, d, o)
	require.NoError(t, err)
	require.NoError(t, store.Migrate(context.Background()))
	return store
}
