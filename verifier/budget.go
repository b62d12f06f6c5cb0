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
// alone.
type budget struct {
	mu      sync.Mutex
	size    int64
	free    int64
	line    list.List // of *turn
	maxLine int
}

type turn struct {
	weight int64
	ready  chan struct{}
}

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
	t := &turn{weight: weight, ready: make(chan struct{})}
	place := b.line.PushBack(t)
	b.mu.Unlock()

	select {
	case <-t.ready:
		return func() { b.release(weight) }, nil
	case <-ctx.Done():
		b.leave(place, t)
		return nil, fmt.Errorf("verifier: waiting to hash: %w", ctx.Err())
	}
}

// leave takes t out of the line, or gives back what it was handed meanwhile.
func (b *budget) leave(place *list.Element, t *turn) {
	b.mu.Lock()
	defer b.mu.Unlock()
	select {
	case <-t.ready:
		b.free += t.weight
	default:
		b.line.Remove(place)
	}
	b.admit()
}

func (b *budget) release(weight int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.free += weight
	b.admit()
}

// admit lets in whoever is first in line, as long as there is room.
func (b *budget) admit() {
	for first := b.line.Front(); first != nil; first = b.line.Front() {
		t := first.Value.(*turn)
		if t.weight > b.free {
			return
		}
		b.free -= t.weight
		b.line.Remove(first)
		close(t.ready)
	}
}
