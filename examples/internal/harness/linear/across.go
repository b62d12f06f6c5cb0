package main

import (
	"context"
	"fmt"
	"time"

	"example.com/devicetotp/credential"
)

// What the command says to a process of clients, and that process to it. Each is a
// line; away and promoted are of an engine with a standby only.
const (
	ready    = "ready"    // the process: the store is open
	begin    = "begin"    // the command: begin to call
	away     = "away"     // the command: the standby is gone, and commits wait for it
	holds    = "holds"    // the process: one client more has a Save to send after the fail-over
	promoted = "promoted" // the command: the standby is the one that writes
)

// failOver is what a process knows of one.
type failOver struct{ away, promoted chan struct{} }

func newFailOver() *failOver {
	return &failOver{away: make(chan struct{}), promoted: make(chan struct{})}
}

// hear takes one line of the command, each of which it says once.
func (f *failOver) hear(line string) {
	switch line {
	case away:
		close(f.away)
	case promoted:
		close(f.promoted)
	}
}

// saveAcross is two requests for an account that no other client uses. The first loads
// a Save that is seen while the standby is away, and is lost with the primary. It is
// still at work when the fail-over is done. Then the second saves once on what was
// kept, and only then does the first save, which must be a conflict. Versions that
// count would be the same.
func (c *client) saveAcross(ctx context.Context, f *failOver) {
	id := fmt.Sprintf("%s-across-%d-%d", c.model, c.config.Seed, c.number)
	calls := context.WithoutCancel(ctx)
	there := c.insertBefore(ctx, f.away, id)
	if !waitFor(ctx, f.away) {
		return
	}
	var held credential.Account
	if there {
		held, there = c.advance(calls, id)
	}
	c.log.say(holds)
	if !waitFor(ctx, f.promoted) || !there {
		return
	}
	c.advance(calls, id)
	c.save(calls, &held)
	c.load(calls, id)
}

// insertBefore makes an account, and reports whether it is known to be kept before
// something is said or the run ends.
func (c *client) insertBefore(ctx context.Context, said <-chan struct{}, id string) bool {
	for ctx.Err() == nil && !isClosed(said) {
		switch c.insert(context.WithoutCancel(ctx), id).Result {
		case resultDone:
			return true
		case resultNothing: // an earlier one took effect, and perhaps only where it is lost
			return false
		}
	}
	return false
}

// waitFor returns when something is said or the run ends, and reports whether it was
// said.
func waitFor(ctx context.Context, said <-chan struct{}) bool {
	select {
	case <-said:
	case <-ctx.Done():
	}
	return isClosed(said)
}

func isClosed(said <-chan struct{}) bool {
	select {
	case <-said:
		return true
	default:
		return false
	}
}

// advance saves until a Load shows a Save, and returns what it shows.
func (c *client) advance(ctx context.Context, id string) (seen credential.Account, ok bool) {
	base, ok := c.loadPatiently(ctx, id)
	for seen = base; ok && seen.Version == base.Version; seen, ok = c.loadPatiently(ctx, id) {
		a := seen
		c.save(ctx, &a)
	}
	return seen, ok
}

// loadPatiently waits for a connection, and loads again where an outcome is not known:
// while the standby is away, every client of a busy machine wants a new one.
func (c *client) loadPatiently(ctx context.Context, id string) (a credential.Account, ok bool) {
	const long = patience / 4
	patient := *c
	patient.config.Target.Timeout = long
	for end := time.Now().Add(long); !ok && time.Now().Before(end); {
		a, ok = patient.load(ctx, id)
	}
	return a, ok
}
