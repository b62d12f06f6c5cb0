package sqltest

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// spy is a driver in front of another one. It writes down what database/sql
// asks for, and can answer something else than what happened.
type spy struct {
	real driver.Driver
	dsn  string

	mu    sync.Mutex
	calls []call
	// before is asked before a statement is sent; an error is answered
	// instead. after is asked when it has taken effect.
	before, after func(call) error
}

// A call is "prepare", "query", "exec" or "begin".
type call struct {
	kind, query string
	args        []driver.NamedValue
}

// openSpy returns a handle whose connections go through a spy.
func openSpy(t testing.TB, driverName, dsn string) (*sql.DB, *spy) {
	t.Helper()
	direct, err := sql.Open(driverName, dsn)
	require.NoError(t, err)
	s := &spy{real: direct.Driver(), dsn: dsn}
	require.NoError(t, direct.Close())
	db := sql.OpenDB(s)
	closeAtEnd(t, db)
	return db, s
}

func (s *spy) Connect(context.Context) (driver.Conn, error) {
	conn, err := s.real.Open(s.dsn)
	return &spyConn{conn, s}, err
}

func (s *spy) Driver() driver.Driver { return s.real }

func (s *spy) note(c call) error {
	s.mu.Lock()
	c.args = slices.Clone(c.args)
	s.calls = append(s.calls, c)
	hook := s.before
	s.mu.Unlock()
	if hook != nil {
		return hook(c)
	}
	return nil
}

func (s *spy) done(c call) error {
	s.mu.Lock()
	hook := s.after
	s.mu.Unlock()
	if hook != nil {
		return hook(c)
	}
	return nil
}

// take returns the calls since the last time.
func (s *spy) take() []call {
	s.mu.Lock()
	defer s.mu.Unlock()
	calls := s.calls
	s.calls = nil
	return calls
}

// hooks sets before and after.
func (s *spy) hooks(before, after func(call) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.before, s.after = before, after
}

// spyConn has the methods that database/sql prefers, as the real ones do.
type spyConn struct {
	driver.Conn
	spy *spy
}

func (c *spyConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	this := call{"exec", query, args}
	if err := c.spy.note(this); err != nil {
		return nil, err
	}
	result, err := c.Conn.(driver.ExecerContext).ExecContext(ctx, query, args)
	if err != nil {
		return nil, err
	}
	return result, c.spy.done(this)
}

func (c *spyConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	if err := c.spy.note(call{"query", query, args}); err != nil {
		return nil, err
	}
	return c.Conn.(driver.QueryerContext).QueryContext(ctx, query, args)
}

func (c *spyConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	if err := c.spy.note(call{"prepare", query, nil}); err != nil {
		return nil, err
	}
	return c.Conn.(driver.ConnPrepareContext).PrepareContext(ctx, query)
}

func (c *spyConn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	if err := c.spy.note(call{"begin", "", nil}); err != nil {
		return nil, err
	}
	return c.Conn.(driver.ConnBeginTx).BeginTx(ctx, opts)
}
