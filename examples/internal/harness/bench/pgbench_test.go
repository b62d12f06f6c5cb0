package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/sqlstore"
	"example.com/devicetotp/credential/sqlstore/sqltest/pgtest"
)

// pgbench, the bare loop and the library must send the same two statements, or
// their ratio says nothing.
func TestTheStatementsAreTheStores(t *testing.T) {
	dsn := pgtest.Need(t).Database(t)
	keys, err := credential.NewKeyring("k", credential.NewKey("k"))
	require.NoError(t, err)
	on := target{sqlstore.DialectPostgres, "pgx", dsn}
	require.NoError(t, on.fill(t.Context(), keys, "some", 10, 2))
	send, err := statementsOf(t.Context(), dsn, "some")
	require.NoError(t, err)
	require.Regexp(t, `^SELECT .* FROM "some" WHERE id = \$1$`, send.Load)
	require.Regexp(t, `^UPDATE "some" SET state = \$1, version = \$2 WHERE id = \$3 AND version = \$4 `, send.Save)

	db, err := on.open(1)
	require.NoError(t, err)
	defer db.Close()
	_, err = drive(t.Context(), 2, 1, bare(db, send, newTurns(10, period)))
	require.NoError(t, err, "the bare loop changes a row each time")

	if findPgbench() == "" {
		pgtest.Skip(t, "there is no pgbench here")
	}
	script, err := send.script(10)
	require.NoError(t, err)
	before := versions(t, on)
	tps, err := pgbench{program: findPgbench(), dsn: dsn}.run(t.Context(), "", script, 1, 1)
	require.NoError(t, err)
	require.Positive(t, tps)
	require.Greater(t, versions(t, on), before, "pgbench changes rows too")
}

func versions(t *testing.T, on target) (sum int64) {
	db, err := on.open(1)
	require.NoError(t, err)
	defer db.Close()
	require.NoError(t, db.QueryRow(`SELECT sum(version) FROM "some"`).Scan(&sum))
	return sum
}

func TestEveryPlaceholderHasAName(t *testing.T) {
	query, err := named(`UPDATE x SET a = $2 WHERE b = $1 AND c = $2`, []string{"one", "two"})
	require.NoError(t, err)
	require.Equal(t, `UPDATE x SET a = :two WHERE b = :one AND c = :two`, query)
	_, err = named(`a = $3`, []string{"one", "two"})
	require.ErrorContains(t, err, "no name for $3")
}

func TestTheRateOfPgbenchIsRead(t *testing.T) {
	tps, err := parseTPS("latency average = 0.1 ms\ntps = 1234.5 (without initial connection time)\n")
	require.NoError(t, err)
	require.InDelta(t, 1234.5, tps, 0)
	_, err = parseTPS("nothing")
	require.Error(t, err)
}
