package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
)

// stateError is like the errors of pgx and lib/pq.
type stateError string

func (e stateError) Error() string    { return "the server said " + string(e) }
func (e stateError) SQLState() string { return string(e) }

func TestOnlySerializationFailureAndDeadlockAskToTryAgain(t *testing.T) {
	for _, c := range []struct {
		err   error
		again bool
	}{
		{stateError("40001"), true},
		{stateError("40P01"), true},
		{fmt.Errorf("wrapped: %w", stateError("40001")), true},
		{stateError("40002"), false},
		{stateError("40003"), false}, // completion unknown
		{stateError("57014"), false}, // cancelled
		{stateError("57P01"), false}, // the server is shutting down
		{errors.New("40001"), false},
		{errors.New("database is locked (5) (SQLITE_BUSY)"), false},
	} {
		got := failed(context.Background(), "save", c.err)
		require.Equal(t, c.again, errors.Is(got, credential.ErrSerialization), "%v", c.err)
		require.NotErrorIs(t, got, credential.ErrConflict, "the account need not have changed")
		require.ErrorIs(t, got, c.err)
	}
}

func TestContextErrorsAreFindableWhateverTheDriverSays(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	interrupted := errors.New("interrupted (9)")
	require.NotErrorIs(t, failed(ctx, "load", interrupted), context.Canceled)
	cancel()
	err := failed(ctx, "load", interrupted)
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, err, interrupted)
	require.EqualError(t, failed(ctx, "load", context.Canceled), "sqlstore: load: context canceled")
}
