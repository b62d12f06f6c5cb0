package rounds

import (
	"context"
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

func (l *lanes) waiting(account string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.lines[account])
}

func TestLanes(t *testing.T) {
	l := newLanes(2)
	require.NoError(t, l.enter(t.Context(), "a"))

	impatient, hangUp := context.WithCancel(t.Context())
	first, second := make(chan error), make(chan error)
	go func() { first <- l.enter(impatient, "a") }()
	waitUntil(func() bool { return l.waiting("a") == 1 })
	go func() { second <- l.enter(context.Background(), "a") }()
	waitUntil(func() bool { return l.waiting("a") == 2 })

	require.ErrorIs(t, l.enter(t.Context(), "a"), errLaneFull, "the waiting line is bounded")
	require.NoError(t, l.enter(t.Context(), "b"), "other accounts do not wait")
	l.leave("b")

	hangUp()
	require.ErrorIs(t, <-first, context.Canceled, "waiting honours ctx")
	require.Equal(t, 1, l.waiting("a"))
	l.leave("a")
	require.NoError(t, <-second)
	l.leave("a")
	require.Empty(t, l.lines, "nothing is left behind")
}

// A turn that comes at the moment its owner gives up is passed on.
func TestATurnThatNobodyTakesIsPassedOn(t *testing.T) {
	l := newLanes(2)
	require.NoError(t, l.enter(t.Context(), "a"))
	turn, next := make(chan struct{}), make(chan struct{})
	l.lines["a"] = []chan struct{}{turn, next}
	l.leave("a") // turn has come
	<-turn
	l.giveUp("a", turn)
	<-next
	l.leave("a")
	require.Empty(t, l.lines)
}

func TestLanesLetOneThroughAtATime(t *testing.T) {
	l := newLanes(100)
	var wg sync.WaitGroup
	inside := 0 // the race detector watches it too
	for range 100 {
		wg.Go(func() {
			if err := l.enter(context.Background(), "a"); err != nil {
				t.Error(err)
				return
			}
			defer l.leave("a")
			if inside++; inside != 1 {
				t.Error("two at once")
			}
			runtime.Gosched()
			inside--
		})
	}
	wg.Wait()
	require.Empty(t, l.lines)
}

func waitUntil(condition func() bool) {
	for !condition() {
		runtime.Gosched()
	}
}
