package payments

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/storetest"
)

func TestStoreKeepsTheContract(t *testing.T) {
	dsn := newDatabase(t)
	storetest.Run(t, func(t *testing.T) storetest.Backend {
		db := opened(t, dsn)
		exec := func(ctx context.Context, query string, args ...any) error {
			_, err := db.ExecContext(ctx, query, args...)
			return err
		}
		setHash := func(ctx context.Context, id string, f credential.Factor, hash string) error {
			if f != credential.FactorPassword {
				return fmt.Errorf("no PINs: %w", errors.ErrUnsupported)
			}
			return exec(ctx, `UPDATE users SET password_hash = $2 WHERE id = $1`, id, hash)
		}
		return storetest.Backend{
			Open: func() (credential.Store, error) { return &Store{opened(t, dsn)}, nil },
			NewAccount: func(ctx context.Context) (id string, err error) {
				err = db.QueryRowContext(ctx, `INSERT INTO users (email, password_hash, created_at) VALUES ($1, 'hash', now()) RETURNING id`, rand.Text()).Scan(&id)
				return id, err
			},
			ChangeHash: func(ctx context.Context, id string, f credential.Factor) error {
				return setHash(ctx, id, f, rand.Text())
			},
			SetHash: setHash,
			BeginChange: func(ctx context.Context, id string) (func() error, error) {
				tx, err := db.BeginTx(ctx, nil)
				if err != nil {
					return nil, err
				}
				_, err = tx.ExecContext(ctx, `UPDATE users SET password_hash = 'changed' WHERE id = $1`, id)
				return tx.Commit, err
			},
			Lock: func(ctx context.Context, id string) error {
				return exec(ctx, `UPDATE users SET locked = true WHERE id = $1`, id)
			},
			Delete: func(ctx context.Context, id string) error { return exec(ctx, `DELETE FROM users WHERE id = $1`, id) },
			ChangeRegisteredAt: func(ctx context.Context, id string) error {
				return exec(ctx, `UPDATE users SET created_at = created_at + interval '1 microsecond' WHERE id = $1`, id)
			},
			PlantState: func(ctx context.Context, id string, state []byte) error {
				return exec(ctx, `UPDATE device_totp_states SET state = $2 WHERE user_id = $1`, id, state)
			},
		}
	})
}

// A hash is replaced if it is still the one that was read.
func TestRotateHashComparesAndSets(t *testing.T) {
	w := newWorld(t)
	id, _ := w.user(0)
	store := &Store{w.db}
	a, err := store.Load(t.Context(), id)
	require.NoError(t, err)
	require.NoError(t, store.RotateHash(t.Context(), id, credential.FactorPassword, a.PasswordHash, "new"))
	for _, c := range []struct {
		id string
		f  credential.Factor
	}{{id, credential.FactorPassword}, {id, credential.FactorPIN}, {"nobody", credential.FactorPassword}} {
		require.ErrorIs(t, store.RotateHash(t.Context(), c.id, c.f, a.PasswordHash, "newer"), credential.ErrConflict)
	}
	a, err = store.Load(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, "new", a.PasswordHash)
}
