package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/internal/hostside"
)

// Store is a [credential.Store] over database/sql. It is safe for concurrent
// use. Make one a process with [New]; it needs no closing, and leaves the
// database handle open.
type Store struct {
	db      *sql.DB
	dialect Dialect
	names   names
	sql     statements
	// turn has room for one writer of this process on SQLite; nil otherwise.
	turn chan struct{}
}

var _ credential.Store = (*Store)(nil)

// New returns a store over db and checks the connection's settings, which the
// package's documentation explains. It neither creates nor looks for the table:
// call [Store.Migrate]. The error names the setting that is wrong and what to
// write in the DSN.
func New(ctx context.Context, db *sql.DB, d Dialect, opts Config) (*Store, error) {
	if db == nil {
		return nil, errors.New("sqlstore: db is nil")
	}
	check := d.settings()
	if check == nil {
		return nil, fmt.Errorf("sqlstore: %s is not a dialect: use sqlstore.DialectPostgres, sqlstore.DialectSQLite or sqlstore.DialectMySQL", d)
	}
	n, err := opts.names(d)
	if err != nil {
		return nil, fmt.Errorf("sqlstore: %w", err)
	}
	s := &Store{db: db, dialect: d, names: n, sql: newStatements(d, n.accounts)}
	if d == DialectSQLite {
		s.turn = make(chan struct{}, 1)
	}
	if err := check(ctx, db); err != nil {
		return nil, fmt.Errorf("sqlstore: %s: %w", d, err)
	}
	return s, nil
}

// Load implements [credential.Store] with one SELECT. An id that the database
// cannot hold (empty, longer than [MaxID], not UTF-8, or with a NUL) is an
// account that does not exist.
func (s *Store) Load(ctx context.Context, id string) (credential.Account, error) {
	if !hostside.IsID(id) {
		return credential.Account{}, notFound(id)
	}
	a := credential.Account{ID: id}
	var sec, nsec int64
	var state []byte
	err := s.queryRow(ctx, s.sql.load, id, &sec, &nsec, &a.PasswordHash, &a.PINHash, &a.Locked, &state, &a.Version)
	if errors.Is(err, sql.ErrNoRows) {
		return credential.Account{}, notFound(id)
	}
	if err != nil {
		return credential.Account{}, failed(ctx, "load", err)
	}
	a.RegisteredAt = time.Unix(sec, nsec).UTC()
	if err := a.State.UnmarshalBinary(state); err != nil {
		return credential.Account{}, fmt.Errorf("sqlstore: load %q: %w", id, err)
	}
	return a, nil
}

// Save implements [credential.Store] with one conditional UPDATE.
func (s *Store) Save(ctx context.Context, a credential.Account) error {
	state, err := a.State.MarshalBinary()
	if err != nil {
		return fmt.Errorf("sqlstore: save %q: %w", a.ID, err)
	}
	if err := a.CheckNext(); err != nil {
		return fmt.Errorf("sqlstore: save %q: %w", a.ID, err)
	}
	if err := ctx.Err(); err != nil {
		return failed(ctx, "save", err)
	}
	// No stored row can have such a value, and PostgreSQL would refuse to look.
	if !hostside.IsID(a.ID) || !hostside.IsText(a.PasswordHash) || !hostside.IsText(a.PINHash) {
		return conflict(a.ID)
	}
	changed, err := s.write(ctx, "save", s.sql.save, state, a.Next, a.ID, a.Version,
		a.RegisteredAt.Unix(), a.RegisteredAt.Nanosecond(), a.PasswordHash, a.PINHash, a.Locked)
	if err != nil {
		return err
	}
	if !changed {
		return conflict(a.ID)
	}
	return nil
}

// write sends one statement that changes at most one row and reports whether that
// row was there.
func (s *Store) write(ctx context.Context, op, query string, args ...any) (bool, error) {
	done, err := s.takeTurn(ctx)
	if err != nil {
		return false, failed(ctx, op, err)
	}
	defer done()
	result, err := s.exec(ctx, query, args...)
	if err == nil {
		// A server whose wait for a standby was cancelled reports the commit as
		// done. lib/pq passes that on.
		err = ctx.Err()
	}
	if err != nil {
		return false, failed(ctx, op, err)
	}
	found, err := s.found(result)
	if err != nil {
		return false, failed(ctx, op, err)
	}
	return found, nil
}

// found reports whether the statement met a row. In MySQL it can have done so
// without changing it: see mysqlPhrases.
func (s *Store) found(result sql.Result) (bool, error) {
	rows, err := result.RowsAffected()
	if err != nil || rows > 0 || s.dialect != DialectMySQL {
		return rows > 0, err
	}
	remembered, err := result.LastInsertId()
	return remembered > 0, err
}

// takeTurn waits until no other writer of this process is at work on SQLite:
// its own lock is polled with growing pauses, so that a writer can starve.
func (s *Store) takeTurn(ctx context.Context) (done func(), err error) {
	if s.turn == nil {
		return func() {}, nil
	}
	select {
	case s.turn <- struct{}{}:
		return func() { <-s.turn }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
