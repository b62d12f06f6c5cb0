package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	_ "modernc.org/sqlite"             // the driver "sqlite"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/memstore"
	"example.com/devicetotp/credential/sqlstore"
)

// An accountStore is what the library needs of a store, and what the host
// needs to manage its own columns.
type accountStore interface {
	credential.Store
	Insert(ctx context.Context, a credential.Account) (inserted bool, err error)
	RotateHash(ctx context.Context, id string, f credential.Factor, from, to string) error
	Close() error
}

// connectTimeout is how long opening the store may take.
const connectTimeout = 30 * time.Second

func openStore(ctx context.Context, name storeName) (accountStore, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	switch name.kind {
	case "memory":
		return memoryStore{memstore.New()}, nil
	case "sqlite":
		// SQLite makes the file readable for everybody, and the files beside
		// it with the same rights as this one.
		file, err := os.OpenFile(name.at, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return nil, err
		}
		if err := file.Close(); err != nil {
			return nil, err
		}
		return openSQL(ctx, "sqlite", sqliteDSN(name.at), sqlstore.DialectSQLite)
	case "postgres":
		return openSQL(ctx, "pgx", name.at, sqlstore.DialectPostgres)
	default:
		return nil, fmt.Errorf("no such store: %q", name.kind)
	}
}

// sqliteDSN has the settings that package sqlstore asks for. Path is part of a
// URI, in which three characters have a meaning of their own.
func sqliteDSN(path string) string {
	escaped := strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(path)
	return "file:" + escaped + "?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)"
}

// sqlStore is a sqlstore.Store with its database.
type sqlStore struct {
	*sqlstore.Store
	db *sql.DB
}

// maxConnections bounds what one process asks of the database.
const maxConnections = 16

func openSQL(ctx context.Context, driver, dsn string, dialect sqlstore.Dialect) (accountStore, error) {
	db, err := sql.Open(driver, dsn)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(maxConnections)
	db.SetMaxIdleConns(maxConnections)
	store, err := sqlstore.New(ctx, db, dialect, sqlstore.Config{})
	if err == nil {
		err = store.Migrate(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return sqlStore{store, db}, nil
}

func (s sqlStore) Close() error { return s.db.Close() }

// memoryStore is a memstore.Store, which has nothing to close.
type memoryStore struct{ *memstore.Store }

func (memoryStore) Close() error { return nil }
