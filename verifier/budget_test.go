package verifier

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// The weights in use never exceed the budget; counted, not timed.
func TestBudgetIsNeverExceeded(t *testing.T) {
	b := newBudget(100, 1000)
	var used, most atomic.Int64
	var wait sync.WaitGroup
	for i := range 400 {
		wait.Go(func() {
			weight := int64(10 + i%50)
			release, err := b.acquire(t.Context(), weight)
			if err != nil {
				t.Error(err)
				return
			}
			now := used.Add(weight)
			for old := most.Load(); now > old && !most.CompareAndSwap(old, now); old = most.Load() {
			}
			used.Add(-weight)
			release()
		})
	}
	wait.Wait()
	require.LessOrEqual(t, most.Load(), int64(100))
	requireIdle(t, b)
}

func requireIdle(t *testing.T, b *budget) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	require.Equal(t, b.size, b.free, "everything was given back")
	require.Zero(t, b.line.Len(), "nobody waits")
}

// A queue is a budget with a line of waiters. Each holds its turn until it is
// told to give it back.
type queue struct {
	*budget
	turns    chan int
	giveBack []func()
}

// enqueue puts one waiter a weight into the line of b, in that order.
func enqueue(t *testing.T, b *budget, weights ...int64) *queue {
	t.Helper()
	q := &queue{budget: b, turns: make(chan int, len(weights))}
	for i, weight := range weights {
		done, gone := make(chan struct{}), make(chan struct{})
		q.giveBack = append(q.giveBack, func() { close(done); <-gone })
		before := b.waiting() + len(q.turns)
		go func() {
			defer close(gone)
			release, err := b.acquire(t.Context(), weight)
			if err != nil {
				t.Error(err)
				return
			}
			q.turns <- i
			<-done
			release()
		}()
		waitUntil(func() bool { return b.waiting()+len(q.turns) > before })
	}
	return q
}

// served checks that these have got their turn since the last call, and that so
// many wait. Who gets a turn is settled before the call that made room returns.
func (q *queue) served(t *testing.T, waiting int, want ...int) {
	t.Helper()
	require.Equal(t, waiting, q.waiting())
	var got []int
	for range want {
		got = append(got, <-q.turns)
	}
	require.ElementsMatch(t, want, got)
	require.Empty(t, q.turns)
}

// First come, first served: a light hash does not overtake a heavy one, or a
// stream of light ones could keep it waiting for ever.
func TestBudgetServesInOrder(t *testing.T) {
	b := newBudget(100, 10)
	release, err := b.acquire(t.Context(), 50)
	require.NoError(t, err)
	q := enqueue(t, b, 60, 10, 10, 40)
	q.served(t, 4) // there is room for a light one, but the heavy one came first
	release()
	q.served(t, 1, 0, 1, 2)
	q.giveBack[1]()
	q.served(t, 1)
	q.giveBack[2]()
	q.served(t, 0, 3) // 100 - 60 fits exactly
	q.giveBack[0]()
	q.giveBack[3]()
	requireIdle(t, b)
}

// A weight beyond the whole budget takes all of it.
func TestBudgetLetsADearHashRunAlone(t *testing.T) {
	b := newBudget(100, 10)
	q := enqueue(t, b, 1, 100000, 1)
	q.served(t, 2, 0)
	q.giveBack[0]()
	q.served(t, 1, 1)
	q.giveBack[1]()
	q.served(t, 0, 2)
	q.giveBack[2]()
	requireIdle(t, b)
}

// One more than the line holds is told so at once.
func TestBudgetLineIsBounded(t *testing.T) {
	b := newBudget(1, 2)
	q := enqueue(t, b, 1, 1, 1)
	q.served(t, 2, 0)
	_, err := b.acquire(t.Context(), 1)
	require.ErrorIs(t, err, ErrBusy)
	for _, giveBack := range q.giveBack {
		giveBack()
	}
	requireIdle(t, b)
	release, err := newBudget(1, 0).acquire(t.Context(), 1)
	require.NoError(t, err, "a line of none still serves who need not wait")
	release()
}

// Who hangs up leaves the line, and who stood behind moves up.
func TestBudgetHonoursContext(t *testing.T) {
	b := newBudget(100, 10)
	release, err := b.acquire(t.Context(), 50)
	require.NoError(t, err)
	ctx, hangUp := context.WithCancel(t.Context())
	failed := make(chan error, 1)
	go func() {
		_, err := b.acquire(ctx, 80)
		failed <- err
	}()
	waitUntil(func() bool { return b.waiting() == 1 })
	q := enqueue(t, b, 40)
	q.served(t, 2)
	hangUp()
	require.ErrorIs(t, <-failed, context.Canceled)
	q.served(t, 0, 0) // the one behind got the room that was free all along
	q.giveBack[0]()
	release()
	requireIdle(t, b)
}

// lateContext ends without a word at the second look.
type lateContext struct {
	context.Context
	looks atomic.Int32
}

func (c *lateContext) Done() <-chan struct{} { return nil }

func (c *lateContext) Err() error {
	if c.looks.Add(1) > 1 {
		return context.Canceled
	}
	return nil
}

// The turn may be handed over at the same instant as its owner hangs up. It is
// then given back, and the next gets it.
func TestBudgetTurnHandedToOneWhoLeftIsGivenBack(t *testing.T) {
	b := newBudget(100, 10)
	release, err := b.acquire(t.Context(), 100)
	require.NoError(t, err)
	failed := make(chan error, 1)
	go func() {
		_, err := b.acquire(&lateContext{Context: t.Context()}, 70)
		failed <- err
	}()
	waitUntil(func() bool { return b.waiting() == 1 })
	q := enqueue(t, b, 60)
	release() // hands over to the one who has hung up
	require.ErrorIs(t, <-failed, context.Canceled)
	q.served(t, 0, 0)
	q.giveBack[0]()
	requireIdle(t, b)
}

// Leaving after the turn has come takes nothing from anybody.
func TestBudgetLeavingTooLateDoesNothing(t *testing.T) {
	b := newBudget(100, 10)
	late := &turn{weight: 70}
	late.gate.shut()
	b.free = 0
	late.place = b.line.PushBack(late)
	b.release(100)
	late.gate.wait() // opened once
	b.leave(late)
	require.EqualValues(t, 30, b.free)
	b.release(70)
	requireIdle(t, b)
}

// Whatever the schedule: no share is lost, and none is given out twice.
func TestBudgetSurvivesCancelStorm(t *testing.T) {
	b := newBudget(100, 10000)
	var used atomic.Int64
	var served, left atomic.Int32
	var wait sync.WaitGroup
	for i := range 2000 {
		weight := int64(1 + i%120)
		taken := min(weight, 100)
		ctx, cancel := context.WithCancel(t.Context())
		wait.Go(func() {
			release, err := b.acquire(ctx, weight)
			if err != nil {
				left.Add(1)
				return
			}
			served.Add(1)
			if used.Add(taken) > 100 {
				t.Error("more in use than there is")
			}
			used.Add(-taken)
			release()
		})
		wait.Go(func() {
			for range rand.IntN(200) {
				_ = rand.Int() // lets some be served before they are cancelled
			}
			cancel()
		})
	}
	wait.Wait()
	require.EqualValues(t, 2000, served.Load()+left.Load())
	requireIdle(t, b)
}
