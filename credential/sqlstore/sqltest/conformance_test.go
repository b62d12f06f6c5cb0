package sqltest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/sqlstore"
	"example.com/devicetotp/credential/storetest"
)

func TestSQLiteKeepsTheContract(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Backend {
		path := filepath.Join(t.TempDir(), "accounts.db")
		host := openSQLite(t, path)
		migrated(t, host, sqlstore.DialectSQLite, sqlstore.Config{})
		return backend(t, host, sqlstore.DialectSQLite, sqlstore.Config{}, func() *sql.DB { return openSQLite(t, path) })
	})
}

var accounts atomic.Int64

// backend tells the suite about a table that exists. Every handle has a
// database handle of its own from open; the host uses db.
func backend(t *testing.T, db *sql.DB, d sqlstore.Dialect, o sqlstore.Config, open func() *sql.DB) storetest.Backend {
	host, err := sqlstore.New(context.Background(), db, d, o)
	require.NoError(t, err)
	prefix := fmt.Sprintf("%s-%d", t.Name(), time.Now().UnixNano()) // the table may be an old one
	account := func(id string) credential.Account {
		return credential.Account{ID: id, RegisteredAt: time.Unix(1767225600, 123456789), PasswordHash: "first", PINHash: "first"}
	}
	return storetest.Backend{
		Open: func() (credential.Store, error) {
			return sqlstore.New(context.Background(), open(), d, o)
		},
		NewAccount: func(ctx context.Context) (string, error) {
			id := fmt.Sprintf("%s-%d", prefix, accounts.Add(1))
			return id, host.Put(ctx, account(id))
		},
		ChangeHash: func(ctx context.Context, id string, f credential.Factor) error {
			a, err := host.Load(ctx, id)
			if err != nil {
				return err
			}
			return host.RotateHash(ctx, id, f, a.Hash(f), a.Hash(f)+"+")
		},
		SetHash: func(ctx context.Context, id string, f credential.Factor, hash string) error {
			a, err := host.Load(ctx, id)
			if err != nil {
				return err
			}
			return host.RotateHash(ctx, id, f, a.Hash(f), hash)
		},
		BeginChange: func(ctx context.Context, id string) (func() error, error) { return beginChange(ctx, db, d, id) },
		Lock:        func(ctx context.Context, id string) error { return host.SetLocked(ctx, id, true) },
		Delete: func(ctx context.Context, id string) error {
			_, err := host.Delete(ctx, id)
			return err
		},
		ChangeRegisteredAt: func(ctx context.Context, id string) error {
			a, err := host.Load(ctx, id)
			if err != nil {
				return err
			}
			a.RegisteredAt = a.RegisteredAt.Add(time.Nanosecond)
			return host.Put(ctx, a)
		},
		NewAccountWithID: func(ctx context.Context, id string) error {
			inserted, err := host.Insert(ctx, account(id))
			if err == nil && !inserted {
				err = errors.New("is there already")
			}
			return err
		},
		PlantState: func(ctx context.Context, id string, state []byte) error {
			_, err := db.ExecContext(ctx, numbered(d, `UPDATE `+sqlstore.DefaultTable+` SET state = $1 WHERE id = $2`), state, id)
			return err
		},
	}
}

// beginChange begins to give the account another password.
func beginChange(ctx context.Context, db *sql.DB, d sqlstore.Dialect, id string) (commit func() error, err error) {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	_, err = tx.ExecContext(ctx, numbered(d, `UPDATE `+sqlstore.DefaultTable+` SET password_hash = 'changed' WHERE id = $1`), id)
	return tx.Commit, err
}

// numbered returns the query with the parameters that the dialect has.
func numbered(d sqlstore.Dialect, query string) string {
	if d == sqlstore.DialectMySQL {
		return strings.NewReplacer("$1", "?", "$2", "?").Replace(query)
	}
	return query
}
