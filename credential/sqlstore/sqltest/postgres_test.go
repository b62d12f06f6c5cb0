package sqltest

import (
	"database/sql"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"
	_ "github.com/lib/pq"
	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential/sqlstore"
	"example.com/devicetotp/credential/sqlstore/sqltest/pgtest"
	"example.com/devicetotp/credential/storetest"
)

// postgresDrivers are the names under which the drivers are known to
// database/sql.
var postgresDrivers = []string{"pgx", "postgres"}

// suits returns the DSN for the driver: lib/pq's default is refused.
func suits(driver, dsn string) string {
	if driver == "postgres" {
		return pgtest.With(dsn, "binary_parameters", "yes")
	}
	return dsn
}

// openPostgres returns a handle on the database that dsn names.
func openPostgres(t testing.TB, driver, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open(driver, dsn)
	require.NoError(t, err)
	closeAtEnd(t, db)
	return db
}

func TestPostgresKeepsTheContract(t *testing.T) {
	for _, driver := range postgresDrivers {
		t.Run(driver, func(t *testing.T) { keepsTheContract(t, driver, "", "") })
	}
}

// keepsTheContract runs the suite on a new database, with one parameter of the
// connection set.
func keepsTheContract(t *testing.T, driver, key, value string) {
	dsn := pgtest.Need(t).Database(t)
	if key != "" {
		dsn = pgtest.With(dsn, key, value)
	}
	dsn = suits(driver, dsn)
	migrated(t, openPostgres(t, driver, dsn), sqlstore.DialectPostgres, sqlstore.Config{})
	storetest.Run(t, func(t *testing.T) storetest.Backend {
		open := func() *sql.DB { return openPostgres(t, driver, dsn) }
		return backend(t, open(), sqlstore.DialectPostgres, sqlstore.Config{}, open)
	})
}

// Under SERIALIZABLE a lost race can be SQLSTATE 40001 instead of an update of
// no row, and Load can fail with it too.
func TestPostgresKeepsTheContractUnderStricterIsolation(t *testing.T) {
	for _, driver := range postgresDrivers {
		t.Run(driver, func(t *testing.T) {
			keepsTheContract(t, driver, "default_transaction_isolation", "serializable")
		})
	}
}

// The ways to send a statement that a connection pooler may ask for.
func TestPostgresKeepsTheContractWithoutPreparedStatements(t *testing.T) {
	if testing.Short() {
		pgtest.Skip(t, "runs the suite twice more")
	}
	for _, c := range []struct{ driver, key, value string }{
		{"pgx", "default_query_exec_mode", "exec"},
		{"pgx", "default_query_exec_mode", "simple_protocol"},
	} {
		t.Run(c.driver+" "+c.value, func(t *testing.T) { keepsTheContract(t, c.driver, c.key, c.value) })
	}
}
