package sqltest

import (
	"context"
	"crypto/rand"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/sqlstore"
	"example.com/devicetotp/credential/sqlstore/sqltest/pgtest"
)

func TestSQLiteSettingsAreCheckedAndTheErrorSaysWhatToWrite(t *testing.T) {
	for _, c := range []struct {
		name, pragmas string
		want          []string
	}{
		{"none", "", []string{"busy_timeout is 0, must be at least 5000", "journal_mode is delete, must be wal"}},
		{"short busy_timeout", "_pragma=busy_timeout(4999)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)", []string{"busy_timeout is 4999"}},
		{"no WAL", "_pragma=busy_timeout(5000)&_pragma=synchronous(FULL)", []string{"journal_mode is delete"}},
		{"normal", "_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)", []string{"synchronous is 1, must be 2 (FULL) or 3 (EXTRA)"}},
		{"off", "_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(OFF)", []string{"synchronous is 0"}},
		{"in memory", "mode=memory&_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)", []string{"journal_mode is memory"}},
		{"extra", "_pragma=busy_timeout(9000)&_pragma=journal_mode(WAL)&_pragma=synchronous(EXTRA)", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := database{"sqlite", "file:" + filepath.Join(t.TempDir(), "a.db") + "?" + c.pragmas, sqlstore.DialectSQLite}
			_, err := sqlstore.New(context.Background(), d.open(t), d.dialect, sqlstore.Config{})
			if c.want == nil {
				require.NoError(t, err)
				return
			}
			for _, want := range c.want {
				require.ErrorContains(t, err, want)
			}
			require.ErrorContains(t, err, "_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)")
		})
	}
}

func TestSQLiteSettingsOfOneConnectionAreNotEnough(t *testing.T) {
	ctx := context.Background()
	d := database{"sqlite", "file:" + filepath.Join(t.TempDir(), "a.db"), sqlstore.DialectSQLite}
	for _, connections := range []int{0, 1} { // 0: no limit
		db := d.open(t)
		db.SetMaxOpenConns(connections)
		for _, pragma := range []string{"busy_timeout = 5000", "journal_mode = WAL", "synchronous = FULL"} {
			_, err := db.ExecContext(ctx, "PRAGMA "+pragma)
			require.NoError(t, err)
		}
		_, err := sqlstore.New(ctx, db, d.dialect, sqlstore.Config{})
		if connections == 1 {
			require.NoError(t, err, "there is no other connection")
		} else {
			require.ErrorContains(t, err, "busy_timeout is 0")
		}
	}
}

func TestPostgresSettingsAreChecked(t *testing.T) {
	for _, driver := range postgresDrivers {
		t.Run(driver, func(t *testing.T) {
			dsn := suits(driver, pgtest.Need(t).Database(t))
			for commit, right := range map[string]bool{"on": true, "remote_write": true, "remote_apply": true, "off": false, "local": false} {
				db := openPostgres(t, driver, pgtest.With(dsn, "synchronous_commit", commit))
				_, err := sqlstore.New(context.Background(), db, sqlstore.DialectPostgres, sqlstore.Config{})
				if right {
					require.NoError(t, err, commit)
				} else {
					require.ErrorContains(t, err, `synchronous_commit is "`+commit+`", must be on`)
					require.ErrorContains(t, err, "ALTER DATABASE ... SET synchronous_commit = on")
				}
			}
		})
	}
}

// A function of the same name, found before PostgreSQL's own, stands in for a
// server that is a standby.
func TestStandbyIsRefused(t *testing.T) {
	dsn := pgtest.Need(t).Database(t)
	_, err := openPostgres(t, "pgx", dsn).Exec(`CREATE FUNCTION public.pg_is_in_recovery() RETURNS boolean LANGUAGE sql AS 'SELECT true'`)
	require.NoError(t, err)
	db := openPostgres(t, "pgx", pgtest.With(dsn, "search_path", "public,pg_catalog"))
	_, err = sqlstore.New(context.Background(), db, sqlstore.DialectPostgres, sqlstore.Config{})
	require.ErrorContains(t, err, "the server is a standby")
}

func TestDatabaseOfAnotherEncodingIsRefused(t *testing.T) {
	ctx := context.Background()
	server := pgtest.Need(t)
	admin := openPostgres(t, "pgx", server.Database(t))
	name := "devicetotp_" + strings.ToLower(rand.Text())
	_, err := admin.ExecContext(ctx, `CREATE DATABASE `+name+` ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0`)
	require.NoError(t, err)
	defer func() {
		_, err := admin.ExecContext(ctx, `DROP DATABASE `+name+` WITH (FORCE)`)
		require.NoError(t, err)
	}()
	db := openPostgres(t, "pgx", pgtest.With(server.DSN(), "dbname", name))
	_, err = sqlstore.New(ctx, db, sqlstore.DialectPostgres, sqlstore.Config{})
	require.ErrorContains(t, err, `server_encoding is "LATIN1", must be UTF8`)
}

func TestNewReportsADatabaseThatDoesNotAnswer(t *testing.T) {
	ctx := context.Background()
	nowhere := openPostgres(t, "pgx", "host="+t.TempDir()+" user=nobody sslmode=disable")
	_, err := sqlstore.New(ctx, nowhere, sqlstore.DialectPostgres, sqlstore.Config{})
	require.ErrorContains(t, err, "sqlstore: postgres: cannot read the settings")
	missing := openSQLite(t, filepath.Join(t.TempDir(), "no", "such", "directory"))
	_, err = sqlstore.New(ctx, missing, sqlstore.DialectSQLite, sqlstore.Config{})
	require.ErrorContains(t, err, "sqlstore: sqlite:")
}

// Settings that were executed belong to one connection.
func TestPostgresSettingsOfOneConnectionAreNotEnough(t *testing.T) {
	eachPostgres(t, func(t *testing.T, d database) {
		d.dsn = pgtest.With(d.dsn, "synchronous_commit", "off")
		for _, connections := range []int{0, 1} { // 0: no limit
			db := d.open(t)
			db.SetMaxOpenConns(connections)
			_, err := db.ExecContext(t.Context(), `SET synchronous_commit = on`)
			require.NoError(t, err)
			_, err = sqlstore.New(t.Context(), db, d.dialect, sqlstore.Config{})
			if connections == 1 {
				require.NoError(t, err, "there is no other connection")
			} else {
				require.ErrorContains(t, err, `synchronous_commit is "off"`)
			}
		}
	})
}

func TestPostgresThatIsReadOnlyIsRefused(t *testing.T) {
	eachPostgres(t, func(t *testing.T, d database) {
		d.dsn = pgtest.With(d.dsn, "default_transaction_read_only", "on")
		_, err := sqlstore.New(t.Context(), d.open(t), d.dialect, sqlstore.Config{})
		require.ErrorContains(t, err, "default_transaction_read_only is on, must be off")
	})
}

// With bytea_output=escape a State comes in another form of text, where it comes as
// text at all, and pgx does not read it.
func TestBytesInTheFormOfEscapesAreReadOrRefused(t *testing.T) {
	modes := append([]struct{ driver, key, value string }{{"pgx", "default_query_exec_mode", "cache_statement"}}, poolerModes...)
	for _, m := range modes {
		t.Run(m.driver+" "+m.value, func(t *testing.T) {
			dsn := pgtest.With(pgtest.With(pgtest.Need(t).Database(t), m.key, m.value), "bytea_output", "escape")
			db := openPostgres(t, m.driver, dsn)
			store, err := sqlstore.New(t.Context(), db, sqlstore.DialectPostgres, sqlstore.Config{})
			if m.value == "exec" || m.value == "simple_protocol" {
				require.ErrorContains(t, err, `bytea_output is "escape", must be hex`)
				require.ErrorContains(t, err, "ALTER DATABASE ... SET bytea_output = hex")
				return
			}
			require.NoError(t, err)
			require.NoError(t, store.Migrate(t.Context()))
			require.NoError(t, store.Put(t.Context(), credential.Account{ID: "a"}))
			a := load(t, store, "a")
			a.State.Devices = []credential.Device{{ID: "d", Sealed: []byte("\x00\\\xff'\n")}}
			require.NoError(t, save(store, a))
			require.Equal(t, a.State.Devices, load(t, store, "a").State.Devices)
		})
	}
}
