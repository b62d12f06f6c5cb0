package verifier

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
)

func (b *budget) waiting() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.line.Len()
}

// waitUntil does not sleep: time stands still in a bubble that it is called in.
func waitUntil(condition func() bool) {
	for !condition() {
		runtime.Gosched()
	}
}

// outside runs f as it is, and inside in a bubble of its own.
func outside(t *testing.T, f func(t *testing.T)) { t.Helper(); f(t) }
func inside(t *testing.T, f func(t *testing.T))  { t.Helper(); synctest.Test(t, f) }

// The default hasher is shared by all tests of a process, and some of them run
// in a bubble of testing/synctest. Whoever holds the budget may wake whoever
// waits for it, wherever the two are.
func TestBudgetIsSharedAcrossBubbles(t *testing.T) {
	for name, where := range map[string][2]func(*testing.T, func(*testing.T)){
		"a bubble waits for the outside":  {outside, inside},
		"the outside waits for a bubble":  {inside, outside},
		"a bubble waits for a bubble":     {inside, inside},
		"the outside waits for its equal": {outside, outside},
	} {
		for _, waiters := range []int{1, 3} {
			t.Run(name, func(t *testing.T) {
				b := newBudget(1, 10)
				held := make(chan struct{})
				var group sync.WaitGroup
				group.Go(func() {
					where[0](t, func(t *testing.T) {
						release, err := b.acquire(t.Context(), 1)
						if err != nil {
							t.Error(err)
							return
						}
						close(held)
						waitUntil(func() bool { return b.waiting() == waiters })
						release()
					})
				})
				<-held
				for range waiters {
					group.Go(func() {
						where[1](t, func(t *testing.T) {
							release, err := b.acquire(t.Context(), 1)
							if err != nil {
								t.Error(err)
								return
							}
							release()
						})
					})
				}
				group.Wait()
				requireIdle(t, b)
			})
		}
	}
}

// In a bubble whose clock is fake, the wait for those outside takes no time, and
// whoever hangs up leaves the line there too.
func TestBudgetInABubble(t *testing.T) {
	b := newBudget(1, 10)
	release, err := b.acquire(t.Context(), 1)
	require.NoError(t, err)
	var group sync.WaitGroup
	group.Go(func() {
		waitUntil(func() bool { return b.waiting() == 1 })
		release()
	})
	synctest.Test(t, func(t *testing.T) {
		started := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
		defer cancel()
		release, err := b.acquire(ctx, 1)
		require.NoError(t, err)
		require.Zero(t, time.Since(started))

		hangingUp, hangUp := context.WithCancel(t.Context())
		failed := make(chan error)
		go func() {
			_, err := b.acquire(hangingUp, 1)
			failed <- err
		}()
		waitUntil(func() bool { return b.waiting() == 1 })
		hangUp()
		require.ErrorIs(t, <-failed, context.Canceled)
		release()
	})
	group.Wait()
	requireIdle(t, b)
}

// The same with real hashes, three bubbles and the outside at once.
func TestHasherIsSharedAcrossBubbles(t *testing.T) {
	h := smallHasher(t, 64, 1, 1000)
	value := credential.NewSecret("U*U")
	var matched atomic.Int32
	hash := func(t *testing.T) {
		var group sync.WaitGroup
		for range 10 {
			group.Go(func() {
				ok, _, err := h.Compare(t.Context(), "$2b$04$CCCCCCCCCCCCCCCCCCCCC.K7Qr0se1MxuggH4aP4YgB.U2Em1pGSK", value)
				if err != nil || !ok {
					t.Errorf("ok=%v, %v", ok, err)
				}
				matched.Add(1)
			})
		}
		group.Wait()
	}
	var group sync.WaitGroup
	for _, where := range []func(*testing.T, func(*testing.T)){inside, outside, inside, outside, inside} {
		group.Go(func() { where(t, hash) })
	}
	group.Wait()
	require.EqualValues(t, 50, matched.Load())
	requireIdle(t, h.budget)
}
