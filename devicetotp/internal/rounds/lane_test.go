package rounds

import (
	"context"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func (l *lanes) waiting(account string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.lines[lane{accountID: account}])
}

func TestLanesAreAsLongAsTheyMayBe(t *testing.T) {
	gone, hangUp := context.WithCancel(t.Context())
	hangUp()
	for most, want := range []error{errLaneFull, context.Canceled} {
		l := newLanes(most)
		require.NoError(t, l.enter(t.Context(), "a"))
		require.ErrorIs(t, l.enter(gone, "a"), want)
	}
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
	l.lines[lane{accountID: "a"}] = []chan struct{}{turn, next}
	l.leave("a") // turn has come
	<-turn
	l.giveUp(lane{accountID: "a"}, turn)
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

// Tests in different bubbles of testing/synctest, and those in none, may share
// an Issuer: neither waits for the other, or the binary would end.
func TestLanesAreSharedAcrossBubbles(t *testing.T) {
	l := newLanes(10)
	require.NoError(t, l.enter(t.Context(), "a"))
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			synctest.Test(t, func(t *testing.T) {
				if err := l.enter(t.Context(), "a"); err != nil {
					t.Error(err)
					return
				}
				second := make(chan error, 1)
				go func() { second <- l.enter(t.Context(), "a") }()
				time.Sleep(time.Hour) // passes, because the bubble sees that the other waits for this one
				if len(second) != 0 {
					t.Error("two at once within a bubble")
				}
				l.leave("a")
				if err := <-second; err != nil {
					t.Error(err)
				}
				l.leave("a")
			})
		})
	}
	wg.Wait()
	l.leave("a")
	require.Empty(t, l.lines)
}

// The runtime's spelling of a bubble, on which this rests.
func TestBubblesAreToldApart(t *testing.T) {
	require.Empty(t, bubble())
	seen := map[string]bool{}
	for range 110 { // so that two numbers differ only behind a 0
		synctest.Test(t, func(t *testing.T) {
			id := bubble()
			require.Regexp(t, `^\d+$`, id)
			same := make(chan string)
			go func() { same <- bubble() }()
			require.Equal(t, id, <-same)
			runtime.LockOSThread() // one more word before the bubble
			require.Equal(t, id, bubble())
			runtime.UnlockOSThread()
			time.Sleep(10 * 365 * 24 * time.Hour)
			require.Equal(t, id, bubble())
			seen[id] = true
		})
	}
	require.Len(t, seen, 110)
}
