package sqltest

import (
	"context"
	"database/sql"
	"path/filepath"
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

// newSQLite returns a store with an empty table in a file of its own.
func newSQLite(t testing.TB) (*sqlstore.Store, *sql.DB) {
	t.Helper()
	db := openSQLite(t, filepath.Join(t.TempDir(), "accounts.db"))
	return migrated(t, db, sqlstore.SQLite, sqlstore.Options{}), db
}

func migrated(t testing.TB, db *sql.DB, d sqlstore.Dialect, o sqlstore.Options) *sqlstore.Store {
	t.Helper()
	store, err := sqlstore.New(context.Background(), db, d, o)
	require.NoError(t, err)
	require.NoError(t, store.Migrate(context.Background()))
	return store
}
