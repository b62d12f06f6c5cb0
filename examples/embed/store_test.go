package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/sqlstore/sqltest/pgtest"
	"example.com/devicetotp/credential/storetest"
)

//go:embed users_postgres.sql
var usersPostgres string

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// A service is one database, and how the service reaches it.
type service struct {
	open func() *sql.DB
	use  func(*sql.DB) *Store
}

func onSQLite(t *testing.T) service {
	t.Helper()
	path := filepath.Join(t.TempDir(), "users.db")
	db, err := openSQLite(t.Context(), path)
	require.NoError(t, err)
	require.NoError(t, db.Close())
	return service{func() *sql.DB { return opened(t, "sqlite", sqliteDSN(path)) }, NewSQLiteStore}
}

// onPostgres takes settings of the session, as pairs of name and value.
func onPostgres(t *testing.T, settings ...string) service {
	t.Helper()
	dsn := pgtest.Need(t).Database(t)
	for i := 0; i < len(settings); i += 2 {
		dsn = pgtest.With(dsn, settings[i], settings[i+1])
	}
	_, err := opened(t, "pgx", dsn).ExecContext(t.Context(), usersPostgres+add)
	require.NoError(t, err)
	return service{func() *sql.DB { return opened(t, "pgx", dsn) }, NewPostgresStore}
}

func opened(t *testing.T, driver, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open(driver, dsn)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

func onBoth(t *testing.T, test func(t *testing.T, s service)) {
	t.Run("SQLite", func(t *testing.T) { test(t, onSQLite(t)) })
	t.Run("PostgreSQL", func(t *testing.T) { test(t, onPostgres(t)) })
}

// A store of one's own is right if it passes this.
func TestStoreKeepsTheContract(t *testing.T) {
	onBoth(t, keepsTheContract)
	t.Run("PostgreSQL, serializable", func(t *testing.T) {
		keepsTheContract(t, onPostgres(t, "default_transaction_isolation", "serializable"))
	})
}

func keepsTheContract(t *testing.T, s service) {
	storetest.Run(t, func(t *testing.T) storetest.Backend { return backend(s.open(), s) })
}

// Rows that Go has not written, each in one of the forms that a time has as text.
func TestStoreKeepsTheContractOnRowsOfPlainSQL(t *testing.T) {
	times := []string{
		"CURRENT_TIMESTAMP", "'2026-01-02T03:04:05Z'", "'2026-01-02T03:04:05.678+05:30'",
		"'2026-01-02 03:04:05+00'", "'2026-01-02 03:04:05.123456+00'", "'2026-01-02 03:04:05'",
	}
	s := onSQLite(t)
	rows := 0
	storetest.Run(t, func(t *testing.T) storetest.Backend {
		db := s.open()
		b := backend(db, s)
		b.NewAccount = func(ctx context.Context) (id string, err error) {
			rows++
			err = db.QueryRowContext(ctx, `INSERT INTO users (email, password_hash, created_at) VALUES ($1, 'hash', `+
				times[rows%len(times)]+`) RETURNING id`, rand.Text()).Scan(&id)
			return id, err
		}
		return b
	})
}

// What Load returns is the instant, in whole seconds, and a row from which none can
// be read fails rather than opens the grace window.
func TestCreatedAtIsRead(t *testing.T) {
	want := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	onBoth(t, func(t *testing.T, s service) {
		db := s.open()
		store := s.use(db)
		insert := func(created any) (id string) {
			require.NoError(t, db.QueryRowContext(t.Context(), `INSERT INTO users (email, password_hash, created_at) VALUES ($1, 'hash', $2) RETURNING id`,
				rand.Text(), created).Scan(&id))
			return id
		}
		for _, created := range []any{
			want, want.Add(987654321), "2026-01-02T03:04:05Z", "2026-01-02T05:04:05+02:00", "2026-01-02 03:04:05+00", "2026-01-02 03:04:05.999999+00",
		} {
			a, err := store.Load(t.Context(), insert(created))
			require.NoError(t, err)
			require.True(t, want.Equal(a.RegisteredAt), "%v is read as %v", created, a.RegisteredAt)
		}
	})
	s := onSQLite(t)
	db := s.open()
	_, err := db.ExecContext(t.Context(), `INSERT INTO users (id, email, password_hash, created_at) VALUES (7, 'a', 'hash', 'long ago')`)
	require.NoError(t, err)
	_, err = s.use(db).Load(t.Context(), "7")
	require.ErrorContains(t, err, `users: load "7"`)
}

// backend tells the suite how this service makes and changes its users.
func backend(db *sql.DB, s service) storetest.Backend {
	users := Users{db}
	change := func(query string, value any) func(context.Context, string) error {
		return func(ctx context.Context, id string) error { return users.exec(ctx, query, id, value) }
	}
	return storetest.Backend{
		Open: func() (credential.Store, error) { return s.use(s.open()), nil },
		NewAccount: func(ctx context.Context) (string, error) {
			var id int64
			err := db.QueryRowContext(ctx, `INSERT INTO users (email, password_hash, created_at) VALUES ($1, 'hash', $2) RETURNING id`,
				rand.Text(), time.Now().UTC()).Scan(&id)
			return fmt.Sprint(id), err
		},
		ChangeHash: func(ctx context.Context, id string, f credential.Factor) error {
			if f == credential.FactorPIN {
				return change(`UPDATE users SET pin_hash = $2 WHERE id = $1`, rand.Text())(ctx, id)
			}
			return change(`UPDATE users SET password_hash = $2 WHERE id = $1`, rand.Text())(ctx, id)
		},
		SetHash: func(ctx context.Context, id string, f credential.Factor, hash string) error {
			if f == credential.FactorPIN {
				return change(`UPDATE users SET pin_hash = $2 WHERE id = $1`, hash)(ctx, id)
			}
			return change(`UPDATE users SET password_hash = $2 WHERE id = $1`, hash)(ctx, id)
		},
		BeginChange: func(ctx context.Context, id string) (func() error, error) {
			tx, err := db.BeginTx(ctx, nil)
			if err != nil {
				return nil, err
			}
			_, err = tx.ExecContext(ctx, `UPDATE users SET password_hash = 'changed' WHERE id = $1`, id)
			return tx.Commit, err
		},
		Lock:               users.Lock,
		Delete:             users.Delete,
		ChangeRegisteredAt: change(`UPDATE users SET created_at = $2 WHERE id = $1`, time.Now().UTC().Add(-time.Hour)),
		PlantState: func(ctx context.Context, id string, state []byte) error {
			return change(`UPDATE device_totp_states SET state = $2 WHERE user_id = $1`, state)(ctx, id)
		},
	}
}

// A change that the service commits while a Save is under way counts: that is
// what the lock on the user is for.
func TestSaveSeesWhatIsBeingCommitted(t *testing.T) {
	s := onPostgres(t)
	db := s.open()
	store, users := s.use(db), Users{db}
	for name, statement := range map[string]string{
		"hash":   `UPDATE users SET password_hash = 'new' WHERE id = $1`,
		"lock":   `UPDATE users SET locked = true WHERE id = $1`,
		"delete": `DELETE FROM users WHERE id = $1`,
	} {
		for saves := range 2 {
			t.Run(fmt.Sprintf("%s after %d saves", name, saves), func(t *testing.T) {
				id, err := users.Register(t.Context(), rand.Text(), "password", "", time.Now())
				require.NoError(t, err)
				for range saves {
					a, err := store.Load(t.Context(), id)
					require.NoError(t, err)
					a.Next = 7
					require.NoError(t, store.Save(t.Context(), a))
				}
				a, err := store.Load(t.Context(), id)
				require.NoError(t, err)
				a.Next = 8

				tx, err := db.BeginTx(t.Context(), nil)
				require.NoError(t, err)
				_, err = tx.ExecContext(t.Context(), statement, id)
				require.NoError(t, err)
				saved := make(chan error, 1)
				go func() { saved <- store.Save(t.Context(), a) }()
				waitForLock(t, db)
				require.NoError(t, tx.Commit())
				require.ErrorIs(t, <-saved, credential.ErrConflict)
			})
		}
	}
}

// waitForLock returns when a statement in this database waits for another.
func waitForLock(t *testing.T, db *sql.DB) {
	t.Helper()
	require.Eventually(t, func() bool {
		var waiting int
		err := db.QueryRowContext(t.Context(),
			`SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`).Scan(&waiting)
		return err == nil && waiting > 0
	}, time.Minute, time.Millisecond, "the Save does not wait for the change")
}

func TestTheDevicesGoWithTheUser(t *testing.T) {
	onBoth(t, func(t *testing.T, s service) {
		db := s.open()
		store, users := s.use(db), Users{db}
		id, err := users.Register(t.Context(), "a@example.com", "password", "8299", time.Now())
		require.NoError(t, err)
		a, err := store.Load(t.Context(), id)
		require.NoError(t, err)
		a.Next = 7
		require.NoError(t, store.Save(t.Context(), a))
		states := func() (n int) {
			require.NoError(t, db.QueryRowContext(t.Context(), `SELECT count(*) FROM device_totp_states`).Scan(&n))
			return n
		}
		require.Equal(t, 1, states())
		require.NoError(t, users.Delete(t.Context(), id))
		require.Zero(t, states())

		next, err := users.Register(t.Context(), "b@example.com", "password", "", time.Now())
		require.NoError(t, err)
		require.NotEqual(t, id, next, "an id is never given out twice")
	})
}

func TestErrorsReachTheCaller(t *testing.T) {
	s := onSQLite(t)
	db := s.open()
	store := s.use(db)
	_, err := db.ExecContext(t.Context(), `DROP TABLE device_totp_states`)
	require.NoError(t, err)
	_, err = store.Load(t.Context(), "1")
	require.ErrorContains(t, err, "no such table")
	err = store.Save(t.Context(), credential.Account{ID: "1", Next: 7})
	require.ErrorContains(t, err, "no such table")
	require.False(t, errors.Is(err, credential.ErrConflict))
}

// What the database undoes because of another transaction is no change of the
// user, and asks to try again.
func TestWhatTheDatabaseUndoesAsksToTryAgain(t *testing.T) {
	for _, state := range []string{"40001", "40P01"} {
		require.True(t, isUndone(fmt.Errorf("wrapped: %w", sqlStateError(state))))
	}
	require.False(t, isUndone(sqlStateError("57014")), "cancelled")
	require.False(t, isUndone(nil))
}

type sqlStateError string

func (e sqlStateError) Error() string    { return string(e) }
func (e sqlStateError) SQLState() string { return string(e) }
