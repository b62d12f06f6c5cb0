package devicetotptest

import (
	"context"
	"sync"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/memstore"
)

// Store is an in-memory store that fails on command. Without a command it is
// memstore. It is safe for concurrent use.
type Store struct {
	// Accounts is the store underneath, which never fails.
	Accounts *memstore.Store

	mu     sync.Mutex
	faults []Fault
	calls  []StoreCall
}

// NewStore returns an empty store without a fault.
func NewStore() *Store { return &Store{Accounts: memstore.New()} }

// StoreMethod is a method of credential.Store.
type StoreMethod string

// The methods.
const (
	MethodLoad StoreMethod = "load"
	MethodSave StoreMethod = "save"
)

// StoreCall is one call that a [Store] has seen.
type StoreCall struct {
	Method    StoreMethod
	AccountID string
}

// Fault is what happens at a call. The zero value is no fault.
type Fault struct {
	// Err is returned.
	Err error
	// Applied reports that a save takes effect all the same, as when the
	// connection is cut after the commit.
	Applied bool
	// Before runs first, for instance to change the account behind the
	// request's back.
	Before func()
	// Panic is what the call panics with.
	Panic any
	// Hang makes the call wait until its context ends.
	Hang bool
}

// Script sets what happens at the next calls, one fault a call; after that
// nothing does. It forgets earlier commands and the calls seen.
func (s *Store) Script(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults, s.calls = append([]Fault(nil), faults...), nil
}

// Calls returns the calls seen since the last [Store.Script].
func (s *Store) Calls() []StoreCall {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]StoreCall(nil), s.calls...)
}

// next takes the fault of this call off the script, and runs its Before without
// the lock.
func (s *Store) next(m StoreMethod, id string) (f Fault) {
	s.mu.Lock()
	s.calls = append(s.calls, StoreCall{m, id})
	if len(s.faults) > 0 {
		f, s.faults = s.faults[0], s.faults[1:]
	}
	s.mu.Unlock()
	if f.Before != nil {
		f.Before()
	}
	return f
}

// end does what the fault says instead of answering; nil means to go on.
func (f Fault) end(ctx context.Context) error {
	if f.Panic != nil {
		panic(f.Panic)
	}
	if f.Hang {
		<-ctx.Done()
		return ctx.Err()
	}
	return f.Err
}

// Load implements credential.Store.
func (s *Store) Load(ctx context.Context, id string) (credential.Account, error) {
	if err := s.next(MethodLoad, id).end(ctx); err != nil {
		return credential.Account{}, err
	}
	return s.Accounts.Load(ctx, id)
}

// Save implements credential.Store.
func (s *Store) Save(ctx context.Context, a credential.Account) error {
	f := s.next(MethodSave, a.ID)
	if !f.Applied {
		if err := f.end(ctx); err != nil {
			return err
		}
		return s.Accounts.Save(ctx, a)
	}
	if err := s.Accounts.Save(ctx, a); err != nil {
		return err
	}
	return f.end(ctx)
}
