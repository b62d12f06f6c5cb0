package sqltest

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential/sqlstore"
	"example.com/devicetotp/credential/sqlstore/sqltest/mariadbtest"
)

// newMySQL returns the error of New for a DSN.
func newMySQL(t testing.TB, dsn string) error {
	t.Helper()
	_, err := sqlstore.New(context.Background(), database{"mysql", dsn, sqlstore.DialectMySQL}.open(t), sqlstore.DialectMySQL, sqlstore.Config{})
	return err
}

func TestMySQLSettingsOfTheSessionAreChecked(t *testing.T) {
	dsn := needMySQL(t).dsn
	require.NoError(t, newMySQL(t, dsn))
	for _, c := range []struct{ key, value, want string }{
		{"sql_mode", "'STRICT_TRANS_TABLES'", ""},
		{"sql_mode", "'ANSI_QUOTES,STRICT_ALL_TABLES'", ""},
		{"sql_mode", "''", `sql_mode is "", must contain STRICT_TRANS_TABLES`},
		{"sql_mode", "'NO_ENGINE_SUBSTITUTION'", `sql_mode is "NO_ENGINE_SUBSTITUTION", must contain STRICT_TRANS_TABLES`},
		{"autocommit", "0", `autocommit is "OFF", must be ON`},
	} {
		err := newMySQL(t, mariadbtest.With(dsn, c.key, c.value))
		if c.want == "" {
			require.NoError(t, err, c.value)
			continue
		}
		require.ErrorContains(t, err, "sqlstore: mysql: "+c.want)
		require.ErrorContains(t, err, "in the DSN")
	}
	err := newMySQL(t, mariadbtest.With(mariadbtest.With(dsn, "sql_mode", "''"), "autocommit", "0"))
	require.ErrorContains(t, err, "sql_mode is")
	require.ErrorContains(t, err, "autocommit is", "all faults are named at once")
}

func TestMySQLSettingsOfTheServerAreChecked(t *testing.T) {
	dsn := mariadbtest.NeedOwn(t).Database(t)
	db := database{"mysql", dsn, sqlstore.DialectMySQL}.open(t)
	for _, c := range []struct{ name, wrong, right, want string }{
		{"read_only", "1", "0", `read_only is "ON", must be OFF: accounts must be read from the primary`},
		{"innodb_flush_log_at_trx_commit", "0", "1", `innodb_flush_log_at_trx_commit is "0", must be 1`},
		{"innodb_flush_log_at_trx_commit", "2", "1", `innodb_flush_log_at_trx_commit is "2", must be 1`},
		{"sync_binlog", "0", "1", `sync_binlog is "0", must be 1 while log_bin is ON`},
		{"sync_binlog", "100", "1", `sync_binlog is "100", must be 1 while log_bin is ON`},
	} {
		_, err := db.Exec(`SET GLOBAL ` + c.name + ` = ` + c.wrong)
		require.NoError(t, err)
		got := newMySQL(t, dsn)
		_, err = db.Exec(`SET GLOBAL ` + c.name + ` = ` + c.right)
		require.NoError(t, err)
		require.ErrorContains(t, got, c.want)
		require.NoError(t, newMySQL(t, dsn))
	}
}

func TestMySQLSettingsOfOneConnectionAreNotEnough(t *testing.T) {
	ctx := context.Background()
	d := needMySQL(t)
	d.dsn = mariadbtest.With(d.dsn, "sql_mode", "''")
	for _, connections := range []int{0, 1} { // 0: no limit
		db := d.open(t)
		db.SetMaxOpenConns(connections)
		_, err := db.ExecContext(ctx, `SET SESSION sql_mode = 'STRICT_TRANS_TABLES'`)
		require.NoError(t, err)
		_, err = sqlstore.New(ctx, db, d.dialect, sqlstore.Config{})
		if connections == 1 {
			require.NoError(t, err, "there is no other connection")
		} else {
			require.ErrorContains(t, err, `sql_mode is ""`)
		}
	}
}

// A server that does not have a setting has not said that it is right.
func TestMySQLThatDoesNotAnswerIsRefused(t *testing.T) {
	require.ErrorContains(t, newMySQL(t, "nobody@unix("+t.TempDir()+"/none)/"), "sqlstore: mysql: cannot read the settings")
	d := needMySQL(t)
	db, spy := openSpy(t, d.driver, d.dsn)
	spy.hooks(func(call) error { return errConnectionLost }, nil)
	_, err := sqlstore.New(context.Background(), db, d.dialect, sqlstore.Config{})
	require.ErrorIs(t, err, errConnectionLost)
}
