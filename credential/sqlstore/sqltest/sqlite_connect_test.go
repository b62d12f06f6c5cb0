package sqltest

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential/sqlstore"
)

// resultError is like what modernc.org/sqlite returns.
type resultError int

func (e resultError) Error() string { return "a result of SQLite" }
func (e resultError) Code() int     { return int(e) }

const (
	errBusy         = resultError(5)
	errBusySnapshot = resultError(5 | 2<<8)
	errCantOpen     = resultError(14)
)

// refusing fails to connect so many times, and calls refused each time.
type refusing struct {
	driver.Connector
	err     error
	left    atomic.Int64
	refused func()
}

func (r *refusing) Connect(ctx context.Context) (driver.Conn, error) {
	if r.left.Add(-1) >= 0 {
		r.refused()
		return nil, r.err
	}
	return r.Connector.Connect(ctx)
}

// refusingSQLite is a new database file that refuses the first connections.
func refusingSQLite(t *testing.T, times int64, err error, refused func()) *sql.DB {
	t.Helper()
	_, direct := openSpy(t, "sqlite", "file:"+filepath.Join(t.TempDir(), "a.db")+sqlitePragmas)
	r := &refusing{Connector: direct, err: err, refused: refused}
	r.left.Store(times)
	db := sql.OpenDB(r)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

// Processes that start together on a new file all set journal_mode, and SQLite
// refuses those that come second at once, whatever busy_timeout says.
func TestNewWaitsWhileAnotherProcessMakesTheFile(t *testing.T) {
	for _, busy := range []resultError{errBusy, errBusySnapshot} {
		db := refusingSQLite(t, 3, busy, func() {})
		_, err := sqlstore.New(context.Background(), db, sqlstore.DialectSQLite, sqlstore.Config{})
		require.NoError(t, err)
	}
}

func TestNewDoesNotWaitForOtherFaultsOrBeyondItsContext(t *testing.T) {
	db := refusingSQLite(t, 1, errCantOpen, func() {})
	_, err := sqlstore.New(context.Background(), db, sqlstore.DialectSQLite, sqlstore.Config{})
	require.ErrorIs(t, err, errCantOpen)

	ctx, cancel := context.WithCancel(context.Background())
	db = refusingSQLite(t, 1<<62, errBusy, cancel)
	_, err = sqlstore.New(ctx, db, sqlstore.DialectSQLite, sqlstore.Config{})
	require.ErrorIs(t, err, context.Canceled)
}
