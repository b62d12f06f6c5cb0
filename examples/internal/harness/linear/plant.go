package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"

	"example.com/devicetotp/credential"
)

// A plant is a fault that the command must find.
type plant string

// What can be planted. The last three are of one engine each.
const (
	plantNothing   plant = ""
	plantNoCompare plant = "no-compare-and-set"
	plantStale     plant = "stale-load"
	plantHost      plant = "host-changes-ignored"
	plantAsync     plant = "synchronous-commit-off"
	plantNoWait    plant = "no-sync-wait"
	plantCounter   plant = "counter-as-version"
)

// nextVersion is what Save is to store a under.
func (p plant) nextVersion(a credential.Account) int64 {
	if p == plantCounter {
		return a.Version + 1
	}
	return newVersion()
}

// in puts the fault into a store.
func (p plant) in(s hostStore) hostStore {
	switch p {
	case plantNoCompare:
		return noCompare{s}
	case plantHost:
		return hostIgnored{s}
	case plantStale:
		return &staleLoad{hostStore: s, last: map[string]credential.Account{}}
	case plantCounter:
		return counter{s}
	default:
		return s
	}
}

// noCompare saves over whatever is stored.
type noCompare struct{ hostStore }

func (s noCompare) Save(ctx context.Context, a credential.Account) error {
	for {
		err := s.hostStore.Save(ctx, a)
		if !errors.Is(err, credential.ErrConflict) {
			return err
		}
		stored, err := s.Load(ctx, a.ID)
		if err != nil {
			return err
		}
		stored.State, stored.Next = a.State, a.Next
		a = stored
	}
}

// hostIgnored compares the version alone.
type hostIgnored struct{ hostStore }

func (s hostIgnored) Save(ctx context.Context, a credential.Account) error {
	err := s.hostStore.Save(ctx, a)
	if !errors.Is(err, credential.ErrConflict) {
		return err
	}
	stored, loadErr := s.Load(ctx, a.ID)
	if loadErr != nil || stored.Version != a.Version {
		return err
	}
	stored.State, stored.Next = a.State, a.Next
	return s.hostStore.Save(ctx, stored)
}

// staleLoad gives out what it loaded the time before, now and then.
type staleLoad struct {
	hostStore
	mu   sync.Mutex
	last map[string]credential.Account
}

func (s *staleLoad) Load(ctx context.Context, id string) (credential.Account, error) {
	a, err := s.hostStore.Load(ctx, id)
	if err != nil {
		return a, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	before, there := s.last[id]
	s.last[id] = a
	if there && rand.IntN(4) == 0 {
		before.State = before.State.Clone()
		return before, nil
	}
	a.State = a.State.Clone()
	return a, nil
}

// counter counts, as a version that is a column of the store's own would.
type counter struct{ hostStore }

func (s counter) Save(ctx context.Context, a credential.Account) error {
	a.Next = a.Version + 1
	return s.hostStore.Save(ctx, a)
}
