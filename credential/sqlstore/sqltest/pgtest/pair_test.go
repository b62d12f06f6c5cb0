package pgtest

import (
	"context"
	"database/sql"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// One pair through all that can happen to it, because starting one takes
// seconds.
func TestPair(t *testing.T) {
	t.Setenv(EnvDSN, "host=somewhere") // a pair is never a server of others
	ctx := context.Background()
	p := NeedPair(t)
	require.NoError(t, execute(ctx, p.DSN(), "CREATE TABLE x (y integer)"))
	require.NoError(t, execute(ctx, p.DSN(), "INSERT INTO x VALUES (1)"))

	require.NoError(t, p.Standby.PauseReceiver(ctx))
	committed := commit(ctx, p, "INSERT INTO x VALUES (2)")
	require.NoError(t, p.Primary.WaitForCommit(ctx))
	require.NoError(t, p.Standby.ResumeReceiver())
	require.NoError(t, <-committed, "the standby has it now")
	require.NoError(t, p.CatchUp(ctx))

	require.NoError(t, p.Standby.PauseReceiver(ctx))
	require.NoError(t, p.Standby.Crash(), "a process that stands still must not keep the server")
	cut, cancel := context.WithCancel(ctx)
	committed = commit(cut, p, "INSERT INTO x VALUES (3)")
	require.NoError(t, p.Primary.WaitForCommit(ctx))
	cancel()
	require.ErrorIs(t, <-committed, context.Canceled)
	require.NoError(t, p.Primary.waitFor(ctx, "the row is seen", "SELECT EXISTS (SELECT FROM x WHERE y = 3)"))

	require.NoError(t, p.FailOver(ctx))
	require.Equal(t, []int{1, 2}, rows(t, p.DSN()), "what was seen was not kept")
	require.NoError(t, execute(ctx, p.DSN(), "INSERT INTO x VALUES (4)"), "nobody is waited for")

	err := p.Primary.waitFor(ended(), "pigs fly", "SELECT false")
	require.ErrorContains(t, err, "pigs fly")
	require.ErrorIs(t, err, context.Canceled)

	require.NoError(t, p.Stop())
	for _, s := range []*Server{p.Primary, p.Standby} {
		_, err := os.Stat(s.dir)
		require.ErrorIs(t, err, os.ErrNotExist)
	}
}

func ended() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

func commit(ctx context.Context, p *Pair, statement string) <-chan error {
	done := make(chan error, 1)
	go func() { done <- execute(ctx, p.Primary.DSN(), statement) }()
	return done
}

func rows(t *testing.T, dsn string) (got []int) {
	db, err := sql.Open("pgx", dsn)
	require.NoError(t, err)
	defer db.Close()
	answer, err := db.Query("SELECT y FROM x ORDER BY y")
	require.NoError(t, err)
	defer answer.Close()
	for answer.Next() {
		var y int
		require.NoError(t, answer.Scan(&y))
		got = append(got, y)
	}
	require.NoError(t, answer.Err())
	return got
}
