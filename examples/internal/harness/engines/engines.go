// Package engines starts the databases that the harnesses run on.
package engines

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/etcdstore/etcdtest"
	"example.com/devicetotp/credential/sqlstore"
	"example.com/devicetotp/credential/sqlstore/sqltest/mariadbtest" // and the driver "mysql"
	"example.com/devicetotp/credential/sqlstore/sqltest/pgbouncertest"
	"example.com/devicetotp/credential/sqlstore/sqltest/pgtest"
)

// An Engine is a kind of database. Its name is the value of a flag.
type Engine struct {
	Name, Title string
	driver      string
	dialect     sqlstore.Dialect
	start       func(context.Context) (Server, error)
	open        func(ctx context.Context, dsn string) (io.Closer, Store, error) // OpenSQL if nil
}

// Store is a credential.Store whose tables, if it has any, can be made, and to which
// accounts can be added.
type Store interface {
	credential.Store
	Migrate(ctx context.Context) error
	Put(ctx context.Context, a credential.Account) error
}

// A Server is a database that can be killed, all of it or one of its nodes, and
// started again.
type Server interface {
	CreateDatabase(ctx context.Context) (dsn string, drop func(context.Context) error, err error)
	Restart(ctx context.Context) error
	Stop() error
}

// SQL are the engines of package sqlstore, PostgreSQL first.
var SQL = []*Engine{
	{"postgres", "PostgreSQL", "pgx", sqlstore.DialectPostgres, startPostgres, nil},
	{"pgbouncer", "PostgreSQL behind PgBouncer", "pgx", sqlstore.DialectPostgres, startPgBouncer, nil},
	{"mariadb", "MariaDB", "mysql", sqlstore.DialectMySQL, startMariaDB, nil},
	{"galera", "Galera", "mysql", sqlstore.DialectMySQL, startGalera, nil},
}

// All are the engines, PostgreSQL first.
var All = append(slices.Clone(SQL),
	&Engine{Name: "etcd", Title: "etcd", start: startEtcd, open: openEtcd},
	&Engine{Name: "router", Title: "two databases behind a router", start: startShards, open: openRouter},
)

// Named returns the engine of that name.
func Named(name string) (*Engine, error) {
	for _, e := range All {
		if e.Name == name {
			return e, nil
		}
	}
	return nil, fmt.Errorf("no engine %q: want one of %s", name, Names())
}

// Names lists the names.
func Names() string {
	var names []string
	for _, e := range All {
		names = append(names, e.Name)
	}
	return strings.Join(names, ", ")
}

// Start starts a server of its own, which the caller stops.
func (e *Engine) Start(ctx context.Context) (Server, error) { return e.start(ctx) }

// Need starts a server for t, and stops it at the end of t. Without the programs the
// test is skipped, or fails where the environment says CI=true.
func (e *Engine) Need(t testing.TB) Server {
	t.Helper()
	s, err := e.Start(context.Background())
	if IsMissing(err) {
		pgtest.Skip(t, err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// Open returns a store on the database. The caller closes the handle.
func (e *Engine) Open(ctx context.Context, dsn string) (io.Closer, Store, error) {
	if e.open != nil {
		return e.open(ctx, dsn)
	}
	db, store, err := e.OpenSQL(ctx, dsn)
	if err != nil {
		return nil, nil, err // and no interfaces of nil pointers
	}
	return db, store, nil
}

// OpenSQL is Open for one of [SQL].
func (e *Engine) OpenSQL(ctx context.Context, dsn string) (*sql.DB, *sqlstore.Store, error) {
	db, err := sql.Open(e.driver, dsn)
	if err != nil {
		return nil, nil, err
	}
	db.SetMaxOpenConns(16)
	db.SetMaxIdleConns(16)
	store, err := sqlstore.New(ctx, db, e.dialect, sqlstore.Config{})
	if err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	return db, store, nil
}

// errNotOurs says that the environment names a server, which must not be killed.
var errNotOurs = errors.New("the server of the environment is not ours to restart")

// IsMissing reports whether an engine could not be started because this machine does
// not have it.
func IsMissing(err error) bool {
	for _, missing := range []error{
		pgtest.ErrNotInstalled, pgbouncertest.ErrNotInstalled, mariadbtest.ErrNotInstalled, mariadbtest.ErrNoGalera, etcdtest.ErrNotBuilt, errNotOurs,
	} {
		if errors.Is(err, missing) {
			return true
		}
	}
	return false
}
