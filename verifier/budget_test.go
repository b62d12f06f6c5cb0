package verifier

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

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

// waiters puts one waiter a weight into the line, in that order, and returns
// the order in which they get their turn. Each gives back when told to.
func waiters(t *testing.T, b *budget, weights ...int64) (turns chan int, giveBack []chan struct{}) {
	t.Helper()
	turns = make(chan int, len(weights))
	for i, weight := range weights {
		done := make(chan struct{})
		giveBack = append(giveBack, done)
		go func() {
			release, err := b.acquire(t.Context(), weight)
			if err != nil {
				t.Error(err)
				return
			}
			turns <- i
			<-done
			release()
		}()
		synctest.Wait()
	}
	return turns, giveBack
}

func drain(turns chan int) (out []int) {
	synctest.Wait()
	for len(turns) > 0 {
		out = append(out, <-turns)
	}
	return out
}

// First come, first served: a light hash does not overtake a heavy one, or a
// stream of light ones could keep it waiting for ever.
func TestBudgetServesInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBudget(100, 10)
		release, err := b.acquire(t.Context(), 50)
		require.NoError(t, err)
		turns, giveBack := waiters(t, b, 60, 10, 10, 40)
		require.Empty(t, drain(turns), "there is room for a light one, but the heavy one came first")
		release()
		require.ElementsMatch(t, []int{0, 1, 2}, drain(turns))
		close(giveBack[1])
		require.Empty(t, drain(turns))
		close(giveBack[2])
		require.Equal(t, []int{3}, drain(turns), "100 - 60 fits exactly")
		close(giveBack[0])
		close(giveBack[3])
		synctest.Wait()
		requireIdle(t, b)
	})
}

// A weight beyond the whole budget takes all of it.
func TestBudgetLetsADearHashRunAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBudget(100, 10)
		turns, giveBack := waiters(t, b, 1, 100000, 1)
		require.Equal(t, []int{0}, drain(turns))
		close(giveBack[0])
		require.Equal(t, []int{1}, drain(turns))
		close(giveBack[1])
		require.Equal(t, []int{2}, drain(turns))
		close(giveBack[2])
		synctest.Wait()
		requireIdle(t, b)
	})
}

// One more than the line holds is told so at once.
func TestBudgetLineIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBudget(1, 2)
		turns, giveBack := waiters(t, b, 1, 1, 1)
		require.Equal(t, []int{0}, drain(turns))
		_, err := b.acquire(t.Context(), 1)
		require.ErrorIs(t, err, ErrBusy)
		for _, c := range giveBack {
			close(c)
		}
		synctest.Wait()
		requireIdle(t, b)
		release, err := newBudget(1, 0).acquire(t.Context(), 1)
		require.NoError(t, err, "a line of none still serves who need not wait")
		release()
	})
}

// Who hangs up leaves the line, and who stood behind moves up.
func TestBudgetHonoursContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBudget(100, 10)
		release, err := b.acquire(t.Context(), 50)
		require.NoError(t, err)
		cause := errors.New("the caller hung up")
		ctx, cancel := context.WithCancelCause(t.Context())
		failed := make(chan error, 1)
		go func() {
			_, err := b.acquire(ctx, 80)
			failed <- err
		}()
		synctest.Wait()
		turns, giveBack := waiters(t, b, 40)
		require.Empty(t, drain(turns))
		cancel(cause)
		require.ErrorIs(t, <-failed, context.Canceled)
		require.Equal(t, []int{0}, drain(turns), "the one behind got the room that was free all along")
		close(giveBack[0])
		release()
		synctest.Wait()
		requireIdle(t, b)
	})
}

// The turn may be handed over at the same instant as its owner hangs up. It is
// then given back, and the next gets it.
func TestBudgetTurnHandedToOneWhoLeftIsGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBudget(100, 10)
		release, err := b.acquire(t.Context(), 100)
		require.NoError(t, err)
		gone := &turn{weight: 70, ready: make(chan struct{})}
		b.mu.Lock()
		place := b.line.PushBack(gone)
		b.mu.Unlock()
		turns, giveBack := waiters(t, b, 60)
		release() // hands over to the one who is about to leave
		require.Empty(t, drain(turns))
		b.leave(place, gone)
		require.Equal(t, []int{0}, drain(turns))
		close(giveBack[0])
		synctest.Wait()
		requireIdle(t, b)
	})
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
