package router

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/sqlstore"
)

// What each database knows of the accounts that have left it, or are about to. It
// is all standard SQL, which PostgreSQL and SQLite read alike.
const (
	createMoves = `CREATE TABLE IF NOT EXISTS account_moves (
		id      text    NOT NULL PRIMARY KEY,
		shard   integer NOT NULL, -- where to
		attempt integer NOT NULL, -- how often Move was called
		done    integer NOT NULL  -- 1: the account is there
	)`
	selectMove = `SELECT shard, done FROM account_moves WHERE id = $1`
	insertMove = `INSERT INTO account_moves (id, shard, attempt, done) VALUES ($1, $2, 0, 0) ON CONFLICT (id) DO NOTHING`
	// A transaction of an earlier call, which may still be under way although that
	// call has given up on it, then finds another number, or is waited for.
	beginMove  = `UPDATE account_moves SET attempt = attempt + 1 WHERE id = $1 AND shard = $2 AND done = 0 RETURNING attempt`
	finishMove = `UPDATE account_moves SET done = 1 WHERE id = $1 AND attempt = $2 AND done = 0`
	// The row goes only if nothing has changed that Load returned.
	deleteSame = `DELETE FROM ` + sqlstore.DefaultTable + ` WHERE id = $1 AND version = $2 AND registered_sec = $3 AND registered_ns = $4
		AND password_hash = $5 AND pin_hash = $6 AND locked = $7`
)

// moveTries is how often an account may change while it is being moved. A copy takes
// a few milliseconds, so more than a few changes meanwhile are no user's.
const moveTries = 100

// ErrBusy says that an account has changed again and again while it was being
// moved, and is where it was.
var ErrBusy = errors.New("router: the account changes all the time, and was not moved")

// asker is a database, or a transaction on it.
type asker interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// moved returns where an account has gone from this shard.
func (s Shard) moved(ctx context.Context, id string) (to int, gone bool, err error) {
	if !isText(id) { // PostgreSQL would refuse to look
		return 0, false, nil
	}
	return moved(ctx, s.DB, id)
}

func moved(ctx context.Context, db asker, id string) (to int, gone bool, err error) {
	var done int
	err = db.QueryRowContext(ctx, selectMove, id).Scan(&to, &done)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return 0, false, nil
	case err != nil:
		return 0, false, fmt.Errorf("router: where is the account: %w", err)
	default:
		return to, done == 1, nil
	}
}

// Move takes an account to another shard while requests for it are served. What
// was interrupted, or returned an error, can be called again with the same shard.
// One process at a time may move accounts. The error wraps credential.ErrNotFound
// if there is no such account.
func (r *Router) Move(ctx context.Context, id string, to int) error {
	if to < 0 || to >= len(r.shards) {
		return fmt.Errorf("router: there is no shard %d", to)
	}
	if _, err := r.Load(ctx, id); err != nil {
		return err
	}
	from, err := r.place(ctx, id)
	if err != nil || from == to {
		return err
	}
	if _, left, err := r.shards[to].moved(ctx, id); err != nil {
		return err
	} else if left {
		return fmt.Errorf("router: the account cannot go back to shard %d, which it has left", to)
	}
	m := move{id: id, from: r.shards[from], to: r.shards[to]}
	if err := m.begin(ctx, to); err != nil {
		return err
	}
	for range moveTries {
		if done, err := m.try(ctx); done || err != nil {
			return err
		}
	}
	return ErrBusy
}

// errOther says that the move is not, or no longer, this call's.
var errOther = errors.New("router: another move of the account is not finished")

// place returns the shard at the end of the way that the account has gone.
func (r *Router) place(ctx context.Context, id string) (int, error) {
	at := r.Home(id)
	for {
		to, gone, err := r.shards[at].moved(ctx, id)
		if err != nil || !gone {
			return at, err
		}
		at = to
	}
}

// move is one call of Move.
type move struct {
	id       string
	from, to Shard
	attempt  int
}

// begin writes down where the account is about to go. A move that was not finished
// must be finished before one to another shard begins.
func (m *move) begin(ctx context.Context, to int) error {
	if _, err := m.from.DB.ExecContext(ctx, insertMove, m.id, to); err != nil {
		return fmt.Errorf("router: move: %w", err)
	}
	err := m.from.DB.QueryRowContext(ctx, beginMove, m.id, to).Scan(&m.attempt)
	if errors.Is(err, sql.ErrNoRows) {
		return errOther
	}
	if err != nil {
		return fmt.Errorf("router: move: %w", err)
	}
	return nil
}

// try copies the account and lets it go where it was if it is still the same.
func (m *move) try(ctx context.Context) (done bool, err error) {
	// A copy of an earlier try, which nobody looks for.
	if _, err := m.to.Store.Delete(ctx, m.id); err != nil {
		return false, err
	}
	a, err := m.from.Store.Load(ctx, m.id)
	if err != nil {
		return false, err
	}
	if inserted, err := m.to.Store.Insert(ctx, a); err != nil || !inserted {
		return false, errors.Join(err, errOther)
	}
	return m.letGo(ctx, a)
}

// letGo deletes the account and says where it went, in one transaction, or does
// nothing if the account has changed.
func (m *move) letGo(ctx context.Context, a credential.Account) (done bool, err error) {
	tx, err := m.from.DB.BeginTx(ctx, nil)
	if err != nil {
		return false, fmt.Errorf("router: move: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // nothing is left to undo after Commit
	same, err := one(ctx, tx, deleteSame, a.ID, a.Version, a.RegisteredAt.Unix(), a.RegisteredAt.Nanosecond(),
		a.PasswordHash, a.PINHash, a.Locked)
	if err != nil || !same {
		return false, err
	}
	if ours, err := one(ctx, tx, finishMove, a.ID, m.attempt); err != nil || !ours {
		return false, errors.Join(err, errOther)
	}
	if err := tx.Commit(); err != nil {
		return false, fmt.Errorf("router: move: %w", err)
	}
	return true, nil
}

// one reports whether the statement changed its row.
func one(ctx context.Context, tx *sql.Tx, query string, args ...any) (bool, error) {
	result, err := tx.ExecContext(ctx, query, args...)
	if err != nil {
		return false, fmt.Errorf("router: move: %w", err)
	}
	rows, err := result.RowsAffected()
	return rows == 1, err
}
