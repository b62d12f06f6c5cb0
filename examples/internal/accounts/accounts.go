// Package accounts opens the accounts of a service for a command of its operator.
package accounts

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/jackc/pgx/v5"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	_ "modernc.org/sqlite"             // the driver "sqlite"

	"example.com/devicetotp/credential/sqlstore"
)

// Usage describes the names that Open takes.
const Usage = "sqlite:PATH, postgres://... or host=... dbname=..."

// Store is a store with its database.
type Store struct {
	*sqlstore.Store
	// Name says which accounts these are, without a password.
	Name string

	db *sql.DB
}

// Close closes the database.
func (s *Store) Close() error { return s.db.Close() }

// Open opens the accounts of that name in the given table; "" is the default one.
// It neither makes a database nor a table.
func Open(ctx context.Context, name, table string) (*Store, error) {
	path, isSQLite := strings.CutPrefix(name, "sqlite:")
	switch {
	case isSQLite && path != "":
		if _, err := os.Stat(path); err != nil { // SQLite would make it
			return nil, err
		}
		return open(ctx, name, "sqlite", sqliteDSN(path), sqlstore.DialectSQLite, table)
	case strings.HasPrefix(name, "postgres://"), strings.HasPrefix(name, "postgresql://"), strings.Contains(name, "dbname="):
		c, err := pgx.ParseConfig(name)
		if err != nil {
			return nil, errors.New("the store is not a DSN of PostgreSQL") // the error could show the password
		}
		return open(ctx, fmt.Sprintf("postgres://%s:%d/%s", c.Host, c.Port, c.Database), "pgx", name, sqlstore.DialectPostgres, table)
	default:
		return nil, errors.New("the store must be " + Usage)
	}
}

// sqliteDSN has the settings that package sqlstore asks for. Path is part of a
// URI, in which three characters have a meaning of their own.
func sqliteDSN(path string) string {
	escaped := strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(path)
	return "file:" + escaped + "?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)"
}

const maxConnections = 16

func open(ctx context.Context, name, driver, dsn string, dialect sqlstore.Dialect, table string) (*Store, error) {
	db, err := sql.Open(driver, dsn)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(maxConnections)
	db.SetMaxIdleConns(maxConnections)
	store, err := sqlstore.New(ctx, db, dialect, sqlstore.Config{Table: table})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", name, err), db.Close())
	}
	return &Store{Store: store, Name: name + "#" + table, db: db}, nil
}
