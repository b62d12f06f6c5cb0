package router

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/sqlstore"
	"example.com/devicetotp/credential/sqlstore/sqltest/pgtest"
	"example.com/devicetotp/credential/storetest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// databases are the two that a router is over.
type databases struct {
	driver  string
	dialect sqlstore.Dialect
	dsns    [2]string
}

func onSQLite(t *testing.T) databases {
	d := databases{driver: "sqlite", dialect: sqlstore.DialectSQLite}
	for i := range d.dsns {
		d.dsns[i] = "file:" + filepath.Join(t.TempDir(), "accounts.db") +
			"?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)"
	}
	return d
}

func onPostgres(t *testing.T) databases {
	d := databases{driver: "pgx", dialect: sqlstore.DialectPostgres}
	for i := range d.dsns {
		d.dsns[i] = pgtest.Need(t).Database(t)
	}
	return d
}

// open returns a router with connections of its own.
func (d databases) open(t *testing.T) *Router {
	t.Helper()
	var shards []Shard
	for _, dsn := range d.dsns {
		db, err := sql.Open(d.driver, dsn)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, db.Close()) })
		store, err := sqlstore.New(t.Context(), db, d.dialect, sqlstore.Config{})
		require.NoError(t, err)
		shards = append(shards, Shard{db, store})
	}
	r, err := New(shards...)
	require.NoError(t, err)
	return r
}

// both runs a test on SQLite and on PostgreSQL.
func both(t *testing.T, test func(t *testing.T, d databases)) {
	t.Run("sqlite", func(t *testing.T) { test(t, onSQLite(t)) })
	t.Run("postgres", func(t *testing.T) { test(t, onPostgres(t)) })
}

// other is the shard that is not the account's home.
func (r *Router) other(id string) int { return 1 - r.Home(id) }

// Of the accounts, every second one has moved before anything is asked of it.
func TestRouterKeepsTheContract(t *testing.T) {
	both(t, func(t *testing.T, d databases) {
		host := d.open(t)
		require.NoError(t, host.Migrate(t.Context()))
		made := 0
		storetest.Run(t, func(t *testing.T) storetest.Backend { return backend(t, d, host, &made) })
	})
}

func backend(t *testing.T, d databases, host *Router, made *int) storetest.Backend {
	add := func(ctx context.Context, id string) error {
		inserted, err := host.Insert(ctx, credential.Account{
			ID: id, RegisteredAt: time.Unix(1767225600, 123456789), PasswordHash: "first", PINHash: "first",
		})
		if err == nil && !inserted {
			err = errors.New("is there already")
		}
		if *made++; err == nil && *made%2 == 0 {
			err = host.Move(ctx, id, host.other(id))
		}
		return err
	}
	setHash := func(ctx context.Context, id string, f credential.Factor, to func(string) string) error {
		a, err := host.Load(ctx, id)
		if err != nil {
			return err
		}
		return host.RotateHash(ctx, id, f, a.Hash(f), to(a.Hash(f)))
	}
	onShard := func(ctx context.Context, id, query string, args ...any) error {
		at, err := host.place(ctx, id)
		if err != nil {
			return err
		}
		_, err = host.shards[at].DB.ExecContext(ctx, query, append(args, id)...)
		return err
	}
	return storetest.Backend{
		Open: func() (credential.Store, error) { return d.open(t), nil },
		NewAccount: func(ctx context.Context) (string, error) {
			id := rand.Text()
			return id, add(ctx, id)
		},
		ChangeHash: func(ctx context.Context, id string, f credential.Factor) error {
			return setHash(ctx, id, f, func(from string) string { return from + "+" })
		},
		SetHash: func(ctx context.Context, id string, f credential.Factor, hash string) error {
			return setHash(ctx, id, f, func(string) string { return hash })
		},
		BeginChange: func(ctx context.Context, id string) (func() error, error) {
			at, err := host.place(ctx, id)
			if err != nil {
				return nil, err
			}
			tx, err := host.shards[at].DB.BeginTx(ctx, nil)
			if err != nil {
				return nil, err
			}
			_, err = tx.ExecContext(ctx, `UPDATE devicetotp_accounts SET password_hash = 'changed' WHERE id = $1`, id)
			return tx.Commit, err
		},
		Lock: func(ctx context.Context, id string) error { return host.SetLocked(ctx, id, true) },
		Delete: func(ctx context.Context, id string) error {
			_, err := host.Delete(ctx, id)
			return err
		},
		ChangeRegisteredAt: func(ctx context.Context, id string) error {
			return onShard(ctx, id, `UPDATE devicetotp_accounts SET registered_sec = registered_sec + 1 WHERE id = $1`)
		},
		NewAccountWithID: add,
		PlantState: func(ctx context.Context, id string, state []byte) error {
			return onShard(ctx, id, `UPDATE devicetotp_accounts SET state = $1 WHERE id = $2`, state)
		},
	}
}

func TestAccountsBeginInBothDatabases(t *testing.T) {
	r := onSQLite(t).open(t)
	require.NoError(t, r.Migrate(t.Context()))
	for i := range 20 {
		inserted, err := r.Insert(t.Context(), credential.Account{ID: fmt.Sprint(i)})
		require.NoError(t, err)
		require.True(t, inserted)
	}
	for _, s := range r.shards {
		ids, err := s.Store.IDs(t.Context(), "", 100)
		require.NoError(t, err)
		require.Greater(t, len(ids), 4)
	}
}

func TestNew(t *testing.T) {
	_, err := New()
	require.Error(t, err)
}
