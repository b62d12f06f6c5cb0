package main

import (
	"context"
	"database/sql/driver"
	"sync"
)

// notes is a connector in front of another one. It takes note of the statements
// that are sent.
type notes struct {
	driver.Connector

	mu   sync.Mutex
	sent []string
}

// Connect implements driver.Connector.
func (n *notes) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := n.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &notedConn{conn, n}, nil
}

func (n *notes) note(query string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.sent = append(n.sent, query)
}

// take returns the statements since the last time.
func (n *notes) take() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	sent := n.sent
	n.sent = nil
	return sent
}

// notedConn passes on what database/sql prefers.
type notedConn struct {
	driver.Conn
	notes *notes
}

func (c *notedConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	c.notes.note(query)
	return c.Conn.(driver.ExecerContext).ExecContext(ctx, query, args)
}

func (c *notedConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	c.notes.note(query)
	return c.Conn.(driver.QueryerContext).QueryContext(ctx, query, args)
}

// PrepareContext takes note of what would cost one more message.
func (c *notedConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	c.notes.note("PREPARE " + query)
	return c.Conn.(driver.ConnPrepareContext).PrepareContext(ctx, query)
}

// BeginTx takes note of what would cost two more.
func (c *notedConn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	c.notes.note("BEGIN")
	tx, err := c.Conn.(driver.ConnBeginTx).BeginTx(ctx, opts)
	return notedTx{tx, c.notes}, err
}

type notedTx struct {
	driver.Tx
	notes *notes
}

// Commit takes note.
func (tx notedTx) Commit() error {
	tx.notes.note("COMMIT")
	return tx.Tx.Commit()
}

// dsnConnector connects with a driver that has no connector of its own.
type dsnConnector struct {
	driver driver.Driver
	dsn    string
}

func (c dsnConnector) Connect(context.Context) (driver.Conn, error) { return c.driver.Open(c.dsn) }

func (c dsnConnector) Driver() driver.Driver { return c.driver }
