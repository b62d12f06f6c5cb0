package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
)

// MySQLError is like the one of github.com/go-sql-driver/mysql, which has no
// method for its number.
type MySQLError struct {
	Number  uint16
	Message string
}

func (e *MySQLError) Error() string { return fmt.Sprintf("Error %d: %s", e.Number, e.Message) }

// Two that are not the driver's.
type numberedError struct{ Number uint16 }

func (e numberedError) Error() string { return "Error 1213 (40001): Deadlock found" }

var errText = errors.New("Error 1213 (40001): Deadlock found when trying to get lock; try restarting transaction")

func TestNumberOfAMySQLErrorIsFoundWhereverItIsWrapped(t *testing.T) {
	deadlock := &MySQLError{1213, "Deadlock found"}
	for _, c := range []struct {
		err  error
		want uint16
	}{
		{nil, 0},
		{deadlock, 1213},
		{fmt.Errorf("traced: %w", deadlock), 1213},
		{errors.Join(errText, fmt.Errorf("%w and %w", errText, deadlock)), 1213},
		{(*MySQLError)(nil), 0},
		{numberedError{1213}, 0},
		{errText, 0},
		{stateError("40001"), 0},
	} {
		require.Equal(t, c.want, mysqlNumber(c.err), "%#v", c.err)
	}
}

func TestOnlyDeadlockAndLockWaitTimeoutOfMySQLAskToTryAgain(t *testing.T) {
	for number, again := range map[uint16]bool{
		1213: true,  // deadlock, or a certification that Galera lost
		1205: true,  // lock wait timeout
		1047: false, // a node without quorum
		1053: false, // server shutdown in progress
		1062: false, // duplicate key
		1180: false, // error during commit
		1290: false, // read-only
		1317: false, // query interrupted
		2013: false, // connection lost
	} {
		err := &MySQLError{Number: number}
		got := failed(context.Background(), "save", err)
		require.Equal(t, again, errors.Is(got, credential.ErrSerialization), number)
		require.NotErrorIs(t, got, credential.ErrConflict)
		require.ErrorIs(t, got, err)
	}
}

func TestConnectionsThatCannotWriteAreKnown(t *testing.T) {
	for number, gone := range map[uint16]bool{1290: true, 1792: true, 1836: true, 1047: true, 1213: false, 1205: false, 1062: false} {
		require.Equal(t, gone, cannotWrite(&MySQLError{Number: number}), number)
	}
}
