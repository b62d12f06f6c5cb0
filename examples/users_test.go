package examples_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"os"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/sqlstore/sqltest/pgtest"
	"example.com/devicetotp/credential/storetest"
	"example.com/devicetotp/examples"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

const table = `CREATE TABLE users (
	id text PRIMARY KEY,
	registered_at timestamptz,
	password_hash text NOT NULL DEFAULT '',
	pin_hash text NOT NULL DEFAULT '',
	locked boolean NOT NULL DEFAULT false,
	totp_state bytea NOT NULL DEFAULT '',
	totp_version bigint NOT NULL DEFAULT 0)`

// A store of one's own is right if it passes this.
func TestUsersKeepsTheContract(t *testing.T) {
	dsn := pgtest.Need(t).Database(t)
	open := func(t *testing.T) *sql.DB {
		t.Helper()
		db, err := sql.Open("pgx", dsn)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, db.Close()) })
		return db
	}
	_, err := open(t).ExecContext(t.Context(), table)
	require.NoError(t, err)

	storetest.Run(t, func(t *testing.T) storetest.Backend {
		db := open(t)
		exec := func(ctx context.Context, query string, args ...any) error {
			_, err := db.ExecContext(ctx, query, args...)
			return err
		}
		return storetest.Backend{
			Open: func() (credential.Store, error) { return examples.Users{DB: open(t)}, nil },
			NewAccount: func(ctx context.Context) (string, error) {
				id := rand.Text()
				return id, exec(ctx, `INSERT INTO users (id, password_hash, registered_at) VALUES ($1, 'hash', now())`, id)
			},
			ChangeHash: func(ctx context.Context, id string, f credential.Factor) error {
				return exec(ctx, fmt.Sprintf(`UPDATE users SET %s_hash = $1 WHERE id = $2`, f), rand.Text(), id)
			},
			Lock: func(ctx context.Context, id string) error {
				return exec(ctx, `UPDATE users SET locked = true WHERE id = $1`, id)
			},
			Delete: func(ctx context.Context, id string) error { return exec(ctx, `DELETE FROM users WHERE id = $1`, id) },
			ChangeRegisteredAt: func(ctx context.Context, id string) error {
				return exec(ctx, `UPDATE users SET registered_at = registered_at - interval '1 day' WHERE id = $1`, id)
			},
			PlantState: func(ctx context.Context, id string, state []byte) error {
				return exec(ctx, `UPDATE users SET totp_state = $1 WHERE id = $2`, state, id)
			},
		}
	})
}
