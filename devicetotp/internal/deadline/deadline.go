// Package deadline has contexts that cost nothing unless somebody waits for
// them.
package deadline

import (
	"context"
	"sync"
	"time"
)

// Context is a context that ends after a time of its own. Its timer is only
// made when somebody waits for it to end, which a store in memory, a verifier
// that computes or the look-up of a token never does; a request has four or
// five of them. [Context.Start] begins it, once.
type Context struct {
	parent   context.Context
	detached bool
	at       time.Time

	mu     sync.Mutex
	armed  context.Context // nil until somebody waits
	cancel context.CancelFunc
	ended  bool
}

// Start makes c a child of parent that ends at the given time at the latest.
// If it is detached, the end of parent is not its end.
func (c *Context) Start(parent context.Context, detached bool, at time.Time) {
	c.parent, c.detached, c.at = parent, detached, at
}

// End cancels c and gives back the timer, if there is one.
func (c *Context) End() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = true
	if c.cancel != nil {
		c.cancel()
	}
}

// Deadline implements context.Context.
func (c *Context) Deadline() (at time.Time, ok bool) {
	if at, ok := c.parent.Deadline(); ok && !c.detached && at.Before(c.at) {
		return at, true
	}
	return c.at, true
}

// Done implements context.Context.
func (c *Context) Done() <-chan struct{} { return c.arm().Done() }

// Err implements context.Context.
func (c *Context) Err() error {
	if ctx := c.ifArmed(); ctx != nil {
		return ctx.Err()
	}
	if err := c.parent.Err(); err != nil && !c.detached {
		return err
	}
	if time.Until(c.at) <= 0 {
		return c.arm().Err() // so that Done and Err agree from now on
	}
	return nil
}

// Value implements context.Context. Once there is a timer, contexts derived from
// this one find it, and need no goroutine to watch.
func (c *Context) Value(key any) any {
	if ctx := c.ifArmed(); ctx != nil {
		return ctx.Value(key)
	}
	return c.parent.Value(key)
}

// ifArmed is the context with the timer, which an ended one has too: whoever
// asks so late learns that it was cancelled.
func (c *Context) ifArmed() context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended && c.armed == nil {
		c.make()
	}
	return c.armed
}

func (c *Context) arm() context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.armed == nil {
		c.make()
	}
	return c.armed
}

// make is called with mu held.
func (c *Context) make() {
	parent := c.parent
	if c.detached {
		parent = context.WithoutCancel(parent)
	}
	c.armed, c.cancel = context.WithDeadline(parent, c.at)
	if c.ended {
		c.cancel()
	}
}
