package devicetotp

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
	byAccount  map[string]*lane
	maxWaiting int
}

// lane is one account's: somebody is in it, and others wait.
type lane struct {
	waiting []chan struct{} // each is closed when its turn has come
}

func newLanes(maxWaiting int) *lanes {
	return &lanes{byAccount: map[string]*lane{}, maxWaiting: maxWaiting}
}

// enter waits for the account's lane. Whoever got in must leave.
func (l *lanes) enter(ctx context.Context, accountID string) error {
	l.mu.Lock()
	in := l.byAccount[accountID]
	if in == nil {
		l.byAccount[accountID] = &lane{}
		l.mu.Unlock()
		return nil
	}
	if len(in.waiting) >= l.maxWaiting {
		l.mu.Unlock()
		return errLaneFull
	}
	turn := make(chan struct{})
	in.waiting = append(in.waiting, turn)
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
	in := l.byAccount[accountID]
	if len(in.waiting) == 0 {
		delete(l.byAccount, accountID)
		return
	}
	close(in.waiting[0])
	in.waiting = in.waiting[1:]
}

// giveUp takes a turn out of the waiting line, or passes it on if it has come
// meanwhile.
func (l *lanes) giveUp(accountID string, turn chan struct{}) {
	l.mu.Lock()
	in := l.byAccount[accountID]
	if i := slices.Index(in.waiting, turn); i >= 0 {
		in.waiting = slices.Delete(in.waiting, i, i+1)
		l.mu.Unlock()
		return
	}
	l.mu.Unlock()
	l.leave(accountID)
}
