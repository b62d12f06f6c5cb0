package rounds

import (
	"context"
	"errors"
	"slices"
	"sync"
)

var errLaneFull = errors.New("too many requests for this account are waiting")

// lanes let the requests for one account through one at a time, first come
// first served, so that a burst on one account costs one hash at a time and not
// many conflicts. Other processes are none of their business: that is what the
// conditional save is for.
type lanes struct {
	mu         sync.Mutex
	lines      map[string][]chan struct{} // who waits, by account; each is closed when its turn has come
	maxWaiting int
}

func newLanes(maxWaiting int) *lanes {
	return &lanes{lines: map[string][]chan struct{}{}, maxWaiting: maxWaiting}
}

// enter waits for the account's lane. Whoever got in must leave.
func (l *lanes) enter(ctx context.Context, accountID string) error {
	l.mu.Lock()
	waiting, taken := l.lines[accountID]
	if !taken {
		l.lines[accountID] = nil
		l.mu.Unlock()
		return nil
	}
	if len(waiting) >= l.maxWaiting {
		l.mu.Unlock()
		return errLaneFull
	}
	turn := make(chan struct{})
	l.lines[accountID] = append(waiting, turn)
	l.mu.Unlock()

	select {
	case <-turn:
		return nil
	case <-ctx.Done():
		l.giveUp(accountID, turn)
		return ctx.Err()
	}
}

// leave lets the next one in.
func (l *lanes) leave(accountID string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	waiting := l.lines[accountID]
	if len(waiting) == 0 {
		delete(l.lines, accountID)
		return
	}
	close(waiting[0])
	l.lines[accountID] = waiting[1:]
}

// giveUp takes a turn out of the waiting line, or passes it on if it has come
// meanwhile.
func (l *lanes) giveUp(accountID string, turn chan struct{}) {
	l.mu.Lock()
	waiting := l.lines[accountID]
	if i := slices.Index(waiting, turn); i >= 0 {
		l.lines[accountID] = slices.Delete(waiting, i, i+1)
		l.mu.Unlock()
		return
	}
	l.mu.Unlock()
	l.leave(accountID)
}
