package sqltest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/internal/hosttest"
	"example.com/devicetotp/credential/sqlstore"
	"example.com/devicetotp/credential/sqlstore/sqltest/pgbouncertest"
	"example.com/devicetotp/credential/sqlstore/sqltest/pgtest"
	"example.com/devicetotp/credential/storetest"
)

// The ways to send a statement that a pooler in transaction mode takes, as
// parameters of the DSN.
var poolerModes = []struct{ driver, key, value string }{
	{"pgx", "default_query_exec_mode", "exec"},
	{"pgx", "default_query_exec_mode", "cache_describe"},
	{"pgx", "default_query_exec_mode", "simple_protocol"},
	{"postgres", "binary_parameters", "yes"},
}

func eachPoolerMode(t *testing.T, test func(t *testing.T, d database)) {
	server := pgtest.Need(t)
	for _, m := range poolerModes {
		t.Run(m.driver+" "+m.value, func(t *testing.T) {
			// One for each mode, because PgBouncer 1.18 can end after a query was cancelled.
			pooler := pgbouncertest.Need(t, server)
			dsn := pgtest.With(pooler.DSN(server.Database(t)), m.key, m.value)
			test(t, database{m.driver, dsn, sqlstore.DialectPostgres})
		})
	}
}

func TestEnginePgBouncer(t *testing.T) {
	eachPoolerMode(t, func(t *testing.T, d database) {
		migrated(t, d.open(t), d.dialect, sqlstore.Config{})
		storetest.Run(t, func(t *testing.T) storetest.Backend {
			open := func() *sql.DB { return d.open(t) }
			return backend(t, open(), d.dialect, sqlstore.Config{}, open)
		})
	})
}

func TestHostSideBehindAPooler(t *testing.T) {
	eachPoolerMode(t, func(t *testing.T, d database) {
		hosttest.Run(t, func(t *testing.T) hosttest.Store { return d.emptied(t) })
	})
}

// Many clients on few connections of the server: each must get its own account,
// and what is only loaded must stay. This is where the halves of a statement, sent
// apart, would meet those of another.
func TestBehindAPoolerEachStatementIsOnesOwn(t *testing.T) {
	const clients, each = 16, 40
	eachPoolerMode(t, func(t *testing.T, d database) {
		store := migrated(t, d.open(t), d.dialect, sqlstore.Config{})
		ctx := t.Context()
		errs := make([]error, clients)
		var wg sync.WaitGroup
		for i := range clients {
			wg.Go(func() { errs[i] = mixed(ctx, store, fmt.Sprint(i), each) })
		}
		wg.Wait()
		require.NoError(t, errors.Join(errs...))
	})
}

// mixed keeps one account and makes and deletes others.
func mixed(ctx context.Context, store *sqlstore.Store, name string, times int) error {
	kept := credential.Account{ID: "kept " + name, PasswordHash: name}
	if err := store.Put(ctx, kept); err != nil {
		return err
	}
	for n := range times {
		gone := credential.Account{ID: fmt.Sprintf("gone %s %d", name, n)}
		if err := store.Put(ctx, gone); err != nil {
			return err
		}
		got, err := store.Load(ctx, kept.ID)
		if err != nil {
			return err
		}
		if got.PasswordHash != name {
			return fmt.Errorf("loaded %v as %q", got, kept.ID)
		}
		if deleted, err := store.Delete(ctx, gone.ID); err != nil || !deleted {
			return fmt.Errorf("delete: %t, %w", deleted, err)
		}
	}
	return nil
}

// lib/pq's default sends a statement in two halves. With a pooler in between, which
// somebody may put there later, the second half can meet another client's first:
// accounts that were only loaded were deleted. So it is refused with and without.
func TestStatementsInTwoHalvesAreRefused(t *testing.T) {
	server := pgtest.Need(t)
	direct := server.Database(t)
	for name, dsn := range map[string]string{"direct": direct, "pooler": pgbouncertest.Need(t, server).DSN(direct)} {
		for value, right := range map[string]bool{"": false, "no": false, "yes": true} {
			t.Run(name+" "+value, func(t *testing.T) {
				dsn := dsn
				if value != "" {
					dsn = pgtest.With(dsn, "binary_parameters", value)
				}
				for _, connections := range []int{0, 1} { // 0: no limit
					db := openPostgres(t, "postgres", dsn)
					db.SetMaxOpenConns(connections)
					_, err := sqlstore.New(t.Context(), db, sqlstore.DialectPostgres, sqlstore.Config{})
					if right {
						require.NoError(t, err)
						continue
					}
					require.ErrorContains(t, err, "write binary_parameters=yes in the DSN")
				}
			})
		}
	}
}

// pgx's default prepares statements under names, which a pooler in transaction
// mode does not keep apart: it fails, and not silently.
func TestPreparedStatementsBehindAPoolerAreRefused(t *testing.T) {
	server := pgtest.Need(t)
	pooler := pgbouncertest.Need(t, server)
	for _, mode := range []string{"", "cache_statement"} {
		dsn := pooler.DSN(server.Database(t))
		if mode != "" {
			dsn = pgtest.With(dsn, "default_query_exec_mode", mode)
		}
		_, err := sqlstore.New(t.Context(), openPostgres(t, "pgx", dsn), sqlstore.DialectPostgres, sqlstore.Config{})
		require.ErrorContains(t, err, "write default_query_exec_mode=exec in the DSN")
	}
}

// Not every statement meets another client's at the start.
func TestAStatementThatAPoolerHasMixedUpSaysWhatToDo(t *testing.T) {
	eachPostgres(t, func(t *testing.T, d database) {
		store, spy := d.spied(t)
		for _, state := range []string{"42P05", "26000"} {
			spy.hooks(once(stateError(state)), nil)
			_, err := store.Load(t.Context(), "a")
			require.ErrorContains(t, err, "default_query_exec_mode=exec")
			require.ErrorContains(t, err, "binary_parameters=yes")
			require.NotErrorIs(t, err, credential.ErrConflict)
			require.NotErrorIs(t, err, credential.ErrNotFound)
		}
	})
}

// What an error advises must be something that a pooler takes: PgBouncer refuses
// options= and most settings in a DSN.
func TestAdviceWorksBehindAPooler(t *testing.T) {
	server := pgtest.Need(t)
	dsn := server.Database(t)
	admin := openPostgres(t, "pgx", dsn)
	admin.SetMaxOpenConns(1) // what is set for the database is for later connections
	var name string
	require.NoError(t, admin.QueryRow(`SELECT current_database()`).Scan(&name))
	for _, c := range []struct{ setting, wrong, right string }{
		{"synchronous_commit", "off", "on"},
		{"default_transaction_read_only", "on", "off"},
	} {
		alter := func(value string) {
			_, err := admin.Exec(fmt.Sprintf(`ALTER DATABASE %s SET %s = %s`, name, c.setting, value))
			require.NoError(t, err)
		}
		through := func() error {
			pooler := pgbouncertest.Need(t, server) // its connections are later ones
			db := openPostgres(t, "pgx", pgtest.With(pooler.DSN(dsn), "default_query_exec_mode", "exec"))
			_, err := sqlstore.New(t.Context(), db, sqlstore.DialectPostgres, sqlstore.Config{})
			return err
		}
		alter(c.wrong)
		err := through()
		require.ErrorContains(t, err, "ALTER DATABASE ... SET "+c.setting+" = "+c.right)
		require.NotContains(t, err.Error(), "options=")
		alter(c.right)
		require.NoError(t, through())
	}
}
