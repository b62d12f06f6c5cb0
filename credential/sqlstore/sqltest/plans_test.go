package sqltest

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/sqlstore"
	"example.com/devicetotp/credential/sqlstore/sqltest/pgtest"
)

// Load and Save look one key up in the index, whether the table has 100
// accounts or 1,000,000: the pages touched differ by the depth of the index.
func TestLoadAndSaveAreOneIndexLookupInATableOfAnySize(t *testing.T) {
	if testing.Short() {
		pgtest.Skip(t, "fills a table with 1,000,000 accounts")
	}
	small, large := explained(t, 100), explained(t, 1_000_000)
	deeper := large.depth - small.depth
	t.Logf("100 accounts: %+v; 1,000,000 accounts: %+v", small, large)
	require.Equal(t, small.load+deeper, large.load)
	require.Equal(t, small.save+deeper, large.save)
}

// A cost is the pages of the shared buffers that the statements touch, and the
// depth of the index.
type cost struct{ load, save, depth int }

func explained(t *testing.T, accounts int) cost {
	t.Helper()
	// A hundred accounts of the few bytes that fill gives them are two pages,
	// which PostgreSQL would rather read whole.
	dsn := pgtest.With(pgtest.Need(t).Database(t), "enable_seqscan", "off")
	db, spy := openSpy(t, "pgx", dsn)
	db.SetMaxOpenConns(1) // one connection, so that its caches are warm
	store := migrated(t, db, sqlstore.DialectPostgres, sqlstore.Config{})
	fill(t, db, accounts)

	id := fmt.Sprintf("account-%08d", accounts/2)
	spy.take()
	a := load(t, store, id)
	require.NoError(t, save(store, a))
	calls := spy.take()
	require.Len(t, calls, 2)
	calls[1].args[3].Value = calls[1].args[1].Value // the version in the condition: it has just been saved
	return cost{
		load:  explain(t, db, calls[0], "Index Scan"),
		save:  explain(t, db, calls[1], "ModifyTable", "Index Scan"),
		depth: depth(t, db),
	}
}

func fill(t *testing.T, db *sql.DB, accounts int) {
	t.Helper()
	var state credential.State
	state.Writes = []credential.WriteID{{1}}
	raw, err := state.MarshalBinary()
	require.NoError(t, err)
	_, err = db.Exec(`INSERT INTO devicetotp_accounts (id, state, version) `+
		`SELECT 'account-' || lpad(n::text, 8, '0'), $1, 1 FROM generate_series(1, $2::integer) n`, raw, accounts)
	require.NoError(t, err)
	_, err = db.Exec(`VACUUM (FREEZE, ANALYZE) devicetotp_accounts`)
	require.NoError(t, err)
}

// A plan is what EXPLAIN (FORMAT JSON) says about one node.
type plan struct {
	NodeType   string  `json:"Node Type"`
	IndexCond  string  `json:"Index Cond"`
	ActualRows float64 `json:"Actual Rows"`
	Loops      float64 `json:"Actual Loops"`
	Hit        int     `json:"Shared Hit Blocks"`
	Read       int     `json:"Shared Read Blocks"`
	Plans      []plan  `json:"Plans"`
}

// explain runs the statement and returns the pages that it touched. nodes are
// what the plan must consist of, from the root down, the last one a look-up of
// one row by its id.
func explain(t *testing.T, db *sql.DB, c call, nodes ...string) int {
	t.Helper()
	args := make([]any, len(c.args))
	for i, arg := range c.args {
		args[i] = arg.Value
	}
	var root plan
	for range 3 { // the first time also reads the catalogue
		tx, err := db.Begin()
		require.NoError(t, err)
		var text []byte
		require.NoError(t, tx.QueryRow(`EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) `+c.query, args...).Scan(&text))
		require.NoError(t, tx.Rollback())
		var out []struct{ Plan plan }
		require.NoError(t, json.Unmarshal(text, &out))
		root = out[0].Plan
	}
	node := root
	for i, want := range nodes {
		require.Equal(t, want, node.NodeType)
		if i == len(nodes)-1 {
			break
		}
		require.Len(t, node.Plans, 1)
		node = node.Plans[0]
	}
	require.Empty(t, node.Plans)
	require.Regexp(t, `^\(id = '.*'::text\)$`, node.IndexCond)
	require.EqualValues(t, 1, node.ActualRows)
	require.EqualValues(t, 1, node.Loops)
	return root.Hit + root.Read
}

// depth is the number of pages from the index's root to a leaf.
func depth(t *testing.T, db *sql.DB) int {
	t.Helper()
	_, err := db.Exec(`CREATE EXTENSION IF NOT EXISTS pageinspect`)
	require.NoError(t, err)
	var level int
	require.NoError(t, db.QueryRow(`SELECT fastlevel FROM bt_metap('devicetotp_accounts_pkey')`).Scan(&level))
	return level + 1
}

func TestSQLiteLooksOneKeyUpInTheIndex(t *testing.T) {
	d := database{"sqlite", "file:" + t.TempDir() + "/a.db" + sqlitePragmas, sqlstore.DialectSQLite}
	store, spy := d.spied(t)
	require.NoError(t, store.Put(context.Background(), credential.Account{ID: "a"}))
	spy.take()
	require.NoError(t, save(store, load(t, store, "a")))
	calls := spy.take()
	require.Len(t, calls, 2)
	for _, c := range calls {
		args := make([]any, len(c.args))
		for i, arg := range c.args {
			args[i] = arg.Value
		}
		rows, err := d.open(t).Query(`EXPLAIN QUERY PLAN `+c.query, args...)
		require.NoError(t, err)
		var steps []string
		for rows.Next() {
			var id, parent, unused int
			var detail string
			require.NoError(t, rows.Scan(&id, &parent, &unused, &detail))
			steps = append(steps, detail)
		}
		require.NoError(t, rows.Err())
		require.Equal(t, []string{"SEARCH devicetotp_accounts USING INDEX sqlite_autoindex_devicetotp_accounts_1 (id=?)"}, steps)
	}
}
