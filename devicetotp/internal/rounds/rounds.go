// Package rounds is the mechanism that every operation stands on:
//
//	load the account, decide, save once if nothing changed meanwhile, answer
//
// It knows the store, the clock and package errors. It knows no request, no
// policy and no event: what is decided, and what the answer looks like, is the
// operation's.
package rounds

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"time"

	"example.com/devicetotp/clock"
	"example.com/devicetotp/credential"
)

// Limits bound the work of one request.
type Limits struct {
	MaxRounds       int
	RoundsTimeout   time.Duration
	StoreTimeout    time.Duration
	VerifierTimeout time.Duration
	MaxWaiting      int
}

// An Engine carries out the requests of one Issuer.
type Engine struct {
	store  credential.Store
	clock  clock.Clock
	limits Limits
	lanes  *lanes
	writer credential.WriteID // the first half names this engine
}

// NewEngine returns an engine over the accounts in store.
func NewEngine(store credential.Store, c clock.Clock, limits Limits) *Engine {
	e := &Engine{store: store, clock: c, limits: limits, lanes: newLanes(limits.MaxWaiting)}
	_, _ = rand.Read(e.writer[:])
	return e
}

// Run carries out one request. decide decides on the account, which it may
// change; save says whether the account must be saved before the answer may
// leave. After a conflict, decide is called again with the account as it is
// then. An error of Run itself means that there is no answer.
func Run[A any](c *Call, decide func(a *credential.Account) (answer A, save bool)) (answer A, err error) {
	var none A
	if err := c.enter(); err != nil {
		return none, err
	}
	defer c.leave()

	started := time.Now()
	account, err := c.load(started)
	if err != nil {
		return none, err
	}
	var attempts []attempt[A]
	for {
		c.Rounds++
		if err := c.expired(); err != nil {
			return none, err
		}
		answer, save := decide(&account)
		if !save || !c.Known || c.ReadOnly {
			return answer, nil
		}
		id := c.engine.newWriteID()
		account.State.MarkWrite(id)
		account.Next = newVersion()
		if err := account.State.Check(); err != nil {
			return none, c.Internal(err)
		}
		saveErr := c.save(account)
		if saveErr == nil {
			return answer, nil
		}
		attempts = append(attempts, attempt[A]{id, answer})
		if account, err = c.load(time.Now()); err != nil {
			return none, c.Unavailable(errors.Join(saveErr, err))
		}
		for _, a := range attempts {
			if account.State.Wrote(a.id) {
				return a.answer, nil // it had taken effect after all
			}
		}
		if !errors.Is(saveErr, credential.ErrConflict) && !errors.Is(saveErr, credential.ErrSerialization) {
			return none, c.storeFailure("Store.Save", saveErr)
		}
		if err := c.again(started, saveErr); err != nil {
			return none, err
		}
	}
}

// attempt is a save that was reported as an error, and the answer that belongs
// to it if it took effect all the same.
type attempt[A any] struct {
	id     credential.WriteID
	answer A
}

// newWriteID returns a mark for one write of this engine.
func (e *Engine) newWriteID() credential.WriteID {
	id := e.writer
	_, _ = rand.Read(id[len(id)/2:]) // never fails: crypto/rand ends the process instead
	return id
}

// newVersion returns a version that was never seen: 1 to 2^62, drawn at random.
func newVersion() int64 {
	var b [8]byte
	_, _ = rand.Read(b[:])
	return int64(binary.BigEndian.Uint64(b[:])>>2) + 1
}

// again pauses before the next round, or returns why there is none.
func (c *Call) again(started time.Time, cause error) error {
	elapsed := time.Since(started) - c.visited // without the time spent hashing
	if c.Rounds >= c.engine.limits.MaxRounds || elapsed >= c.engine.limits.RoundsTimeout {
		return c.Unavailable(fmt.Errorf("decided %d times in %v: %w", c.Rounds, elapsed, cause))
	}
	if c.firstRound == 0 {
		c.firstRound = max(elapsed, time.Microsecond)
	}
	c.pause(jitter(c.firstRound, c.Rounds))
	return nil
}

const maxPause = time.Second

// jitter returns a random pause before the next round: full jitter, growing with
// the rounds, measured in what the first one took.
func jitter(first time.Duration, round int) time.Duration {
	limit := maxPause
	if round < 20 {
		limit = min(limit, first<<round)
	}
	return mathrand.N(limit) + 1
}
