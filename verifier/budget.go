package verifier

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"sync"
)

// ErrBusy says that the waiting line for hashing is full. It is worth trying
// again.
var ErrBusy = errors.New("verifier: too many hashes are waiting")

// budget shares an amount of memory among hashes, first come first served. A
// weight beyond the whole budget takes all of it, so that such a hash runs
// alone. Whoever holds a share only computes and never waits for anybody.
//
// It is safe to share across the bubbles of testing/synctest.
type budget struct {
	mu      sync.Mutex
	size    int64
	free    int64
	line    list.List // of *turn
	maxLine int
}

// turn is a place in the line. All but the gate is guarded by the budget's mu.
type turn struct {
	weight int64
	served bool // the weight has been taken from the budget for it
	place  *list.Element
	gate   gate
}

// gate holds up one goroutine until another opens it. It is a mutex and not a
// channel, because a goroutine in a bubble of testing/synctest makes a channel
// that nobody outside may close, and waits on it as if nobody outside could. A
// mutex belongs to no bubble, and the fake time of a bubble stands still while
// one of its goroutines waits for it, as it does while one computes.
type gate struct{ mu sync.Mutex }

func (g *gate) shut() { g.mu.Lock() }
func (g *gate) wait() { g.mu.Lock() }
func (g *gate) open() { g.mu.Unlock() }

func newBudget(size int64, maxLine int) *budget {
	return &budget{size: size, free: size, maxLine: maxLine}
}

// acquire waits for weight and returns the function that gives it back.
func (b *budget) acquire(ctx context.Context, weight int64) (release func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("verifier: before hashing: %w", err)
	}
	weight = min(weight, b.size)
	b.mu.Lock()
	if b.line.Len() == 0 && b.free >= weight {
		b.free -= weight
		b.mu.Unlock()
		return func() { b.release(weight) }, nil
	}
	if b.line.Len() >= b.maxLine {
		b.mu.Unlock()
		return nil, ErrBusy
	}
	t := &turn{weight: weight}
	t.gate.shut()
	t.place = b.line.PushBack(t)
	b.mu.Unlock()

	stop := context.AfterFunc(ctx, func() { b.leave(t) })
	t.gate.wait()
	stop()
	if !t.served {
		return nil, fmt.Errorf("verifier: waiting to hash: %w", ctx.Err())
	}
	if err := ctx.Err(); err != nil { // its turn came as it hung up
		b.release(weight)
		return nil, fmt.Errorf("verifier: waiting to hash: %w", err)
	}
	return func() { b.release(weight) }, nil
}

// leave takes t out of the line, unless its turn has come meanwhile.
func (b *budget) leave(t *turn) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if t.served {
		return
	}
	b.line.Remove(t.place)
	t.gate.open()
	b.admit()
}

func (b *budget) release(weight int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.free += weight
	b.admit()
}

// admit lets in whoever is first in line, as long as there is room. It is
// called with mu held.
func (b *budget) admit() {
	for first := b.line.Front(); first != nil; first = b.line.Front() {
		t := first.Value.(*turn)
		if t.weight > b.free {
			return
		}
		b.free -= t.weight
		b.line.Remove(first)
		t.served = true
		t.gate.open()
	}
}
