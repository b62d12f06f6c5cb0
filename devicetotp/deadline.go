package devicetotp

import (
	"context"
	"sync"
	"time"
)

// deadline is a context that ends after a time of its own. Its timer is only
// made when somebody waits for it to end, which a store in memory or a verifier
// that computes never does; a request has three of them.
type deadline struct {
	parent   context.Context
	detached bool // the parent's end is not its end
	at       time.Time

	mu     sync.Mutex
	armed  context.Context // nil until somebody waits
	cancel context.CancelFunc
}

// Deadline implements context.Context.
func (d *deadline) Deadline() (at time.Time, ok bool) {
	if at, ok := d.parent.Deadline(); ok && !d.detached && at.Before(d.at) {
		return at, true
	}
	return d.at, true
}

// Done implements context.Context.
func (d *deadline) Done() <-chan struct{} { return d.arm().Done() }

// Err implements context.Context.
func (d *deadline) Err() error {
	if ctx := d.ifArmed(); ctx != nil {
		return ctx.Err()
	}
	if err := d.parent.Err(); err != nil && !d.detached {
		return err
	}
	if time.Until(d.at) <= 0 {
		return d.arm().Err() // so that Done and Err agree from now on
	}
	return nil
}

// Value implements context.Context. Once there is a timer, contexts derived from
// this one find it, and need no goroutine to watch.
func (d *deadline) Value(key any) any {
	if ctx := d.ifArmed(); ctx != nil {
		return ctx.Value(key)
	}
	return d.parent.Value(key)
}

func (d *deadline) ifArmed() context.Context {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.armed
}

func (d *deadline) arm() context.Context {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.armed == nil {
		parent := d.parent
		if d.detached {
			parent = context.WithoutCancel(parent)
		}
		d.armed, d.cancel = context.WithDeadline(parent, d.at)
	}
	return d.armed
}

// end gives back the timer, if there is one.
func (d *deadline) end() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.cancel != nil {
		d.cancel()
	}
}
