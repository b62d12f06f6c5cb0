package devicetotp

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"slices"
	"time"

	"example.com/devicetotp/credential"
)

// round is what deciding on an account came to: the account to save, whether to
// save it, and the answer, which must not leave before the save has succeeded.
type round struct {
	next   credential.Account
	save   bool
	answer outcome
}

// decideFunc decides on an account. known is false if the store has no such
// account; nothing is saved then.
type decideFunc func(a credential.Account, known bool) round

// run is the one idea of this library: load the account, decide in memory, save
// if nothing changed meanwhile, answer. After a conflict it loads and decides
// again.
func (c *call) run(decide decideFunc) outcome {
	i := c.issuer
	if err := i.lanes.enter(c.ctx, c.accountID); err != nil {
		return refused(c.unavailable(err))
	}
	defer i.lanes.leave(c.accountID)

	w := stopwatch{started: time.Now(), call: c}
	account, known, err := c.load(w.started)
	if err != nil {
		return refused(err)
	}
	var saves []attemptedSave
	for {
		c.rounds++
		if err := c.expired(); err != nil {
			return refused(err)
		}
		r := decide(account, known)
		if !r.save || !known {
			return r.answer
		}
		id := newWriteID()
		r.next.State.Writes = append(lastWrites(r.next.State.Writes), id)
		if err := r.next.State.Check(); err != nil {
			return refused(c.internal(err))
		}
		r.next.Next = newVersion()
		saveErr := c.save(r.next)
		if saveErr == nil {
			return r.answer
		}
		saves = append(saves, attemptedSave{id, r.answer})
		if account, known, err = c.load(time.Now()); err != nil {
			return refused(c.unavailable(errors.Join(saveErr, err)))
		}
		for _, s := range saves {
			if slices.Contains(account.State.Writes, s.id) {
				return s.answer // it had taken effect after all
			}
		}
		if !errors.Is(saveErr, credential.ErrConflict) {
			return refused(c.storeFailure("Store.Save", saveErr))
		}
		if c.rounds >= i.limits.MaxRounds || w.elapsed() >= i.limits.RoundsTimeout {
			return refused(c.unavailable(fmt.Errorf("decided %d times in %v: %w", c.rounds, w.elapsed(), saveErr)))
		}
		c.pause(w.jitter(c.rounds))
	}
}

// attemptedSave is a save that came back as an error, and what to answer if it
// took effect all the same.
type attemptedSave struct {
	id     credential.WriteID
	answer outcome
}

func newWriteID() (id credential.WriteID) {
	_, _ = rand.Read(id[:]) // never fails: crypto/rand ends the process instead
	return id
}

// newVersion returns 1 to credential.MaxVersion, drawn at random: a version that
// counts comes back after a fail-over.
func newVersion() int64 {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails, as above
	return 1 + int64(binary.BigEndian.Uint64(b[:])%credential.MaxVersion)
}

// lastWrites leaves room for one more write id.
func lastWrites(ids []credential.WriteID) []credential.WriteID {
	return ids[max(0, len(ids)-credential.MaxWrites+1):]
}

func (c *call) load(now time.Time) (a credential.Account, known bool, err error) {
	a, err = c.callLoad(now)
	switch {
	case errors.Is(err, credential.ErrNotFound):
		return credential.Account{ID: c.accountID}, false, nil
	case err == nil && a.ID != c.accountID:
		err = fmt.Errorf("%w: the account has another ID than the one asked for", errNonsense)
	case err == nil && a.Version < 0:
		err = fmt.Errorf("%w: version %d", errNonsense, a.Version)
	}
	if err != nil {
		return credential.Account{}, false, c.storeFailure("Store.Load", err)
	}
	return a, true, nil
}

func (c *call) callLoad(now time.Time) (a credential.Account, err error) {
	ctx := c.detached(now)
	defer ctx.End()
	defer contain("Store.Load", &err)
	return c.issuer.store.Load(ctx, c.accountID)
}

func (c *call) save(a credential.Account) (err error) {
	ctx := c.detached(time.Now())
	defer ctx.End()
	defer contain("Store.Save", &err)
	return c.issuer.store.Save(ctx, a)
}

// stopwatch measures a request without the time spent hashing.
type stopwatch struct {
	started time.Time
	call    *call
	first   time.Duration // of the first round
}

func (w *stopwatch) elapsed() time.Duration { return time.Since(w.started) - w.call.looking }

const maxPause = time.Second

// jitter is a random pause before the next round: full jitter, growing with the
// rounds, in the measure of what a round takes.
func (w *stopwatch) jitter(round int) time.Duration {
	if w.first == 0 {
		w.first = max(w.elapsed(), time.Microsecond)
	}
	limit := maxPause
	if round < 20 {
		limit = min(limit, w.first<<round)
	}
	return mathrand.N(limit) + 1
}

// pause waits; a caller who hangs up ends it until a credential has been looked
// at.
func (c *call) pause(d time.Duration) {
	ctx := c.ctx
	if c.looked {
		ctx = context.WithoutCancel(ctx)
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
