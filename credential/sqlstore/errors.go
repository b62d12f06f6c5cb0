package sqlstore

import (
	"context"
	"errors"
	"fmt"

	"example.com/devicetotp/credential"
)

// SQLSTATE values that say: nothing was read or written, try again.
const (
	serializationFailure = "40001"
	deadlockDetected     = "40P01"
)

// SQLSTATE values of a statement that a driver has prepared over one connection, and
// a pooler has brought to another.
const (
	duplicatePreparedStatement = "42P05"
	noSuchPreparedStatement    = "26000"
)

// failed wraps what the driver reported.
func failed(ctx context.Context, op string, err error) error {
	if isUndone(err) {
		return fmt.Errorf("sqlstore: %s: %w: %w", op, credential.ErrSerialization, err)
	}
	// Some drivers report an interrupted statement in words of their own.
	if done := ctx.Err(); done != nil && !errors.Is(err, done) {
		return fmt.Errorf("sqlstore: %s: %w: %w", op, done, err)
	}
	return fmt.Errorf("sqlstore: %s: %w", op, withAdvice(err))
}

// withAdvice says what to do about a driver that does not suit a pooler.
func withAdvice(err error) error {
	switch sqlState(err) {
	case duplicatePreparedStatement, noSuchPreparedStatement:
		return fmt.Errorf("%w: a pooler in transaction mode does not keep prepared statements: "+
			"write default_query_exec_mode=exec in the DSN (pgx), or binary_parameters=yes (lib/pq)", err)
	}
	return err
}

// isUndone reports whether the server promises that nothing was read or written.
func isUndone(err error) bool {
	switch sqlState(err) {
	case serializationFailure, deadlockDetected:
		return true
	}
	switch mysqlNumber(err) {
	case mysqlDeadlock, mysqlLockWaitTimeout:
		return true
	}
	return false
}

// sqlState returns the SQLSTATE of an error of the server; "" if it is none. The
// drivers of PostgreSQL share no type, but their errors share a method.
func sqlState(err error) string {
	var state interface{ SQLState() string }
	if errors.As(err, &state) {
		return state.SQLState()
	}
	return ""
}

func notFound(id string) error { return fmt.Errorf("sqlstore: %w: %q", credential.ErrNotFound, id) }

func conflict(id string) error { return fmt.Errorf("sqlstore: %w: %q", credential.ErrConflict, id) }
