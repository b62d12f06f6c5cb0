// Package router divides accounts among several databases: the last step when one
// is too small.
//
// [Router] is a credential.Store that passes each call on to the sqlstore.Store in
// whose database the account is. Nothing is shared between databases, so no request
// touches two of them. An account begins in the database that a hash of its id
// says, its home, and [Router.Move] takes it to another one while clients work.
//
// # How an account moves
//
// It is copied to its new place, where nobody looks for it yet. Then one
// transaction, in the database that it leaves, deletes it there if nothing of it
// has changed since it was copied, and writes down where it went. If something has
// changed, it is copied again. A request that loaded it before the move and saves
// it afterwards finds no row, which is a conflict, as if somebody else had saved
// meanwhile: the library loads it again, now from its new place, and decides again.
// No request is refused, and nothing is lost, because there is no moment at
// which two databases have an account that is looked for, or none.
//
// A Load asks the account's home, and only if it is not there, where it went. So an
// account that never moved costs what it costs without a router.
//
// # What it does not do
//
// An account does not go back to a database that it has left: [Router.Move] refuses that.
// One process moves accounts, one after another. Take the number of databases
// large from the start, several to a machine: a hash over another number of
// them looks for accounts elsewhere, and moving whole databases to more
// machines needs none of this.
package router

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"hash/fnv"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/sqlstore"
)

// A Shard is one of the databases.
type Shard struct {
	DB    *sql.DB
	Store *sqlstore.Store // on DB, with the table sqlstore.DefaultTable
}

// Router is a credential.Store over several databases. It is safe for concurrent
// use, by any number of processes with the same shards in the same order.
type Router struct{ shards []Shard }

var _ credential.Store = (*Router)(nil)

// New returns a router. The order of the shards must never change, nor their
// number.
func New(shards ...Shard) (*Router, error) {
	if len(shards) == 0 {
		return nil, errors.New("router: no shards")
	}
	return &Router{shards}, nil
}

// Migrate makes the tables in every database.
func (r *Router) Migrate(ctx context.Context) error {
	for i, s := range r.shards {
		if err := s.Store.Migrate(ctx); err != nil {
			return fmt.Errorf("router: shard %d: %w", i, err)
		}
		if _, err := s.DB.ExecContext(ctx, createMoves); err != nil {
			return fmt.Errorf("router: shard %d: %w", i, err)
		}
	}
	return nil
}

// Home is the number of the shard in which an account begins.
func (r *Router) Home(id string) int {
	sum := fnv.New64a()
	_, _ = sum.Write([]byte(id)) // never fails
	return int(sum.Sum64() % uint64(len(r.shards)))
}

// follow calls one shard after another, along the way that the account has gone,
// until it is there. there says so of the error that call returned.
func (r *Router) follow(ctx context.Context, id string, call func(Shard) error, there func(error) bool) error {
	at := r.Home(id)
	for {
		err := call(r.shards[at])
		if there(err) {
			return err
		}
		to, gone, moveErr := r.shards[at].moved(ctx, id)
		if moveErr != nil {
			return moveErr
		}
		if !gone {
			return err
		}
		at = to
	}
}

// Load implements credential.Store.
func (r *Router) Load(ctx context.Context, id string) (a credential.Account, err error) {
	err = r.follow(ctx, id, func(s Shard) (err error) {
		a, err = s.Store.Load(ctx, id)
		return err
	}, isNot(credential.ErrNotFound))
	return a, err
}

// Save implements credential.Store. A conflict can mean that the account has moved,
// and then its new place is asked: if nothing else has changed, it is saved
// there.
func (r *Router) Save(ctx context.Context, a credential.Account) error {
	return r.follow(ctx, a.ID, func(s Shard) error { return s.Store.Save(ctx, a) }, isNot(credential.ErrConflict))
}

// SetLocked is sqlstore.Store.SetLocked, wherever the account is.
func (r *Router) SetLocked(ctx context.Context, id string, locked bool) error {
	return r.follow(ctx, id, func(s Shard) error { return s.Store.SetLocked(ctx, id, locked) }, isNot(credential.ErrNotFound))
}

// RotateHash is sqlstore.Store.RotateHash, wherever the account is.
func (r *Router) RotateHash(ctx context.Context, id string, f credential.Factor, from, to string) error {
	return r.follow(ctx, id, func(s Shard) error { return s.Store.RotateHash(ctx, id, f, from, to) }, isNot(credential.ErrConflict))
}

func isNot(kind error) func(error) bool { return func(err error) bool { return !errors.Is(err, kind) } }

// Insert adds an account if there is none of that id, and reports whether it did. If
// it did not, or after an error, the row may still be this one: sqlstore.Store.Insert
// says how to know. There is no Put: it would make an account again that is just
// moving away.
func (r *Router) Insert(ctx context.Context, a credential.Account) (inserted bool, err error) {
	at := r.Home(a.ID)
	for {
		inserted, gone, err := r.shards[at].insert(ctx, a)
		if err != nil || !gone {
			return inserted, err
		}
		if at, _, err = r.shards[at].moved(ctx, a.ID); err != nil {
			return false, err
		}
	}
}

// Delete removes an account, wherever it is, and reports whether it was there.
func (r *Router) Delete(ctx context.Context, id string) (deleted bool, err error) {
	err = r.follow(ctx, id, func(s Shard) (err error) {
		deleted, err = s.Store.Delete(ctx, id)
		return err
	}, func(err error) bool { return err != nil || deleted })
	return deleted, err
}
