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

// exec sends one statement. A connection that turns out to be read-only, or to
// lead to a node without quorum, is closed instead of going back to the pool,
// where it would fail one write after another.
func (s *Store) exec(ctx context.Context, query string, args ...any) (sql.Result, error) {
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	result, err := conn.ExecContext(ctx, query, args...)
	if errors.Is(err, driver.ErrBadConn) {
		// The connection was gone before the statement was sent, and the next one
		// can be too. The pool goes on until one works, but not for a single Conn.
		_ = conn.Close()
		return s.db.ExecContext(ctx, query, args...)
	}
	if cannotWrite(err) {
		_ = conn.Raw(func(any) error { return driver.ErrBadConn }) // database/sql then closes it
	}
	return result, err
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
