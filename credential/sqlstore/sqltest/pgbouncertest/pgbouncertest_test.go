package pgbouncertest

import (
	"database/sql"
	"errors"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential/sqlstore/sqltest/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// One server connection serves two clients by turns, which is what tests of a
// pooler are about.
func TestClientsShareAConnection(t *testing.T) {
	server := pgtest.Need(t)
	p := Need(t, server)
	dsn := pgtest.With(p.DSN(server.Database(t)), "default_query_exec_mode", "exec")
	first, second := serverProcess(t, dsn), serverProcess(t, dsn)
	require.Equal(t, first(), second())
}

// serverProcess returns what asks for the number of the server process, over one
// connection that stays open.
func serverProcess(t *testing.T, dsn string) func() int {
	t.Helper()
	db, err := sql.Open("pgx", dsn)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	conn, err := db.Conn(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close()) })
	return func() (pid int) {
		require.NoError(t, conn.QueryRowContext(t.Context(), `SELECT pg_backend_pid()`).Scan(&pid))
		return pid
	}
}

func TestStopLeavesNothing(t *testing.T) {
	p := Need(t, pgtest.Need(t))
	require.NoError(t, p.Stop())
	_, err := os.Stat(p.dir)
	require.ErrorIs(t, err, os.ErrNotExist)
	db, err := sql.Open("pgx", p.DSN(pgtest.Need(t).DSN()))
	require.NoError(t, err)
	defer db.Close()
	require.Error(t, db.Ping())
}

func TestWithoutPgBouncerALaptopSkipsAndCIFails(t *testing.T) {
	server := pgtest.Need(t)
	defer func(before []string) { programs = before }(programs)
	programs = []string{"no such program"}
	for ci, want := range map[string]string{"": "skip", "true": "fatal"} {
		t.Setenv("CI", ci)
		r := &recorder{TB: t}
		func() {
			defer func() { require.Equal(t, errEnd, recover()) }()
			Need(r, server)
		}()
		require.Equal(t, want, r.end)
	}
}

var errEnd = errors.New("the test ended")

// recorder notes how a test ends.
type recorder struct {
	testing.TB
	end string
}

func (r *recorder) Skip(...any)  { r.end = "skip"; panic(errEnd) }
func (r *recorder) Fatal(...any) { r.end = "fatal"; panic(errEnd) }
func (r *recorder) Helper()      {}
