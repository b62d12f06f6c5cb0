package memstore

import (
	"context"
	"fmt"
	"slices"
	"time"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/internal/hostside"
)

// Put adds the account, or replaces what belongs to the host: RegisteredAt,
// PasswordHash, PINHash and Locked. State and Version are ignored: those of an
// account that is there stay as they are, a new one starts without; a test that
// wants them replaced calls [Store.Replace]. The id must be 1 to 1,024 bytes, and
// it and the hashes UTF-8 without NUL.
func (s *Store) Put(ctx context.Context, a credential.Account) error {
	if err := hostside.CheckAccount(a); err != nil {
		return fmt.Errorf("memstore: %w", err)
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("memstore: put: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	stored := s.accounts[a.ID]
	a.State, a.Version = stored.State, stored.Version
	s.keep(a)
	return nil
}

// Insert adds the account with its State and Version if there is none of that
// id, and reports whether it did. An account that is there is left as it is. The
// same values are refused as by [Store.Put], and a Version that is not 0 to
// [credential.MaxVersion].
//
// If inserted is false, there is an account of that id, which may be somebody else's
// or the one that an earlier call added. Draw Version at random and [Store.Load] the
// account to know: if it has that Version, it is this one. Until you know, delete
// nothing that it replaces. In other stores an error may follow an insertion that took
// effect; here it does not.
func (s *Store) Insert(ctx context.Context, a credential.Account) (inserted bool, err error) {
	if err := checkWhole(a); err != nil {
		return false, err
	}
	if err := ctx.Err(); err != nil {
		return false, fmt.Errorf("memstore: insert: %w", err)
	}
	a.State = a.State.Clone()
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, there := s.accounts[a.ID]; there {
		return false, nil
	}
	s.keep(a)
	return true, nil
}

// Replace adds the account with its State and Version, or replaces all of it.
// It is for tests, which set the stage: to a request under way it is a
// different account, but a service that replaces State brings spent proofs
// back. The same values are refused as by [Store.Insert].
func (s *Store) Replace(ctx context.Context, a credential.Account) error {
	if err := checkWhole(a); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("memstore: replace: %w", err)
	}
	a.State = a.State.Clone()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keep(a)
	return nil
}

// Delete removes the account and its State, and reports whether it was there.
func (s *Store) Delete(ctx context.Context, id string) (deleted bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, fmt.Errorf("memstore: delete: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	_, there := s.accounts[id]
	delete(s.accounts, id)
	return there, nil
}

// SetLocked locks or unlocks the account. A request that is being decided on at
// that moment sees it. The error wraps [credential.ErrNotFound] if there is no
// such account.
func (s *Store) SetLocked(ctx context.Context, id string, locked bool) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("memstore: set locked: %w", err)
	}
	return s.Update(id, func(a *credential.Account) { a.Locked = locked })
}

// RotateHash replaces the account's hash of f, [credential.FactorPassword] or
// [credential.FactorPIN], if it is still from; "" is none. Otherwise, or if
// there is no such account, the error wraps [credential.ErrConflict] and nothing
// has happened. It is what a host calls to store a better hash of the same value
// without undoing a change made meanwhile. Given as Config.OnRehash of an Issuer, it
// changes the form of the hash, so the login must take every form first: see there.
func (s *Store) RotateHash(ctx context.Context, id string, f credential.Factor, from, to string) error {
	if err := hostside.CheckRotation(f, to); err != nil {
		return fmt.Errorf("memstore: %w", err)
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("memstore: rotate hash: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	a, there := s.accounts[id]
	if !there || a.Hash(f) != from {
		return fmt.Errorf("memstore: %w: %q", credential.ErrConflict, id)
	}
	if f == credential.FactorPIN {
		a.PINHash = to
	} else {
		a.PasswordHash = to
	}
	s.keep(a)
	return nil
}

// IDs returns up to limit ids of accounts, in the order of their bytes, from
// the first one greater than after. Start with "", and go on with the last id
// of the page until a page is empty. limit must be above 0. It looks at every
// account for each page.
func (s *Store) IDs(ctx context.Context, after string, limit int) ([]string, error) {
	if err := hostside.CheckPage(after, limit); err != nil {
		return nil, fmt.Errorf("memstore: %w", err)
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("memstore: ids: %w", err)
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	var ids []string
	for id := range s.accounts {
		if id > after {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids[:min(limit, len(ids))], nil
}

// keep stores what is the store's own already. A time keeps its instant only,
// as in a database.
func (s *Store) keep(a credential.Account) {
	a.RegisteredAt, a.Next = time.Unix(a.RegisteredAt.Unix(), int64(a.RegisteredAt.Nanosecond())).UTC(), 0
	s.accounts[a.ID] = a
}

// checkWhole checks an account that is kept with its State and Version.
func checkWhole(a credential.Account) error {
	if err := hostside.CheckAccount(a); err != nil {
		return fmt.Errorf("memstore: %w", err)
	}
	if err := hostside.CheckVersion(a); err != nil {
		return fmt.Errorf("memstore: %w", err)
	}
	if err := a.State.Check(); err != nil {
		return fmt.Errorf("memstore: account %q: %w", a.ID, err)
	}
	return nil
}
