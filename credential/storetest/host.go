package storetest

import (
	"errors"
	"fmt"

	"example.com/devicetotp/credential"
)

func onlyState(e env) error {
	s, a, err := e.loaded()
	if err != nil {
		return err
	}
	if err := e.hostChanges(a.ID, credential.FactorPassword); err != nil {
		return err
	}
	before, err := e.load(s, a.ID)
	if err != nil {
		return err
	}
	altered := before
	altered.PasswordHash, altered.PINHash, altered.Locked = "caller's", "caller's", !before.Locked
	for _, save := range []struct {
		what string
		a    credential.Account
	}{
		{"a Save of the account as it was before the host changed it", a},
		{"a Save of an account whose host fields the caller altered", altered},
	} {
		mark(7)(&save.a.State)
		save.a.Next = newVersion()
		_ = s.Save(e.ctx, save.a) // what it answers is the business of other rules
		after, err := e.load(s, a.ID)
		if err != nil {
			return err
		}
		if !before.SameHostFields(after) {
			return fmt.Errorf("%s changed what belongs to the host", save.what)
		}
	}
	return nil
}

// hostChanges changes a hash: of f, or of the password if the host has no f.
func (e env) hostChanges(id string, f credential.Factor) error {
	if err := e.ChangeHash(e.ctx, id, f); err != nil {
		return fmt.Errorf("Backend.ChangeHash of the %s: %w", f, err)
	}
	return nil
}

func hashChanged(e env) error {
	checked := 0
	for _, f := range []credential.Factor{credential.FactorPassword, credential.FactorPIN} {
		err := e.changeIsConflict("account whose "+f.String()+" hash the host changed",
			func(id string) error { return e.hostChanges(id, f) },
			func(before, after credential.Account) bool { return before.Hash(f) != after.Hash(f) })
		if errors.Is(err, errors.ErrUnsupported) {
			continue
		}
		if err != nil {
			return err
		}
		checked++
	}
	if checked == 0 {
		return fmt.Errorf("the host has neither a password nor a PIN hash: %w", errors.ErrUnsupported)
	}
	return nil
}

func locked(e env) error {
	return e.changeIsConflict("account that the host locked",
		func(id string) error { return e.Lock(e.ctx, id) },
		func(_, after credential.Account) bool { return after.Locked })
}

func registrationChanged(e env) error {
	if e.ChangeRegisteredAt == nil {
		return fmt.Errorf("Backend.ChangeRegisteredAt is nil: %w", errors.ErrUnsupported)
	}
	return e.changeIsConflict("account whose registration time the host changed",
		func(id string) error { return e.ChangeRegisteredAt(e.ctx, id) },
		func(before, after credential.Account) bool { return !before.RegisteredAt.Equal(after.RegisteredAt) })
}

// changeIsConflict lets the host change an account between Load and Save, once
// before the first Save and once after it.
func (e env) changeIsConflict(what string, change func(id string) error, visible func(before, after credential.Account) bool) error {
	for saves := range 2 {
		s, a, err := e.loadedAfter(saves)
		if err != nil {
			return err
		}
		if err := change(a.ID); err != nil {
			return err
		}
		if err := e.refusedUntilReloaded(s, a, "an "+what, visible); err != nil {
			return err
		}
	}
	return nil
}

func (e env) refusedUntilReloaded(s credential.Store, stale credential.Account, what string, visible func(before, after credential.Account) bool) error {
	changed, err := e.load(s, stale.ID)
	if err != nil {
		return err
	}
	if !visible(stale, changed) {
		return fmt.Errorf("Load of %s does not show the change", what)
	}
	mark(9)(&stale.State)
	if err := e.wantConflict(s, stale, what); err != nil {
		return err
	}
	if err := e.wantStored(s, changed, "after the refused Save"); err != nil {
		return err
	}
	mark(3)(&changed.State)
	if err := e.save(s, changed); err != nil {
		return fmt.Errorf("after the change was loaded: %w", err)
	}
	return nil
}

func deleted(e env) error {
	for saves := range 2 {
		s, a, err := e.loadedAfter(saves)
		if err != nil {
			return err
		}
		if err := e.Delete(e.ctx, a.ID); err != nil {
			return fmt.Errorf("Backend.Delete: %w", err)
		}
		mark(2)(&a.State)
		if err := e.wantConflict(s, a, "an account that the host deleted"); err != nil {
			return err
		}
		if err := e.wantNotFound(s, a.ID); err != nil {
			return fmt.Errorf("after Save of a deleted account: %w", err)
		}
		if err := e.madeAgain(s, a.ID); err != nil {
			return err
		}
	}
	return nil
}

// madeAgain holds that a new account of a deleted one's id begins with nothing.
func (e env) madeAgain(s credential.Store, id string) error {
	again := e.NewAccountWithID != nil && e.NewAccountWithID(e.ctx, id) == nil
	if !again {
		return nil // the host gives no id twice
	}
	a, err := e.load(s, id)
	if err != nil {
		return fmt.Errorf("an account that has the id of a deleted one: %w", err)
	}
	if a.Version != 0 {
		return fmt.Errorf("an account that has the id of a deleted one begins in version %d, want 0", a.Version)
	}
	return sameState(credential.State{}, a.State, "an account that has the id of a deleted one")
}
