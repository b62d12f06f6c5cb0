package sqltest

import (
	"errors"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/sqlstore"
	"example.com/devicetotp/credential/sqlstore/sqltest/pgtest"
)

// Under SERIALIZABLE the database can refuse a Load: here it would see what a first
// transaction has written, and not what a second one has, which read before the
// first and can no longer be the one that is undone.
func TestALoadThatTheDatabaseRefusesToSerialize(t *testing.T) {
	eachPostgres(t, func(t *testing.T, d database) {
		ctx := t.Context()
		d.dsn = pgtest.With(d.dsn, "default_transaction_isolation", "serializable")
		db := d.open(t)
		var prepared int
		require.NoError(t, db.QueryRow(`SELECT current_setting('max_prepared_transactions')::integer`).Scan(&prepared))
		if prepared == 0 {
			require.NotEqual(t, "true", os.Getenv("CI"), "the server prepares no transactions")
			t.Skip("the server of the environment prepares no transactions")
		}
		store := migrated(t, db, d.dialect, sqlstore.Config{})
		for _, id := range []string{"x", "y"} {
			require.NoError(t, store.Put(ctx, credential.Account{ID: id}))
		}
		second, err := db.Conn(ctx)
		require.NoError(t, err)
		defer second.Close()
		run := func(statement string) {
			_, err := second.ExecContext(ctx, statement)
			require.NoError(t, err, statement)
		}
		run(`BEGIN`)
		run(`SELECT locked FROM devicetotp_accounts WHERE id = 'y'`)
		require.NoError(t, store.SetLocked(ctx, "y", true)) // the first
		run(`UPDATE devicetotp_accounts SET locked = true WHERE id = 'x'`)
		run(`PREPARE TRANSACTION 'second'`)

		_, err = store.Load(ctx, "x")
		_, undone := second.ExecContext(ctx, `ROLLBACK PREPARED 'second'`)
		require.NoError(t, undone)
		require.Equal(t, "40001", sqlState(err), "%v", err)
		require.ErrorIs(t, err, credential.ErrSerialization)
		require.False(t, errors.Is(err, credential.ErrConflict))
		require.False(t, load(t, store, "x").Locked, "and then it loads")
	})
}
