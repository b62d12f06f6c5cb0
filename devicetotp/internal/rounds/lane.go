package rounds

import (
	"context"
	"errors"
	"slices"
	"sync"
)

var errLaneFull = errors.New("too many requests for this account are waiting")

// lanes is a keyed mutex: it lets the requests for one account through one at a
// time, first come first served, so that a burst on one account costs one hash
// at a time and not many conflicts. Lanes do not coordinate processes, nor the
// bubbles of a test: the conditional save does.
type lanes struct {
	mu         sync.Mutex
	lines      map[lane][]chan struct{} // who waits; each is closed when its turn has come
	maxWaiting int
}

// lane is what a request waits for. Requests in different bubbles do not wait
// for each other: a channel belongs to the bubble it is made in.
type lane struct{ bubble, accountID string }

func laneOf(accountID string) lane { return lane{bubble(), accountID} }

func newLanes(maxWaiting int) *lanes {
	return &lanes{lines: map[lane][]chan struct{}{}, maxWaiting: maxWaiting}
}

// enter waits for the account's lane. Whoever got in must leave.
func (l *lanes) enter(ctx context.Context, accountID string) error {
	at := laneOf(accountID)
	l.mu.Lock()
	waiting, taken := l.lines[at]
	if !taken {
		l.lines[at] = nil
		l.mu.Unlock()
		return nil
	}
	if len(waiting) >= l.maxWaiting {
		l.mu.Unlock()
		return errLaneFull
	}
	turn := make(chan struct{})
	l.lines[at] = append(waiting, turn)
	l.mu.Unlock()

	select {
	case <-turn:
		return nil
	case <-ctx.Done():
		l.giveUp(at, turn)
		return ctx.Err()
	}
}

// leave lets the next one in.
func (l *lanes) leave(accountID string) {
	l.next(laneOf(accountID))
}

func (l *lanes) next(at lane) {
	l.mu.Lock()
	defer l.mu.Unlock()
	waiting := l.lines[at]
	if len(waiting) == 0 {
		delete(l.lines, at)
		return
	}
	close(waiting[0])
	l.lines[at] = waiting[1:]
}

// giveUp takes a turn out of the waiting line, or passes it on if it has come
// meanwhile.
func (l *lanes) giveUp(at lane, turn chan struct{}) {
	l.mu.Lock()
	waiting := l.lines[at]
	if i := slices.Index(waiting, turn); i >= 0 {
		l.lines[at] = slices.Delete(waiting, i, i+1)
		l.mu.Unlock()
		return
	}
	l.mu.Unlock()
	l.next(at)
}
