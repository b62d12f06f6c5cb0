package storetest_test

import (
	"context"
	"errors"
	"sync"

	"example.com/devicetotp/credential"
)

// Broken stores that remember something.

// openWriteBehind makes handles that write what they were given at their next
// call.
func openWriteBehind(s *intact) func() credential.Store {
	return func() credential.Store {
		var pending *credential.Account
		flush := func(ctx context.Context) {
			if pending != nil {
				_ = s.Save(ctx, *pending)
				pending = nil
			}
		}
		return handle{func(ctx context.Context, id string) (credential.Account, error) {
			flush(ctx)
			return s.Load(ctx, id)
		}, func(ctx context.Context, a credential.Account) error {
			flush(ctx)
			if err := errors.Join(ctx.Err(), a.State.Check(), a.CheckNext()); err != nil {
				return err
			}
			stored, err := s.Load(ctx, a.ID)
			if err != nil || stored.Version != a.Version || !stored.SameHostFields(a) {
				return credential.ErrConflict
			}
			a.State = a.State.Clone()
			pending = &a
			return nil
		}}
	}
}

// openCache makes handles that load an account once, until they save it.
func openCache(s *intact) func() credential.Store {
	return func() credential.Store {
		var mu sync.Mutex
		cached := map[string]credential.Account{}
		return handle{func(ctx context.Context, id string) (credential.Account, error) {
			mu.Lock()
			defer mu.Unlock()
			if a, ok := cached[id]; ok && ctx.Err() == nil {
				a.State = a.State.Clone()
				return a, nil
			}
			a, err := s.Load(ctx, id)
			if err == nil {
				cached[id] = a
				a.State = a.State.Clone()
			}
			return a, err
		}, func(ctx context.Context, a credential.Account) error {
			mu.Lock()
			defer mu.Unlock()
			delete(cached, a.ID)
			return s.Save(ctx, a)
		}}
	}
}

// openLagging makes handles that now and then, all of them together, load an
// account as it was before its last save.
func openLagging(s *intact) func() credential.Store {
	const often = 300
	var mu sync.Mutex
	loads := 0
	before := map[string]credential.Account{}
	return func() credential.Store {
		return handle{func(ctx context.Context, id string) (credential.Account, error) {
			mu.Lock()
			defer mu.Unlock()
			loads++
			if a, ok := before[id]; ok && loads%often == 0 && ctx.Err() == nil {
				a.State = a.State.Clone()
				return a, nil
			}
			return s.Load(ctx, id)
		}, func(ctx context.Context, a credential.Account) error {
			mu.Lock()
			defer mu.Unlock()
			was, _ := s.Load(ctx, a.ID)
			err := s.Save(ctx, a)
			if err == nil {
				before[a.ID] = was
			}
			return err
		}}
	}
}

// openWholeRow saves the account as it is, as an object-relational mapper does
// that has a version column.
func openWholeRow(s *intact) func() credential.Store {
	var mu sync.Mutex
	return func() credential.Store {
		return handle{s.Load, func(ctx context.Context, a credential.Account) error {
			mu.Lock()
			defer mu.Unlock()
			if err := errors.Join(ctx.Err(), a.State.Check(), a.CheckNext()); err != nil {
				return err
			}
			stored, err := s.Load(ctx, a.ID)
			if err != nil || stored.Version != a.Version {
				return credential.ErrConflict
			}
			a.Version = a.Next
			return s.Replace(ctx, a)
		}}
	}
}

// openEveryRow forgets the id in the condition.
func openEveryRow(s *intact) func() credential.Store {
	var mu sync.Mutex
	seen := map[string]bool{}
	return func() credential.Store {
		return handle{func(ctx context.Context, id string) (credential.Account, error) {
			a, err := s.Load(ctx, id)
			if err == nil {
				mu.Lock()
				defer mu.Unlock()
				seen[id] = true
			}
			return a, err
		}, func(ctx context.Context, a credential.Account) error {
			if err := s.Save(ctx, a); err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			for id := range seen {
				if other, err := s.Load(ctx, id); err == nil && id != a.ID && other.Version == a.Version {
					other.State, other.Next = a.State, a.Next
					_ = s.Save(ctx, other)
				}
			}
			return nil
		}}
	}
}

// openSharing keeps States itself and copies them with in and out, one of which
// does not copy.
func openSharing(in, out func(credential.State) credential.State) func(*intact) func() credential.Store {
	return func(s *intact) func() credential.Store {
		var mu sync.Mutex
		kept := map[string]credential.Account{}
		return func() credential.Store {
			return handle{func(ctx context.Context, id string) (credential.Account, error) {
				mu.Lock()
				defer mu.Unlock()
				a, err := s.Load(ctx, id)
				if k, ok := kept[id]; ok && err == nil && k.Version == a.Version && !s.isPlanted(id) {
					a.State = out(k.State)
				}
				return a, err
			}, func(ctx context.Context, a credential.Account) error {
				mu.Lock()
				defer mu.Unlock()
				if err := s.Save(ctx, a); err != nil {
					return err
				}
				a.State = in(a.State)
				a.Version = a.Next
				kept[a.ID] = a
				return nil
			}}
		}
	}
}

// openCheckThenWrite looks at the version in one step and writes in another. Among
// the many handles of a race the first to look waits until a second one has, so
// that the fault does not depend on the scheduler; a single user never waits.
func openCheckThenWrite(s *intact) func() credential.Store {
	const race = 32
	var mu sync.Mutex
	handles := 0
	looked := map[int64]int{} // saves that have looked, by version: a race is about one account
	second := sync.NewCond(&mu)
	look := func(version int64) {
		mu.Lock()
		defer mu.Unlock()
		looked[version]++
		second.Broadcast()
		for handles >= race && looked[version] < 2 {
			second.Wait()
		}
	}
	save := func(ctx context.Context, a credential.Account) error {
		stored, err := s.Load(ctx, a.ID)
		if err != nil || stored.Version != a.Version || !stored.SameHostFields(a) {
			return s.Save(ctx, a) // refused
		}
		look(a.Version)
		for {
			stored, err := s.Load(ctx, a.ID)
			if err != nil {
				return err
			}
			if !stored.SameHostFields(a) {
				return s.Save(ctx, a) // refused
			}
			stored.State, stored.Next = a.State, a.Next
			if err := s.Save(ctx, stored); !errors.Is(err, credential.ErrConflict) {
				return err
			}
		}
	}
	return func() credential.Store {
		mu.Lock()
		defer mu.Unlock()
		handles++
		return handle{s.Load, save}
	}
}
