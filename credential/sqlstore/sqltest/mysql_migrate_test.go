package sqltest

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/sqlstore"
)

// CREATE TABLE IF NOT EXISTS takes every table of that name for the right one.
func TestMySQLTableThatWouldLoseSomethingIsRefused(t *testing.T) {
	d := needMySQL(t)
	db := d.open(t)
	ctx := context.Background()
	store, err := sqlstore.New(ctx, db, d.dialect, sqlstore.Config{})
	require.NoError(t, err)
	right := store.Migrations()[0].SQL
	for _, c := range []struct{ of, by, want string }{
		{"MEDIUMBLOB", "BLOB", `column state is "blob" of 65535 bytes, must be mediumblob`},
		{"VARBINARY(1024)", "VARCHAR(255)", `column id is "varchar"`},
		{"password_hash  VARBINARY(4096)", "password_hash VARBINARY(60)", `column password_hash is "varbinary" of 60 bytes, must be varbinary of 4096`},
		{"pin_hash       VARBINARY(4096)", "pin_hash TEXT", `column pin_hash is "text"`},
		{"version        BIGINT", "version INTEGER", `column version is "int"`},
		{"NOT NULL PRIMARY KEY", "NOT NULL", `column id is not the primary key`},
		{"InnoDB", "MyISAM", `the engine is MyISAM, must be InnoDB`},
		{"    version ", "    other ", `column version is "" of 0 bytes, must be bigint`},
	} {
		t.Run(c.by, func(t *testing.T) {
			wrong := strings.ReplaceAll(strings.Replace(right, c.of, c.by, 1), "CHECK (version >= 0)", "")
			if c.by == "MyISAM" { // its keys are shorter
				wrong = strings.Replace(wrong, "VARBINARY(1024)", "VARBINARY(900)", 1)
			}
			require.NotEqual(t, right, wrong)
			_, err := db.Exec(wrong)
			require.NoError(t, err)
			for range 2 {
				err = store.Migrate(ctx)
				require.ErrorContains(t, err, "sqlstore: migrate: step 1 (accounts): table `devicetotp_accounts` already exists and is another one: ")
				require.ErrorContains(t, err, c.want)
			}
			_, err = db.Exec(`DROP TABLE devicetotp_accounts`)
			require.NoError(t, err)
		})
	}
	require.NoError(t, store.Migrate(ctx))
	require.NoError(t, store.Put(ctx, credential.Account{ID: "a"}))
	_, err = db.Exec(`ALTER TABLE devicetotp_accounts MODIFY state BLOB NOT NULL`)
	require.NoError(t, err)
	require.ErrorContains(t, store.Migrate(ctx), "column state", "what somebody changed later is seen too")
}

// Every CREATE TABLE commits, so a process can end between any two statements.
func TestMySQLMigrationsThatWereInterruptedAreDoneAgain(t *testing.T) {
	ctx := context.Background()
	d := needMySQL(t)
	db, spy := openSpy(t, d.driver, d.dsn)
	store, err := sqlstore.New(ctx, db, d.dialect, sqlstore.Config{})
	require.NoError(t, err)
	spy.take()
	require.NoError(t, store.Migrate(ctx))
	statements := len(spy.take())
	require.Greater(t, statements, 3)
	for last := 1; last < statements; last++ {
		for _, table := range []string{"devicetotp_accounts", "devicetotp_accounts_migrations"} {
			_, err = db.Exec(`DROP TABLE IF EXISTS ` + table)
			require.NoError(t, err)
		}
		left := last
		spy.hooks(func(call) error {
			if left--; left < 0 {
				return errConnectionLost
			}
			return nil
		}, nil)
		require.ErrorIs(t, store.Migrate(ctx), errConnectionLost, last)
		spy.hooks(nil, nil)
		require.NoError(t, store.Migrate(ctx), last)
		require.NoError(t, store.Put(ctx, credential.Account{ID: "a"}))
		require.NoError(t, save(store, load(t, store, "a")))
	}
}
