package sqltest

import (
	"context"
	"database/sql"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/sqlstore"
	"example.com/devicetotp/credential/sqlstore/sqltest/mariadbtest"
	"example.com/devicetotp/credential/sqlstore/sqltest/pgtest"
)

// A database is an empty one, and how to reach it.
type database struct {
	driver, dsn string
	dialect     sqlstore.Dialect
}

func (d database) open(t testing.TB) *sql.DB {
	t.Helper()
	db, err := sql.Open(d.driver, d.dsn)
	require.NoError(t, err)
	closeAtEnd(t, db)
	return db
}

// closeAtEnd closes db at the end of t, which may have lost the server: some
// drivers return the error of saying goodbye to one that is gone ("broken pipe").
func closeAtEnd(t testing.TB, db *sql.DB) { t.Cleanup(func() { _ = db.Close() }) }

// spied returns a migrated store whose statements go through a spy.
func (d database) spied(t testing.TB) (*sqlstore.Store, *spy) {
	t.Helper()
	db, s := openSpy(t, d.driver, d.dsn)
	store := migrated(t, db, d.dialect, sqlstore.Config{})
	s.take()
	return store, s
}

// emptied returns a migrated store without accounts.
func (d database) emptied(t *testing.T) *sqlstore.Store {
	t.Helper()
	db := d.open(t)
	store := migrated(t, db, d.dialect, sqlstore.Config{})
	_, err := db.Exec(`DELETE FROM ` + sqlstore.DefaultTable)
	require.NoError(t, err)
	return store
}

// eachDatabase runs test with every driver, each on a database of its own.
func eachDatabase(t *testing.T, test func(t *testing.T, d database)) {
	t.Run("sqlite", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "accounts.db")
		test(t, database{"sqlite", "file:" + path + sqlitePragmas, sqlstore.DialectSQLite})
	})
	eachServer(t, test)
}

// eachServer runs test with every driver for a database that is a server.
func eachServer(t *testing.T, test func(t *testing.T, d database)) {
	eachPostgres(t, test)
	t.Run("mysql", func(t *testing.T) { test(t, needMySQL(t)) })
}

// eachPostgres runs test with every driver for PostgreSQL.
func eachPostgres(t *testing.T, test func(t *testing.T, d database)) {
	for _, driver := range postgresDrivers {
		t.Run(driver, func(t *testing.T) {
			test(t, database{driver, suits(driver, pgtest.Need(t).Database(t)), sqlstore.DialectPostgres})
		})
	}
}

// needMySQL returns a new database of MariaDB, or of the server that the
// environment names.
func needMySQL(t testing.TB) database {
	t.Helper()
	return database{"mysql", mariadbtest.Need(t).Database(t), sqlstore.DialectMySQL}
}

func load(t testing.TB, s credential.Store, id string) credential.Account {
	t.Helper()
	a, err := s.Load(context.Background(), id)
	require.NoError(t, err)
	return a
}

// save saves a under the next version of a test that asks for none.
func save(s credential.Store, a credential.Account) error {
	a.Next = a.Version + 1
	return s.Save(context.Background(), a)
}
