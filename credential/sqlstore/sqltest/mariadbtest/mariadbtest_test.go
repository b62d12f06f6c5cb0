package mariadbtest

import (
	"context"
	"database/sql"
	"errors"
	"net"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMain(m *testing.M) { os.Exit(Main(m.Run)) }

func TestDatabasesAreEmptyAndSeparate(t *testing.T) {
	s := Need(t)
	ctx := context.Background()
	a, b := s.Database(t), s.Database(t)
	require.NoError(t, execute(ctx, a, "CREATE TABLE x (y integer)"))
	require.NoError(t, execute(ctx, b, "CREATE TABLE x (y integer)"))
	require.Error(t, execute(ctx, s.DSN(), "SELECT * FROM x"))
}

// A server that starts removes the temporary tables of every other one that has the
// same folder for them.
func TestEachServerHasItsOwnFolderForTemporaryTables(t *testing.T) {
	s := NeedOwn(t)
	db, err := sql.Open("mysql", s.DSN())
	require.NoError(t, err)
	defer db.Close()
	var folder string
	require.NoError(t, db.QueryRowContext(context.Background(), "SELECT @@tmpdir").Scan(&folder))
	require.Equal(t, s.dir, folder)
}

func TestRestartKeepsWhatWasCommittedAndStopLeavesNothing(t *testing.T) {
	NeedOwn(t) // skips without a MariaDB
	ctx := context.Background()
	s, err := Start(ctx)
	require.NoError(t, err)
	dsn, _, err := s.CreateDatabase(ctx)
	require.NoError(t, err)
	require.NoError(t, execute(ctx, dsn, "CREATE TABLE x (y integer) ENGINE = InnoDB"))
	require.NoError(t, s.Restart(ctx))
	require.NoError(t, execute(ctx, dsn, "SELECT * FROM x"))

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
	t.Setenv(EnvDSN, "u@tcp(somewhere)/")
	s, err := Start(context.Background())
	require.NoError(t, err)
	require.Equal(t, "u@tcp(somewhere)/", s.DSN())
	require.ErrorIs(t, s.Restart(context.Background()), ErrNotOurs)
	require.NoError(t, s.Stop())
	network, _ := s.Address()
	require.Empty(t, network)
}

func TestDSN(t *testing.T) {
	got, err := withDatabase("u:p@tcp(h:1)/a?interpolateParams=true", "new")
	require.NoError(t, err)
	require.Equal(t, "u:p@tcp(h:1)/new?interpolateParams=true", got)
	require.Equal(t, "u@tcp(h)/?k=%27a%27", With("u@tcp(h)/", "k", "'a'"))
	require.Equal(t, "u@tcp(h)/?a=b&k=1", With("u@tcp(h)/?a=b", "k", "1"))
	_, err = withDatabase("u:secret@h", "new")
	require.Error(t, err)
	require.NotContains(t, err.Error(), "secret")
}

func TestWithoutMariaDBALaptopSkipsAndCIFails(t *testing.T) {
	before, server := shared.err, shared.server
	defer func() { shared.server, shared.err = server, before }()
	shared.server = nil
	for _, missing := range []error{ErrNotInstalled, ErrNoGalera} {
		shared.err = missing
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
