package storetest

import (
	"errors"
	"fmt"

	"example.com/devicetotp/credential"
)

func loadUnknown(e env) error {
	s, err := e.open()
	if err != nil {
		return err
	}
	id, err := e.account()
	if err != nil {
		return err
	}
	if err := e.Delete(e.ctx, id); err != nil {
		return fmt.Errorf("Backend.Delete: %w", err)
	}
	return e.wantNotFound(s, id)
}

func (e env) wantNotFound(s credential.Store, id string) error {
	switch a, err := s.Load(e.ctx, id); {
	case err == nil:
		return fmt.Errorf("Load(%q) returned %v, want credential.ErrNotFound", id, a)
	case !errors.Is(err, credential.ErrNotFound):
		return fmt.Errorf("Load(%q): want credential.ErrNotFound, got: %w", id, err)
	}
	return nil
}

func loadNew(e env) error {
	s, a, err := e.loaded()
	if err != nil {
		return err
	}
	if a.Version != 0 || a.Locked {
		return fmt.Errorf("a new account has version %d and locked %t, want 0 and false", a.Version, a.Locked)
	}
	if err := sameState(credential.State{}, a.State, "a new account"); err != nil {
		return err
	}
	if err := e.wantStored(s, a, "the second Load"); err != nil {
		return err
	}
	id, err := e.account()
	if err != nil {
		return err
	}
	other, err := e.load(s, id)
	if err != nil {
		return err
	}
	if other.ID != id || a.ID == id {
		return fmt.Errorf("Load(%q) returned account %q, the account before was %q", id, other.ID, a.ID)
	}
	return nil
}

func saveNew(e env) error {
	s, a, err := e.loaded()
	if err != nil {
		return err
	}
	for n := 1; n <= 3; n++ {
		mark(n)(&a.State)
		if err := e.save(s, a); err != nil {
			return err
		}
		got, err := e.load(s, a.ID)
		if err != nil {
			return err
		}
		if err := sameState(a.State, got.State, "after Save"); err != nil {
			return err
		}
		a = got
	}
	return nil
}

// allOrNothing does not ask what Save answers, only whether it is true.
func allOrNothing(e env) error {
	s, a, err := e.loaded()
	if err != nil {
		return err
	}
	first := a
	mark(1)(&first.State)
	if err := e.conflictIsNothing(s, first, "the first Save"); err != nil {
		return err
	}
	stale := a // a is of version 0
	mark(2)(&stale.State)
	return e.conflictIsNothing(s, stale, "a Save of an old version")
}

func (e env) conflictIsNothing(s credential.Store, a credential.Account, what string) error {
	before, err := e.load(s, a.ID)
	if err != nil {
		return err
	}
	a.Next = newVersion()
	if !errors.Is(s.Save(e.ctx, a), credential.ErrConflict) {
		return nil
	}
	return e.wantStored(s, before, what+" returned credential.ErrConflict, afterwards")
}

func oneAccount(e env) error {
	s, a, err := e.loaded()
	if err != nil {
		return err
	}
	id, err := e.account()
	if err != nil {
		return err
	}
	other, err := e.load(s, id)
	if err != nil {
		return err
	}
	mark(1)(&a.State)
	if err := e.save(s, a); err != nil {
		return err
	}
	return e.wantStored(s, other, "after a Save of another account")
}

func durableOnReturn(e env) error {
	s, a, err := e.loaded()
	if err != nil {
		return err
	}
	for n := 1; n <= 5; n++ {
		mark(n)(&a.State)
		if err := e.save(s, a); err != nil {
			return err
		}
		other, err := e.open()
		if err != nil {
			return err
		}
		got, err := e.load(other, a.ID)
		if err != nil {
			return err
		}
		if err := sameState(a.State, got.State, "through a second handle, after Save returned"); err != nil {
			return err
		}
		a = got
	}
	return nil
}

const (
	readers  = 4   // handles that hand an account round
	handOffs = 400 // by all of them together
)

// loadFresh saves through one handle and at once loads through the next, which
// is the one that saves then.
func loadFresh(e env) error {
	handles, id, err := e.handles(readers)
	if err != nil {
		return err
	}
	for _, s := range handles { // what a handle has loaded, it may keep
		if _, err := e.load(s, id); err != nil {
			return err
		}
	}
	a, err := e.load(handles[0], id)
	if err != nil {
		return err
	}
	for n := range handOffs {
		mark(n + 1)(&a.State)
		a.Next = newVersion()
		if err := e.saveAs(handles[n%readers], a); err != nil {
			return err
		}
		a.Version = a.Next
		next := handles[(n+1)%readers]
		if err := e.wantStored(next, a, fmt.Sprintf("hand-off %d, through a handle that had loaded the account before", n+1)); err != nil {
			return err
		}
	}
	return nil
}
