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
	doubts doubts
	writer credential.WriteID // the first half names this engine
}

// NewEngine returns an engine over the accounts in store.
func NewEngine(store credential.Store, c clock.Clock, limits Limits) *Engine {
	e := &Engine{store: store, clock: c, limits: limits, lanes: newLanes(limits.MaxWaiting)}
	_, _ = rand.Read(e.writer[:])
	return e
}

// Run carries out one request. decide decides on the account, which it may
// change; save reports whether the account must be saved before the answer may
// leave. After a conflict, decide is called again with the account as it is
// then. An error of Run itself means that there is no answer.
//
// The answer leaves only after a Save of this request has returned nil. That a
// Load shows the request's own write is not enough: a database that waits for its
// standby shows rows that the standby does not have. So a write that is found
// after an unclear Save is confirmed: the account is saved once more, as a round
// of its own, under the same write id.
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
	// Those whose Save returned an error, to be found again if it took effect. One that
	// only settles has no answer to give, and is not among them.
	var sent []write[A]
	for {
		c.Rounds++
		if err := c.expired(); err != nil {
			return none, err
		}
		var this write[A]
		earlier, confirming := find(sent, &account)
		switch {
		case confirming:
			this = earlier
		case c.unsettled():
			this.settles = true
		default:
			answer, save := decide(&account)
			if !save || !c.Known || c.ReadOnly {
				return answer, nil
			}
			this = write[A]{id: c.newWriteID(), answer: answer}
			account.State.MarkWrite(this.id)
		}
		saveErr := c.save(&account)
		switch {
		case saveErr == nil && this.settles:
			account.Version = account.Next
			continue
		case saveErr == nil:
			return this.answer, nil
		case !this.settles:
			sent = append(sent, this)
		}
		if err := c.reload(&account, saveErr, unclear(saveErr) || confirming); err != nil {
			return none, err
		}
		if _, found := find(sent, &account); unclear(saveErr) && !confirming && !found {
			return none, c.storeFailure("Store.Save", saveErr)
		}
		if err := c.again(started, saveErr); err != nil {
			return none, err
		}
	}
}

// write is what one round saves: a decision, under a write id of its own; that
// write once more, to confirm it; or the account as it is, to settle whether the
// store can write at all.
type write[A any] struct {
	id      credential.WriteID
	answer  A // leaves once it is saved
	settles bool
}

// find returns the write of this request that the account shows, although its
// Save was reported as an error.
func find[A any](sent []write[A], a *credential.Account) (w write[A], found bool) {
	for _, w := range sent {
		if a.State.Wrote(w.id) {
			return w, true
		}
	}
	return w, false
}

// newWriteID returns a mark for one write of this engine.
func (c *Call) newWriteID() credential.WriteID {
	id := c.engine.writer
	copy(id[len(id)/2:], c.random())
	return id
}

// newVersion returns a version that was never seen: 1 to 2^62, drawn at random. A
// counter would come back after a fail-over, and let a save match that stands on
// what is gone.
func (c *Call) newVersion() int64 { return versionOf(binary.BigEndian.Uint64(c.random())) }

func versionOf(random uint64) int64 { return int64(random>>2) + 1 }

// random returns 8 random bytes, which the next call replaces. They are a part of
// the Call because what is passed to crypto/rand would be allocated otherwise.
func (c *Call) random() []byte {
	_, _ = rand.Read(c.entropy[:]) // never fails: crypto/rand ends the process instead
	return c.entropy[:]
}

// unclear reports whether an error of Save leaves open whether it took effect.
func unclear(err error) bool {
	return !errors.Is(err, credential.ErrConflict) && !errors.Is(err, credential.ErrSerialization)
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
