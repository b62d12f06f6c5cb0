// Package clocktest has a clock for tests: [New] makes a [Fake], which stands
// still until the test moves it, forwards or backwards. It uses the standard
// library only.
package clocktest

import (
	"sync"
	"time"
)

// Fake is a clock that a test sets. It is safe for concurrent use. The zero
// value returns the zero time; make one with [New].
type Fake struct {
	mu  sync.Mutex
	now time.Time
}

// New returns a clock that stands at t.
func New(t time.Time) *Fake { return &Fake{now: t} }

// Now returns the time the clock stands at.
func (f *Fake) Now() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now
}

// Set moves the clock to t, which may lie in its past.
func (f *Fake) Set(t time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = t
}

// Advance moves the clock by d, which may be negative.
func (f *Fake) Advance(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = f.now.Add(d)
}
