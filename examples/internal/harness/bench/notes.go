package main

import (
	"context"
	"database/sql/driver"
	"sync"
	"time"
)

// A sent statement is one message to the database, and how long its answer took: until
// the rows were read, where there are rows.
type sent struct {
	query string
	took  time.Duration
}

// notes is a connector in front of another one. It takes note of the statements
// that are sent.
type notes struct {
	driver.Connector

	mu   sync.Mutex
	sent []*sent
}

// Connect implements driver.Connector.
func (n *notes) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := n.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &notedConn{conn, n}, nil
}

// note takes note of a statement that begins now. The function that it returns is
// called when it is answered.
func (n *notes) note(query string) (answered func()) {
	s := &sent{query: query}
	n.mu.Lock()
	n.sent = append(n.sent, s)
	n.mu.Unlock()
	began := time.Now()
	return func() {
		took := time.Since(began)
		n.mu.Lock()
		s.took = took
		n.mu.Unlock()
	}
}

// take returns the statements since the last time.
func (n *notes) take() (all []sent) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, s := range n.sent {
		all = append(all, *s)
	}
	n.sent = nil
	return all
}

// queries returns what was sent.
func queries(all []sent) (queries []string) {
	for _, s := range all {
		queries = append(queries, s.query)
	}
	return queries
}

// notedConn passes on what database/sql prefers.
type notedConn struct {
	driver.Conn
	notes *notes
}

func (c *notedConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	defer c.notes.note(query)()
	return c.Conn.(driver.ExecerContext).ExecContext(ctx, query, args)
}

func (c *notedConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	answered := c.notes.note(query)
	rows, err := c.Conn.(driver.QueryerContext).QueryContext(ctx, query, args)
	if err != nil {
		answered()
		return nil, err
	}
	return notedRows{rows, answered}, nil
}

// PrepareContext takes note of what would cost one more message.
func (c *notedConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	defer c.notes.note("PREPARE " + query)()
	return c.Conn.(driver.ConnPrepareContext).PrepareContext(ctx, query)
}

// BeginTx takes note of what would cost two more.
func (c *notedConn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	defer c.notes.note("BEGIN")()
	tx, err := c.Conn.(driver.ConnBeginTx).BeginTx(ctx, opts)
	return notedTx{tx, c.notes}, err
}

// notedRows are answered when they are closed.
type notedRows struct {
	driver.Rows
	answered func()
}

// Close implements driver.Rows.
func (r notedRows) Close() error {
	defer r.answered()
	return r.Rows.Close()
}

type notedTx struct {
	driver.Tx
	notes *notes
}

// Commit takes note.
func (tx notedTx) Commit() error {
	defer tx.notes.note("COMMIT")()
	return tx.Tx.Commit()
}

// dsnConnector connects with a driver that has no connector of its own.
type dsnConnector struct {
	driver driver.Driver
	dsn    string
}

func (c dsnConnector) Connect(context.Context) (driver.Conn, error) { return c.driver.Open(c.dsn) }

func (c dsnConnector) Driver() driver.Driver { return c.driver }
