package pgtest

import (
	"context"
	"errors"
	"net"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMain(m *testing.M) { os.Exit(Main(m)) }

func TestDatabasesAreEmptyAndSeparate(t *testing.T) {
	s := Need(t)
	ctx := context.Background()
	a, b := s.Database(t), s.Database(t)
	require.NoError(t, execute(ctx, a, "CREATE TABLE x (y integer)"))
	require.NoError(t, execute(ctx, b, "CREATE TABLE x (y integer)"))
	require.Error(t, execute(ctx, With(s.DSN(), "application_name", "a test"), "SELECT * FROM x"))
}

func TestDatabaseIsDroppedUnderItsUsers(t *testing.T) {
	ctx := context.Background()
	dsn, drop, err := Need(t).CreateDatabase(ctx)
	require.NoError(t, err)
	require.NoError(t, ping(ctx, dsn))
	require.NoError(t, drop(ctx))
	require.Error(t, ping(ctx, dsn))
}

func TestRestartKeepsWhatWasCommittedAndStopLeavesNothing(t *testing.T) {
	if os.Getenv(EnvDSN) != "" {
		Skip(t, "the server is not ours to restart")
	}
	Need(t) // skips without a PostgreSQL
	ctx := context.Background()
	s, err := Start(ctx)
	require.NoError(t, err)
	require.NoError(t, execute(ctx, s.DSN(), "CREATE TABLE x (y integer)"))
	require.NoError(t, s.Restart(ctx))
	require.NoError(t, execute(ctx, s.DSN(), "SELECT * FROM x"))

	network, address := s.Address()
	conn, err := net.Dial(network, address)
	require.NoError(t, err)
	require.NoError(t, conn.Close())
	require.NoError(t, s.Stop())
	_, err = os.Stat(s.dir)
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = net.Dial(network, address)
	require.Error(t, err)
}

func TestServerOfTheEnvironmentIsUsedAndLeftAlone(t *testing.T) {
	t.Setenv(EnvDSN, "host=somewhere")
	s, err := Start(context.Background())
	require.NoError(t, err)
	require.Equal(t, "host=somewhere", s.DSN())
	require.ErrorIs(t, s.Restart(context.Background()), ErrNotOurs)
	require.NoError(t, s.Stop())
	network, _ := s.Address()
	require.Empty(t, network)
}

func TestDSNOfEitherForm(t *testing.T) {
	for _, c := range []struct{ dsn, database, setting string }{
		{"host=/tmp dbname=a", "host=/tmp dbname=a dbname=new", "host=/tmp dbname=a k='a b'"},
		{"postgres://u:p@h:1/a", "postgres://u:p@h:1/new", "postgres://u:p@h:1/a?k=a%20b"},
		{"postgresql://h/a?sslmode=disable", "postgresql://h/new?sslmode=disable", "postgresql://h/a?sslmode=disable&k=a%20b"},
	} {
		got, err := withDatabase(c.dsn, "new")
		require.NoError(t, err)
		require.Equal(t, c.database, got)
		require.Equal(t, c.setting, With(c.dsn, "k", "a b"))
	}
	_, err := withDatabase("postgres://u:secret@%zz/", "new")
	require.Error(t, err)
	require.NotContains(t, err.Error(), "secret")
}

func TestWithoutPostgresALaptopSkipsAndCIFails(t *testing.T) {
	before := shared.err
	server := shared.server
	shared.server, shared.err = nil, ErrNotInstalled
	defer func() { shared.server, shared.err = server, before }()
	for ci, want := range map[string]string{"": "skip", "true": "fatal"} {
		t.Setenv("CI", ci)
		r := &recorder{TB: t}
		func() {
			defer func() { require.Equal(t, errEnd, recover()) }()
			Need(r)
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
