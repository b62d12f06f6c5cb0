package storetest_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/memstore"
	"example.com/devicetotp/credential/storetest"
)

// intact is a store that keeps every rule: memstore, and bytes of State that
// were planted. The broken stores are made from it.
type intact struct {
	*memstore.Store
	mu       sync.Mutex
	planted  map[string][]byte
	changing sync.RWMutex // held while the host has a change under way
}

func newIntact() *intact { return &intact{Store: memstore.New(), planted: map[string][]byte{}} }

func (s *intact) Load(ctx context.Context, id string) (credential.Account, error) {
	a, err := s.Store.Load(ctx, id)
	s.mu.Lock()
	defer s.mu.Unlock()
	if raw, ok := s.planted[id]; ok && err == nil {
		if err := a.State.UnmarshalBinary(raw); err != nil {
			return credential.Account{}, err
		}
	}
	return a, err
}

func (s *intact) Save(ctx context.Context, a credential.Account) error {
	s.changing.RLock()
	defer s.changing.RUnlock()
	return s.saveAtOnce(ctx, a)
}

// saveAtOnce saves although the host may have a change under way.
func (s *intact) saveAtOnce(ctx context.Context, a credential.Account) error {
	err := s.Store.Save(ctx, a)
	if err == nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.planted, a.ID)
	}
	return err
}

func (s *intact) plant(_ context.Context, id string, state []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.planted[id] = state
	return nil
}

func (s *intact) isPlanted(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.planted[id] != nil
}

// backend has every hook. open makes one handle on s.
func backend(s *intact, open func() credential.Store) storetest.Backend {
	var accounts, changes atomic.Int64
	put := func(ctx context.Context, id string) error {
		return s.Put(ctx, credential.Account{
			ID: id, RegisteredAt: time.Unix(1767225600, 987654321), PasswordHash: "first", PINHash: "first",
		})
	}
	return storetest.Backend{
		Open: func() (credential.Store, error) { return open(), nil },
		NewAccount: func(ctx context.Context) (string, error) {
			id := fmt.Sprintf("Account-%d", accounts.Add(1))
			return id, put(ctx, id)
		},
		ChangeHash: func(_ context.Context, id string, f credential.Factor) error {
			return s.Update(id, func(a *credential.Account) {
				hash := fmt.Sprintf("hash %d", changes.Add(1))
				if f == credential.FactorPIN {
					a.PINHash = hash
				} else {
					a.PasswordHash = hash
				}
			})
		},
		SetHash: func(_ context.Context, id string, f credential.Factor, hash string) error {
			return s.Update(id, func(a *credential.Account) {
				if f == credential.FactorPIN {
					a.PINHash = hash
				} else {
					a.PasswordHash = hash
				}
			})
		},
		BeginChange: func(_ context.Context, id string) (func() error, error) {
			s.changing.Lock()
			return func() error {
				defer s.changing.Unlock()
				return s.Update(id, func(a *credential.Account) { a.PasswordHash = "changed" })
			}, nil
		},
		Lock: func(ctx context.Context, id string) error { return s.SetLocked(ctx, id, true) },
		Delete: func(ctx context.Context, id string) error {
			_, err := s.Delete(ctx, id)
			return err
		},
		ChangeRegisteredAt: func(_ context.Context, id string) error {
			return s.Update(id, func(a *credential.Account) { a.RegisteredAt = a.RegisteredAt.Add(1) })
		},
		NewAccountWithID: put,
		PlantState:       s.plant,
	}
}
