package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib" // registers "pgx"
	_ "modernc.org/sqlite"           // registers "sqlite"

	"example.com/devicetotp/credential/sqlstore"
	"example.com/devicetotp/credential/sqlstore/sqltest/pgtest"
)

// postgres is a server with one empty database.
type postgres struct {
	server *pgtest.Server
	dsn    string
}

func startPostgres(ctx context.Context) (*postgres, error) {
	server, err := pgtest.Start(ctx)
	if err != nil {
		return nil, err
	}
	dsn, _, err := server.CreateDatabase(ctx)
	if err != nil {
		return nil, errors.Join(err, server.Stop())
	}
	return &postgres{server, dsn}, nil
}

func (p *postgres) stop() error { return p.server.Stop() }

// version is the server's own word for it.
func (p *postgres) version(ctx context.Context) (version string, err error) {
	err = p.query(ctx, `SELECT 'PostgreSQL ' || current_setting('server_version') || ', fsync ' || current_setting('fsync') || `+
		`', synchronous_commit ' || current_setting('synchronous_commit')`, &version)
	return version, err
}

func (p *postgres) query(ctx context.Context, query string, to any) error {
	db, err := sql.Open("pgx", p.dsn)
	if err != nil {
		return err
	}
	defer db.Close()
	return db.QueryRowContext(ctx, query).Scan(to)
}

// pin gives the server the cores, if it runs here.
func (p *postgres) pin(ctx context.Context, m machine, cpus ...string) error {
	if network, _ := p.server.Address(); network == "" {
		return errors.New("a server that the environment names cannot be given a core")
	}
	db, err := sql.Open("pgx", p.dsn)
	if err != nil {
		return err
	}
	defer db.Close()
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	var backend int // a child of the server, as long as there is the connection
	if err := conn.QueryRowContext(ctx, `SELECT pg_backend_pid()`).Scan(&backend); err != nil {
		return err
	}
	server, err := parentOf(backend)
	if err != nil {
		return err
	}
	return m.pinFamily(ctx, server, cpus...)
}

// target is a database that a table can be filled in.
type target struct {
	dialect sqlstore.Dialect
	driver  string
	dsn     string
}

func (p *postgres) target() target { return target{sqlstore.DialectPostgres, "pgx", p.dsn} }

// sqliteTarget is a new file in the directory.
func sqliteTarget(dir, name string) target {
	dsn := "file:" + filepath.Join(dir, name) + "?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)"
	return target{sqlstore.DialectSQLite, "sqlite", dsn}
}

// mariaTarget is a database of MariaDB or MySQL.
func mariaTarget(dsn string) target { return target{sqlstore.DialectMySQL, "mysql", dsn} }

// open returns a handle with so many connections, all of which stay open.
func (t target) open(conns int) (*sql.DB, error) {
	db, err := sql.Open(t.driver, t.dsn)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	return db, nil
}

// statements are what the store sends to a table, in its own words.
type statements struct {
	Load, Save string
}

// statementsOf asks the store, through a driver that takes note.
func statementsOf(ctx context.Context, dsn, table string) (statements, error) {
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		return statements{}, err
	}
	noted := &notes{Connector: stdlib.GetConnector(*config)}
	db := sql.OpenDB(noted)
	defer db.Close()
	store, err := sqlstore.New(ctx, db, sqlstore.DialectPostgres, sqlstore.Config{Table: table})
	if err != nil {
		return statements{}, err
	}
	noted.take()
	a, err := store.Load(ctx, accountID(0))
	if err != nil {
		return statements{}, err
	}
	a.Next = a.Version + 1
	if err := store.Save(ctx, a); err != nil {
		return statements{}, err
	}
	sent := queries(noted.take())
	if len(sent) != 2 {
		return statements{}, fmt.Errorf("Load and Save are %d statements: %q", len(sent), sent)
	}
	return statements{Load: sent[0], Save: sent[1]}, nil
}
