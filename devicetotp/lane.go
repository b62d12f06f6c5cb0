package devicetotp

import (
	"context"
	"errors"
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

type lane struct {
	busy  chan struct{} // holds one token while somebody is in
	users int           // in it or waiting
}

func newLanes(maxWaiting int) *lanes {
	return &lanes{byAccount: map[string]*lane{}, maxWaiting: maxWaiting}
}

// enter waits for the account's lane and returns the function that leaves it.
func (l *lanes) enter(ctx context.Context, accountID string) (leave func(), err error) {
	l.mu.Lock()
	in := l.byAccount[accountID]
	if in == nil {
		in = &lane{busy: make(chan struct{}, 1)}
		l.byAccount[accountID] = in
	}
	if in.users > l.maxWaiting {
		l.mu.Unlock()
		return nil, errLaneFull
	}
	in.users++
	l.mu.Unlock()

	select {
	case in.busy <- struct{}{}:
		return func() { <-in.busy; l.forget(accountID, in) }, nil
	case <-ctx.Done():
		l.forget(accountID, in)
		return nil, ctx.Err()
	}
}

func (l *lanes) forget(accountID string, in *lane) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if in.users--; in.users == 0 {
		delete(l.byAccount, accountID)
	}
}
