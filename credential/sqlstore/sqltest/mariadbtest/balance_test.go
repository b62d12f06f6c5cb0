package mariadbtest

import (
	"context"
	"database/sql"
	"testing"

	"github.com/stretchr/testify/require"
)

// The name puts it among the tests of make engines.
func TestEngineClusterIsReachedPastANodeThatIsDown(t *testing.T) {
	c := NeedCluster(t)
	ctx := context.Background()
	dsn, _, err := c.CreateDatabase(ctx)
	require.NoError(t, err)
	require.NoError(t, execute(ctx, dsn, "CREATE TABLE x (y integer PRIMARY KEY) ENGINE = InnoDB"))
	require.Len(t, nodesOf(t, dsn), len(c.Nodes), "all are in turn")
	require.NoError(t, c.Nodes[0].Crash())
	for range c.Nodes {
		require.NoError(t, execute(ctx, dsn, "SELECT y FROM x"))
	}
	require.NoError(t, c.Restart(ctx))
	require.Len(t, nodesOf(t, dsn), len(c.Nodes))
}

// nodesOf returns the sockets of the nodes to which a DSN leads.
func nodesOf(t *testing.T, dsn string) map[string]bool {
	t.Helper()
	sockets := map[string]bool{}
	for range 2 * clusterSize {
		db, err := sql.Open("mysql", dsn)
		require.NoError(t, err)
		var socket string
		require.NoError(t, db.QueryRow("SELECT @@socket").Scan(&socket))
		sockets[socket] = true
		require.NoError(t, db.Close())
	}
	return sockets
}
