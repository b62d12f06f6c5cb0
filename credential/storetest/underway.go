package storetest

import (
	"errors"
	"fmt"
	"time"

	"example.com/devicetotp/credential"
)

// patience is how long a Save may take to answer although it should wait. It
// decides only how surely a wrong store is found: a right one passes always.
const patience = 100 * time.Millisecond

// changeUnderWay saves while the host has a change begun and not committed.
func changeUnderWay(e env) error {
	if e.BeginChange == nil {
		return fmt.Errorf("Backend.BeginChange is nil: %w", errors.ErrUnsupported)
	}
	for saves := range 2 {
		s, a, err := e.loadedAfter(saves)
		if err != nil {
			return err
		}
		if err := e.saveDuringChange(s, a); err != nil {
			return fmt.Errorf("after %d saves: %w", saves, err)
		}
	}
	return nil
}

// wantUndone saves a, which must be refused as a conflict. A database under
// SERIALIZABLE may ask to try again instead.
func (e env) wantUndone(s credential.Store, a credential.Account) error {
	a.Next = newVersion()
	if err := s.Save(e.ctx, a); !refused(err) {
		return fmt.Errorf("Save of an account that the host was changing: want credential.ErrConflict or credential.ErrSerialization, got: %v", err)
	}
	return nil
}

func (e env) saveDuringChange(s credential.Store, a credential.Account) error {
	commit, err := e.BeginChange(e.ctx, a.ID)
	if err != nil {
		return fmt.Errorf("Backend.BeginChange: %w", err)
	}
	before := a.State
	mark(9)(&a.State)
	answer := make(chan error, 1)
	go func() { answer <- e.wantUndone(s, a) }()
	var early error
	select {
	case early = <-answer:
		answer <- early
	case <-time.After(patience):
	}
	if err := commit(); err != nil {
		return errors.Join(early, fmt.Errorf("Backend.BeginChange: commit: %w", err))
	}
	if err := <-answer; err != nil {
		return err
	}
	changed, err := e.load(s, a.ID)
	if err != nil {
		return err
	}
	if a.SameHostFields(changed) || a.Version != changed.Version {
		return fmt.Errorf("after the commit Load returns %v, before it %v", changed, a)
	}
	return sameState(before, changed.State, "after the refused Save")
}
