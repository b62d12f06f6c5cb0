package sqltest

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/sqlstore"
	"example.com/devicetotp/credential/sqlstore/sqltest/pgtest"
)

// Writers of one process wait in line, where the context ends the wait at once,
// and not in SQLite, where it does not.
func TestSQLiteWritersOfOneProcessTakeTurns(t *testing.T) {
	ctx := context.Background()
	d := database{"sqlite", "file:" + filepath.Join(t.TempDir(), "accounts.db") + sqlitePragmas, sqlstore.DialectSQLite}
	store, spy := d.spied(t)
	require.NoError(t, store.Put(ctx, credential.Account{ID: "a"}))
	a := load(t, store, "a")
	a.Next = 7
	spy.take()

	inside, leave := make(chan struct{}), make(chan struct{})
	let := sync.OnceFunc(func() { close(leave) })
	defer let()
	var taken atomic.Bool
	spy.hooks(nil, func(call) error {
		if taken.CompareAndSwap(false, true) {
			close(inside)
			<-leave
		}
		return nil
	})
	answer := make(chan error, 1)
	go func() { answer <- store.Save(ctx, a) }()
	<-inside
	canceled, giveUp := context.WithCancel(ctx)
	waiting := &watched{Context: canceled, asked: make(chan struct{})}
	second := make(chan error, 1)
	go func() { second <- store.Save(waiting, a) }()
	<-waiting.asked
	giveUp()
	require.ErrorIs(t, <-second, context.Canceled)
	let()
	require.NoError(t, <-answer)
	require.Len(t, spy.take(), 1, "the one that gave up must not have reached SQLite")
	require.ErrorIs(t, store.Save(ctx, a), credential.ErrConflict)
}

// watched tells when somebody begins to wait for its end.
type watched struct {
	context.Context
	once  sync.Once
	asked chan struct{}
}

func (w *watched) Done() <-chan struct{} {
	w.once.Do(func() { close(w.asked) })
	return w.Context.Done()
}

// Another process that keeps the write lock makes a Save wait for busy_timeout
// and then fail: not a conflict, because nothing says that the account changed.
func TestSaveThatWaitsForAnotherProcess(t *testing.T) {
	if testing.Short() {
		pgtest.Skip(t, "waits for a busy_timeout of 5 s")
	}
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "accounts.db")
	store := migrated(t, openSQLite(t, path), sqlstore.DialectSQLite, sqlstore.Config{})
	require.NoError(t, store.Put(ctx, credential.Account{ID: "a"}))
	a := load(t, store, "a")
	a.Next = 7

	other, err := openSQLite(t, path).Conn(ctx)
	require.NoError(t, err)
	defer other.Close()
	_, err = other.ExecContext(ctx, `BEGIN IMMEDIATE`)
	require.NoError(t, err)
	err = store.Save(ctx, a)
	require.ErrorContains(t, err, "SQLITE_BUSY")
	require.False(t, errors.Is(err, credential.ErrConflict))
	require.Zero(t, load(t, store, "a").Version, "readers do not wait for a writer")

	_, err = other.ExecContext(ctx, `ROLLBACK`)
	require.NoError(t, err)
	require.NoError(t, store.Save(ctx, a))
}
