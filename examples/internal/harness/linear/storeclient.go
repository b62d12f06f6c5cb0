package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"example.com/devicetotp/credential"
)

// actOnStore makes one call, or a Load and the Save of what it returned.
func (c *client) actOnStore(ctx context.Context) {
	id := c.account()
	switch n := c.random.IntN(100); {
	case n < 55:
		c.loadAndSave(ctx, id)
	case n < 60:
		c.load(ctx, id)
	case n < 70:
		c.load(ctx, c.earlier())
	case n < 78:
		base := account{Exists: true, Password: c.password(), Locked: c.random.IntN(2) == 0}
		c.call(ctx, id, input{Op: opPut, Base: base}, func(ctx context.Context) output {
			return done(true, c.store.Put(ctx, base.asCredential(id)))
		})
	case n < 84:
		locked := c.random.IntN(2) == 0
		c.call(ctx, id, input{Op: opLock, Locked: locked}, func(ctx context.Context) output {
			return done(true, c.store.SetLocked(ctx, id, locked))
		})
	case n < 90:
		from, to := c.password(), c.password()
		c.call(ctx, id, input{Op: opRotate, From: from, To: to}, func(ctx context.Context) output {
			return done(true, c.store.RotateHash(ctx, id, credential.FactorPassword, from, to))
		})
	case n < 98:
		c.insert(ctx, id)
	default:
		c.call(ctx, id, input{Op: opDelete}, func(ctx context.Context) output {
			return done(c.store.Delete(ctx, id))
		})
	}
}

func (c *client) insert(ctx context.Context, id string) output {
	base := account{Exists: true, Version: newVersion(), Mark: c.mark(), Password: c.password()}
	return c.call(ctx, id, input{Op: opInsert, Base: base}, func(ctx context.Context) output {
		return done(c.store.Insert(ctx, base.asCredential(id)))
	})
}

func (c *client) load(ctx context.Context, id string) (credential.Account, bool) {
	var loaded credential.Account
	out := c.call(ctx, id, input{Op: opLoad}, func(ctx context.Context) output {
		var err error
		loaded, err = c.store.Load(ctx, id)
		out := done(true, err)
		if err == nil {
			out.Loaded = asAccount(loaded)
		}
		return out
	})
	return loaded, out.Result == resultDone
}

func (c *client) loadAndSave(ctx context.Context, id string) {
	a, ok := c.load(ctx, id)
	if !ok {
		return
	}
	if c.random.IntN(2) == 0 {
		c.pause()
	}
	for c.save(ctx, &a) {
		c.pause()
	}
}

// save reports whether the caller has a to save on: what it saved with an unknown
// outcome is seen, though perhaps not kept.
func (c *client) save(ctx context.Context, a *credential.Account) (again bool) {
	in := input{Op: opSave, Base: asAccount(*a), Mark: c.mark()}
	a.Next = c.config.Plant.nextVersion(*a)
	in.Next, a.State.OTP.Failures = a.Next, in.Mark
	var out output
	for range saveAgain { // a Save that was not sent is sent later, as it is
		out = c.call(ctx, a.ID, in, func(ctx context.Context) output { return done(true, c.store.Save(ctx, *a)) })
		if out.Result != resultNotSent {
			break
		}
		c.pause()
	}
	if out.Result != resultUnknown {
		return false
	}
	seen, ok := c.load(ctx, a.ID)
	again = ok && seen.Version == in.Next
	*a = seen
	return again
}

const saveAgain = 5

// pause is what a request does between its Load and its Save.
func (c *client) pause() { time.Sleep(time.Duration(c.random.Int64N(int64(c.config.Target.hold())))) }

// password is one of few, so that RotateHash finds what it looks for.
func (c *client) password() string { return fmt.Sprintf("p%d", c.random.IntN(3)) }

func (c *client) mark() int { return 1 + c.random.IntN(999_999) }

func newVersion() int64 { return 1 + rand.Int64N(credential.MaxVersion) }

func (a account) asCredential(id string) credential.Account {
	return credential.Account{
		ID: id, PasswordHash: a.Password, Locked: a.Locked, Version: a.Version,
		State: credential.State{OTP: credential.Attempts{Failures: a.Mark}},
	}
}

func asAccount(a credential.Account) account {
	return account{Exists: true, Version: a.Version, Mark: a.State.OTP.Failures, Password: a.PasswordHash, Locked: a.Locked}
}

// done classifies the outcome of a call of a store.
func done(ok bool, err error) output {
	switch {
	case errors.Is(err, credential.ErrConflict):
		return output{Result: resultConflict}
	case errors.Is(err, credential.ErrNotFound):
		return output{Result: resultNotFound}
	case isNotSent(err):
		return output{Result: resultNotSent, Detail: err.Error()}
	case err != nil:
		return output{Result: resultUnknown, Detail: err.Error()}
	case !ok:
		return output{Result: resultNothing}
	default:
		return output{Result: resultDone}
	}
}

// isNotSent recognises what never reached the database, or what it promises to
// have undone.
func isNotSent(err error) bool {
	var connecting *pgconn.ConnectError
	var network *net.OpError
	return errors.Is(err, credential.ErrSerialization) || errors.As(err, &connecting) ||
		errors.As(err, &network) && network.Op == "dial"
}
