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

// openPostgres returns a handle on the database that dsn names.
func openPostgres(t testing.TB, driver, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open(driver, dsn)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

func TestPostgresKeepsTheContract(t *testing.T) {
	for _, driver := range postgresDrivers {
		t.Run(driver, func(t *testing.T) {
			dsn := pgtest.Need(t).Database(t)
			migrated(t, openPostgres(t, driver, dsn), sqlstore.Postgres, sqlstore.Options{})
			storetest.Run(t, func(t *testing.T) storetest.Backend {
				open := func() *sql.DB { return openPostgres(t, driver, dsn) }
				return backend(t, open(), sqlstore.Postgres, sqlstore.Options{}, open)
			})
		})
	}
}

// Under SERIALIZABLE a lost race is SQLSTATE 40001 instead of an update of no
// row.
func TestPostgresKeepsTheContractUnderStricterIsolation(t *testing.T) {
	for _, driver := range postgresDrivers {
		t.Run(driver, func(t *testing.T) {
			dsn := pgtest.With(pgtest.Need(t).Database(t), "default_transaction_isolation", "serializable")
			migrated(t, openPostgres(t, driver, dsn), sqlstore.Postgres, sqlstore.Options{})
			storetest.Run(t, func(t *testing.T) storetest.Backend {
				open := func() *sql.DB { return openPostgres(t, driver, dsn) }
				return backend(t, open(), sqlstore.Postgres, sqlstore.Options{}, open)
			})
		})
	}
}
