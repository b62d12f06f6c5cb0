package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"
)

// sqliteBusyTimeout is the least busy_timeout, in milliseconds.
const sqliteBusyTimeout = 5000

// sqliteBusyPause is how long to wait before trying again to connect.
const sqliteBusyPause = 10 * time.Millisecond

const sqliteAdvice = "; write it in the DSN, so that every connection has it: with modernc.org/sqlite " +
	"file:accounts.db?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)"

// settings returns what checks the settings; nil if there is no such dialect.
func (d Dialect) settings() func(context.Context, *sql.DB) error {
	switch d {
	case DialectPostgres:
		return checkPostgres
	case DialectSQLite:
		return checkSQLite
	case DialectMySQL:
		return checkMySQL
	default:
		return nil
	}
}

// checkSQLite looks at two connections: all but journal_mode belong to one, so
// settings that were executed instead of written in the DSN are missing on the
// second.
func checkSQLite(ctx context.Context, db *sql.DB) error {
	return checkTwo(ctx, db, connectSQLite, checkSQLiteConn)
}

// checkTwo checks two connections at once where the pool allows it.
func checkTwo(
	ctx context.Context, db *sql.DB,
	connect func(context.Context, *sql.DB) (*sql.Conn, error), check func(context.Context, *sql.Conn) error,
) error {
	count := 2
	if db.Stats().MaxOpenConnections == 1 {
		count = 1
	}
	for range count {
		conn, err := connect(ctx, db)
		if err != nil {
			return err
		}
		defer conn.Close()
		if err := check(ctx, conn); err != nil {
			return err
		}
	}
	return nil
}

// connectSQLite waits as busy_timeout asks for. SQLite itself does not while
// another process makes a new file a WAL database: the DSN's journal_mode fails
// at once, and with it the connection.
func connectSQLite(ctx context.Context, db *sql.DB) (*sql.Conn, error) {
	patience := time.After(sqliteBusyTimeout * time.Millisecond)
	for {
		conn, err := db.Conn(ctx)
		if err == nil || !isSQLiteBusy(err) {
			return conn, err
		}
		select {
		case <-time.After(sqliteBusyPause):
		case <-patience:
			return nil, err
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), err)
		}
	}
}

// isSQLiteBusy knows the errors of modernc.org/sqlite by their method.
func isSQLiteBusy(err error) bool {
	const primary, busy = 0xff, 5 // the lowest byte of an extended result code; SQLITE_BUSY
	var sqlite interface{ Code() int }
	return errors.As(err, &sqlite) && sqlite.Code()&primary == busy
}

func checkSQLiteConn(ctx context.Context, conn *sql.Conn) error {
	var faults []error
	check := func(pragma, must string, right func(string) bool) {
		var value string
		if err := conn.QueryRowContext(ctx, "PRAGMA "+pragma).Scan(&value); err != nil {
			faults = append(faults, fmt.Errorf("cannot read %s: %w", pragma, err))
		} else if !right(value) {
			faults = append(faults, fmt.Errorf("%s is %s, must be %s%s", pragma, value, must, sqliteAdvice))
		}
	}
	check("busy_timeout", "at least 5000", func(v string) bool {
		var ms int
		_, err := fmt.Sscan(v, &ms)
		return err == nil && ms >= sqliteBusyTimeout
	})
	check("journal_mode", "wal, which a database in memory cannot be", oneOf("wal"))
	check("synchronous", "2 (FULL) or 3 (EXTRA)", oneOf("2", "3"))
	return errors.Join(faults...)
}

func oneOf(values ...string) func(string) bool {
	return func(v string) bool { return slices.Contains(values, v) }
}
