package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"

	"example.com/devicetotp/credential/sqlstore"
	"example.com/devicetotp/credential/sqlstore/sqltest/mariadbtest" // and the driver "mysql"
	"example.com/devicetotp/credential/sqlstore/sqltest/pgtest"
)

// An engine is a kind of database. It is the value of a flag.
type engine struct {
	name, title string
	driver      string
	dialect     sqlstore.Dialect
	begin       func(context.Context) (databaseServer, error)
}

// A databaseServer can be killed and started again.
type databaseServer interface {
	Address() (network, address string)
	CreateDatabase(ctx context.Context) (dsn string, drop func(context.Context) error, err error)
	Restart(ctx context.Context) error
	Stop() error
}

var engines = []*engine{
	{"postgres", "PostgreSQL", "pgx", sqlstore.DialectPostgres, func(ctx context.Context) (databaseServer, error) {
		return orNone(pgtest.Start(ctx))
	}},
	{"mariadb", "MariaDB", "mysql", sqlstore.DialectMySQL, func(ctx context.Context) (databaseServer, error) {
		return orNone(mariadbtest.Start(ctx))
	}},
}

// orNone makes no interface of a nil pointer.
func orNone[S databaseServer](s S, err error) (databaseServer, error) {
	if err != nil {
		return nil, err
	}
	return s, nil
}

// engineNamed returns the engine of that name.
func engineNamed(name string) (*engine, error) {
	for _, e := range engines {
		if e.name == name {
			return e, nil
		}
	}
	return nil, fmt.Errorf("no engine %q: want postgres or mariadb", name)
}

// start starts a server of its own.
func (e *engine) start(ctx context.Context) (databaseServer, error) {
	s, err := e.begin(ctx)
	if err != nil {
		return nil, err
	}
	if network, _ := s.Address(); network == "" {
		return nil, errNotOurs
	}
	return s, nil
}

// errNotOurs says that the environment names a server, which must not be killed.
var errNotOurs = errors.New("the server of the environment is not ours to restart")

func (e *engine) open(ctx context.Context, dsn string) (*sql.DB, *sqlstore.Store, error) {
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
