package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
)

// readOnlyTransaction is the SQLSTATE of a write over a connection to a standby,
// or to a server that was made read-only.
const readOnlyTransaction = "25006"

// exec sends one statement that writes.
func (s *Store) exec(ctx context.Context, query string, args ...any) (result sql.Result, err error) {
	err = s.on(ctx, func(q querier) error {
		result, err = q.ExecContext(ctx, query, args...)
		return err
	})
	return result, err
}

// queryRow sends one statement that reads a row.
func (s *Store) queryRow(ctx context.Context, query, arg string, into ...any) error {
	return s.on(ctx, func(q querier) error { return q.QueryRowContext(ctx, query, arg).Scan(into...) })
}

// on does one statement over one connection. A connection that turns out to be
// read-only, or to lead to a node without quorum, is closed instead of going back to
// the pool, where it would fail one statement after another.
func (s *Store) on(ctx context.Context, do func(querier) error) error {
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	err = do(conn)
	if errors.Is(err, driver.ErrBadConn) {
		// The connection was gone before the statement was sent, and the next one
		// can be too. The pool goes on until one works, but not for a single Conn.
		_ = conn.Close()
		return do(s.db)
	}
	if cannotWrite(err) {
		_ = conn.Raw(func(any) error { return driver.ErrBadConn }) // database/sql then closes it
	}
	return err
}

// cannotWrite reports whether the connection, and not the statement, is at fault.
func cannotWrite(err error) bool {
	if sqlState(err) == readOnlyTransaction {
		return true
	}
	switch mysqlNumber(err) {
	case mysqlReadOnlyServer, mysqlReadOnlySession, mysqlReadOnlyMode, mysqlUnknownCommand:
		return true
	}
	return false
}
