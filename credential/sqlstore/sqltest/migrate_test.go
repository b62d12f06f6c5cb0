package sqltest

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/sqlstore"
	"example.com/devicetotp/credential/sqlstore/sqltest/pgtest"
)

func TestManyProcessesMayMigrateAtOnce(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d database) {
		ctx := context.Background()
		const processes = 16
		stores := make([]*sqlstore.Store, processes)
		for i := range stores {
			var err error
			stores[i], err = sqlstore.New(ctx, d.open(t), d.dialect, sqlstore.Config{})
			require.NoError(t, err)
		}
		answers := make([]error, processes)
		start := make(chan struct{})
		var wg sync.WaitGroup
		for i, s := range stores {
			wg.Go(func() {
				<-start
				answers[i] = s.Migrate(ctx)
			})
		}
		close(start)
		wg.Wait()
		require.NoError(t, errors.Join(answers...))
		var applied int
		require.NoError(t, d.open(t).QueryRow(`SELECT count(*) FROM devicetotp_accounts_migrations`).Scan(&applied))
		require.Len(t, stores[0].Migrations(), applied)
	})
}

func TestMigrateAgainOnlyReads(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d database) {
		store, spy := d.spied(t)
		require.NoError(t, store.Migrate(context.Background()))
		for _, c := range spy.take() {
			require.Equal(t, "query", c.kind, c.query)
		}
	})
}

func TestMigrateDoesAllStepsOrNone(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d database) {
		ctx := context.Background()
		db := d.open(t)
		_, err := db.Exec(`CREATE TABLE devicetotp_accounts (other integer)`)
		require.NoError(t, err)
		store, err := sqlstore.New(ctx, db, d.dialect, sqlstore.Config{})
		require.NoError(t, err)
		err = store.Migrate(ctx)
		require.ErrorContains(t, err, "sqlstore: migrate: step 1 (accounts):")
		require.ErrorContains(t, err, "already exists")
		if d.dialect == sqlstore.DialectMySQL { // each CREATE TABLE commits
			var done int
			require.NoError(t, db.QueryRow(`SELECT count(*) FROM devicetotp_accounts_migrations`).Scan(&done))
			require.Zero(t, done)
		} else {
			_, err = db.Exec(`SELECT * FROM devicetotp_accounts_migrations`)
			require.Error(t, err, "the list of migrations must have been rolled back")
		}

		_, err = db.Exec(`DROP TABLE devicetotp_accounts`)
		require.NoError(t, err)
		require.NoError(t, store.Migrate(ctx), "the connection must not have kept the transaction")
	})
}

func TestMigrateEndsWithItsContext(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d database) {
		db, spy := openSpy(t, d.driver, d.dsn)
		store, err := sqlstore.New(context.Background(), db, d.dialect, sqlstore.Config{})
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(context.Background())
		spy.hooks(nil, func(c call) error {
			cancel() // after the first statement that changes something
			return nil
		})
		require.ErrorIs(t, store.Migrate(ctx), context.Canceled)
		spy.hooks(nil, nil)
		require.NoError(t, store.Migrate(context.Background()))
	})
}

// A stricter default isolation must not make Migrate see the tables as they
// were before it waited for another process.
func TestMigrateUnderStricterIsolation(t *testing.T) {
	for _, level := range []string{"repeatable read", "serializable"} {
		dsn := pgtest.With(pgtest.Need(t).Database(t), "default_transaction_isolation", level)
		answers := make([]error, 8)
		var wg sync.WaitGroup
		for i := range answers {
			store, err := sqlstore.New(context.Background(), openPostgres(t, "pgx", dsn), sqlstore.DialectPostgres, sqlstore.Config{})
			require.NoError(t, err)
			wg.Go(func() { answers[i] = store.Migrate(context.Background()) })
		}
		wg.Wait()
		require.NoError(t, errors.Join(answers...), level)
	}
}

func TestMigrateOfARoleWithoutRightsToCreate(t *testing.T) {
	ctx := context.Background()
	dsn := pgtest.Need(t).Database(t)
	owner := openPostgres(t, "pgx", dsn)
	migrated(t, owner, sqlstore.DialectPostgres, sqlstore.Config{})
	role := "devicetotp_" + strings.ToLower(rand.Text()) // roles belong to the whole server
	run := func(statements ...string) {
		for _, statement := range statements {
			_, err := owner.ExecContext(ctx, strings.ReplaceAll(statement, "ROLE_NAME", role))
			require.NoError(t, err)
		}
	}
	run(`CREATE ROLE ROLE_NAME`, `REVOKE CREATE ON SCHEMA public FROM PUBLIC`,
		`GRANT SELECT ON devicetotp_accounts_migrations TO ROLE_NAME`, `GRANT SELECT, UPDATE ON devicetotp_accounts TO ROLE_NAME`)
	defer run(`DROP OWNED BY ROLE_NAME`, `DROP ROLE ROLE_NAME`)
	host := migrated(t, owner, sqlstore.DialectPostgres, sqlstore.Config{})
	require.NoError(t, host.Put(ctx, credential.Account{ID: "a"}))

	service := openPostgres(t, "pgx", pgtest.With(dsn, "role", role))
	store := migrated(t, service, sqlstore.DialectPostgres, sqlstore.Config{})
	require.NoError(t, save(store, load(t, store, "a")))
	_, err := store.Delete(ctx, "a")
	require.ErrorContains(t, err, "permission denied")
}

func TestTablesOfAnyNameAreKeptApart(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d database) {
		ctx := context.Background()
		db := d.open(t)
		options := []sqlstore.Config{
			{}, {Table: "Accounts"}, {Table: `a"; DROP TABLE "Accounts"; --`}, {Table: `$1 ?1 TABLE {{table}} '`}, {Table: "\u4e16\u754c"},
		}
		if d.dialect == sqlstore.DialectPostgres {
			_, err := db.Exec(`CREATE SCHEMA "the ""schema"""`)
			require.NoError(t, err)
			options = append(options, sqlstore.Config{Schema: `the "schema"`}, sqlstore.Config{Schema: `the "schema"`, Table: `"`})
		}
		if d.dialect == sqlstore.DialectMySQL {
			other := needMySQL(t)
			schema := other.dsn[strings.LastIndex(other.dsn, "/")+1 : strings.LastIndex(other.dsn, "?")]
			options = append(options, sqlstore.Config{Schema: schema}, sqlstore.Config{Schema: schema, Table: "`"})
		}
		for _, o := range options {
			s := migrated(t, db, d.dialect, o)
			require.NoError(t, s.Migrate(ctx))
			inserted, err := s.Insert(ctx, credential.Account{ID: "a"})
			require.NoError(t, err)
			require.True(t, inserted, "%+v", o)
			require.NoError(t, save(s, load(t, s, "a")))
			require.EqualValues(t, 1, load(t, s, "a").Version)
			ids, err := s.IDs(ctx, "", 5)
			require.NoError(t, err)
			require.Equal(t, []string{"a"}, ids)
		}
	})
}

func TestSchemaThatDoesNotExistIsNamed(t *testing.T) {
	store, err := sqlstore.New(context.Background(), openPostgres(t, "pgx", pgtest.Need(t).Database(t)),
		sqlstore.DialectPostgres, sqlstore.Config{Schema: "nowhere"})
	require.NoError(t, err)
	require.ErrorContains(t, store.Migrate(context.Background()), `"nowhere"`)

	d := needMySQL(t)
	store, err = sqlstore.New(context.Background(), d.open(t), d.dialect, sqlstore.Config{Schema: "nowhere"})
	require.NoError(t, err)
	require.ErrorContains(t, store.Migrate(context.Background()), "'nowhere'")
}

func TestMigrationsWorkInAnotherTool(t *testing.T) {
	eachDatabase(t, func(t *testing.T, d database) {
		ctx := context.Background()
		db := d.open(t)
		store, err := sqlstore.New(ctx, db, d.dialect, sqlstore.Config{Table: "x"})
		require.NoError(t, err)
		for _, m := range store.Migrations() {
			_, err := db.ExecContext(ctx, m.SQL)
			require.NoError(t, err)
		}
		require.NoError(t, store.Put(ctx, credential.Account{ID: "a"}))
		require.NoError(t, save(store, load(t, store, "a")))
	})
}
