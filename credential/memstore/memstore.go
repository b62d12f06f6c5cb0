// Package memstore keeps accounts in memory, for tests, demonstrations and
// services that can afford to lose their state. [New] makes a [Store];
// [Store.Put] adds accounts. A host manages its accounts with the same methods
// as in package sqlstore; [Store.Update] and [Store.Replace] are for tests.
//
// What it keeps is lost when the process ends: used codes can be used again and
// every failure is forgiven. Do not guard real accounts with it.
package memstore

import (
	"context"
	"fmt"
	"sync"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/internal/hostside"
)

// Store is a [credential.Store] in memory. It is safe for concurrent use. Make
// one with [New].
type Store struct {
	mu       sync.RWMutex
	accounts map[string]credential.Account
}

// New returns an empty store.
func New() *Store { return &Store{accounts: map[string]credential.Account{}} }

// Update changes what belongs to the host: change gets the account and may set
// RegisteredAt, PasswordHash, PINHash and Locked; everything else it sets is
// ignored. change must not call the store. The error wraps
// [credential.ErrNotFound] if there is no such account; hashes that [Store.Put]
// refuses are refused here too, and nothing has happened.
func (s *Store) Update(id string, change func(*credential.Account)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, ok := s.accounts[id]
	if !ok {
		return notFound(id)
	}
	changed := a
	changed.State = a.State.Clone()
	change(&changed)
	a.RegisteredAt, a.PasswordHash, a.PINHash, a.Locked =
		changed.RegisteredAt, changed.PasswordHash, changed.PINHash, changed.Locked
	if err := hostside.CheckAccount(a); err != nil {
		return fmt.Errorf("memstore: %w", err)
	}
	s.keep(a)
	return nil
}

// Load implements [credential.Store].
func (s *Store) Load(ctx context.Context, id string) (credential.Account, error) {
	if err := ctx.Err(); err != nil {
		return credential.Account{}, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	a, ok := s.accounts[id]
	if !ok {
		return credential.Account{}, notFound(id)
	}
	a.State = a.State.Clone()
	return a, nil
}

// Save implements [credential.Store].
func (s *Store) Save(ctx context.Context, a credential.Account) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := a.State.Check(); err != nil {
		return err
	}
	if err := a.CheckNext(); err != nil {
		return fmt.Errorf("memstore: %w", err)
	}
	state := a.State.Clone()
	s.mu.Lock()
	defer s.mu.Unlock()
	stored, ok := s.accounts[a.ID]
	if !ok || stored.Version != a.Version || !stored.SameHostFields(a) {
		return fmt.Errorf("memstore: %w", credential.ErrConflict)
	}
	stored.State, stored.Version = state, a.Next
	s.accounts[a.ID] = stored
	return nil
}

func notFound(id string) error { return fmt.Errorf("memstore: %w: %q", credential.ErrNotFound, id) }
