package sqltest

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/sqlstore"
	"example.com/devicetotp/credential/sqlstore/sqltest/mariadbtest"
)

// oneAccount returns a store with the account "a", as it was loaded, under a
// handle that has one connection.
func (d database) oneAccount(t *testing.T) (*sql.DB, *sqlstore.Store, credential.Account) {
	t.Helper()
	db := d.open(t)
	db.SetMaxOpenConns(1)
	store := migrated(t, db, d.dialect, sqlstore.Config{})
	require.NoError(t, store.Put(t.Context(), credential.Account{ID: "a"}))
	a := load(t, store, "a")
	a.Next = 7
	return db, store, a
}

// A trigger that refuses the statement stands in for the deadlock that one
// statement on one row does not get into by itself. The error is the driver's.
func TestMySQLDeadlockAsksToTryAgain(t *testing.T) {
	d := needMySQL(t)
	db, store, a := d.oneAccount(t)
	first := connectionID(t, db)
	_, err := db.Exec(`CREATE TRIGGER refuses BEFORE UPDATE ON devicetotp_accounts FOR EACH ROW ` +
		`SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213, MESSAGE_TEXT = 'Deadlock found'`)
	require.NoError(t, err)
	err = store.Save(t.Context(), a)
	requireNumber(t, 1213, err)
	require.ErrorIs(t, err, credential.ErrSerialization)
	require.NotErrorIs(t, err, credential.ErrConflict)
	_, err = db.Exec(`DROP TRIGGER refuses`)
	require.NoError(t, err)
	require.NoError(t, store.Save(t.Context(), a))
	require.Equal(t, first, connectionID(t, db), "the connection is as good as before")
}

// A wait for a row that the server ends has rolled the statement back.
func TestMySQLLockWaitTimeoutAsksToTryAgain(t *testing.T) {
	d := needMySQL(t)
	d.dsn = mariadbtest.With(d.dsn, "innodb_lock_wait_timeout", "1")
	_, store, a := d.oneAccount(t)
	tx, err := d.open(t).Begin()
	require.NoError(t, err)
	defer func() { _ = tx.Rollback() }()
	_, err = tx.Exec(`SELECT 1 FROM devicetotp_accounts FOR UPDATE`)
	require.NoError(t, err)

	err = store.Save(t.Context(), a)
	requireNumber(t, 1205, err)
	require.ErrorIs(t, err, credential.ErrSerialization)
	require.NotErrorIs(t, err, credential.ErrConflict)
	require.NoError(t, tx.Rollback())
	require.Zero(t, load(t, store, "a").Version)
	require.NoError(t, store.Save(t.Context(), a))
}

// A connection can turn read-only, or lead to what is a replica or a node without
// quorum. It must not stay in the pool.
func TestMySQLConnectionThatCannotWriteIsNotUsedAgain(t *testing.T) {
	d := needMySQL(t)
	db, store, a := d.oneAccount(t)
	first := connectionID(t, db)
	_, err := db.Exec(`SET SESSION TRANSACTION READ ONLY`)
	require.NoError(t, err)
	err = store.Save(t.Context(), a)
	requireNumber(t, 1792, err)
	require.NotErrorIs(t, err, driver.ErrBadConn, "the caller is told what the server said")
	require.NotErrorIs(t, err, credential.ErrSerialization)
	require.NoError(t, store.Save(t.Context(), a), "another connection is used")
	require.NotEqual(t, first, connectionID(t, db))
}

// A node without quorum refuses to read too, and its connections stay open.
func TestMySQLConnectionToANodeWithoutQuorumIsNotUsedAgain(t *testing.T) {
	d := needMySQL(t)
	db, spy := openSpy(t, d.driver, d.dsn)
	db.SetMaxOpenConns(1)
	store := migrated(t, db, d.dialect, sqlstore.Config{})
	require.NoError(t, store.Put(t.Context(), credential.Account{ID: "a"}))
	a := load(t, store, "a")
	a.Next = 7
	for name, do := range map[string]func() error{
		"load": func() error { _, err := store.Load(t.Context(), "a"); return err },
		"save": func() error { return store.Save(t.Context(), a) },
	} {
		spy.hooks(once(&mysql.MySQLError{Number: 1047, Message: "WSREP has not yet prepared node for application use"}), nil)
		requireNumber(t, 1047, do())
		require.Zero(t, db.Stats().OpenConnections, name)
		require.NoError(t, do(), "another connection is used")
	}
}

// Only an id that is there is no error: a plain INSERT is not told to ignore any.
func TestMySQLInsertReportsEveryOtherError(t *testing.T) {
	db, store, _ := needMySQL(t).oneAccount(t)
	_, err := db.Exec(`CREATE TRIGGER refuses BEFORE INSERT ON devicetotp_accounts FOR EACH ROW ` +
		`SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'not today'`)
	require.NoError(t, err)
	inserted, err := store.Insert(context.Background(), credential.Account{ID: "b"})
	require.ErrorContains(t, err, "not today")
	require.False(t, inserted)
}

func requireNumber(t *testing.T, want uint16, err error) {
	t.Helper()
	var answer *mysql.MySQLError
	require.ErrorAs(t, err, &answer)
	require.Equal(t, want, answer.Number)
}

// connectionID returns the server's number of the only connection.
func connectionID(t *testing.T, db *sql.DB) (id int64) {
	t.Helper()
	require.NoError(t, db.QueryRowContext(t.Context(), `SELECT CONNECTION_ID()`).Scan(&id))
	return id
}
