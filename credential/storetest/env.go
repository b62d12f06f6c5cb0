package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"

	"example.com/devicetotp/credential"
)

// env is what a rule works with.
type env struct {
	ctx context.Context
	Backend
}

// open returns one more handle.
func (e env) open() (credential.Store, error) {
	s, err := e.Open()
	if err != nil {
		return nil, fmt.Errorf("Backend.Open: %w", err)
	}
	if s == nil {
		return nil, errors.New("Backend.Open returned a nil store")
	}
	return s, nil
}

// account makes an account and returns its id.
func (e env) account() (string, error) {
	id, err := e.NewAccount(e.ctx)
	if err != nil {
		return "", fmt.Errorf("Backend.NewAccount: %w", err)
	}
	if id == "" {
		return "", errors.New("Backend.NewAccount returned an empty id")
	}
	return id, nil
}

// loaded makes an account and returns it as a handle loads it.
func (e env) loaded() (credential.Store, credential.Account, error) {
	s, err := e.open()
	if err != nil {
		return nil, credential.Account{}, err
	}
	id, err := e.account()
	if err != nil {
		return nil, credential.Account{}, err
	}
	a, err := e.load(s, id)
	return s, a, err
}

// loadedAfter is loaded of an account that has been saved so many times.
func (e env) loadedAfter(saves int) (credential.Store, credential.Account, error) {
	s, a, err := e.loaded()
	for n := range saves {
		if err == nil {
			err = e.saveLoaded(s, a.ID, mark(n+1))
		}
		if err == nil {
			a, err = e.load(s, a.ID)
		}
	}
	return s, a, err
}

func (e env) load(s credential.Store, id string) (credential.Account, error) {
	a, err := s.Load(e.ctx, id)
	if err != nil {
		return credential.Account{}, fmt.Errorf("Load of an account that exists: %w", err)
	}
	return a, nil
}

// newVersion draws a version as the library does.
func newVersion() int64 { return 1 + rand.Int64N(credential.MaxVersion) }

// save saves what must succeed, under a new version.
func (e env) save(s credential.Store, a credential.Account) error {
	a.Next = newVersion()
	return e.saveAs(s, a)
}

// saveAs is save under the version that a asks for.
func (e env) saveAs(s credential.Store, a credential.Account) error {
	if err := s.Save(e.ctx, a); err != nil {
		return fmt.Errorf("Save of an account that nobody changed since it was loaded: %w", err)
	}
	return nil
}

// saveLoaded loads the account, lets change alter its State, and saves it.
func (e env) saveLoaded(s credential.Store, id string, change func(*credential.State)) error {
	a, err := e.load(s, id)
	if err != nil {
		return err
	}
	change(&a.State)
	return e.save(s, a)
}

// wantConflict saves what must be refused.
func (e env) wantConflict(s credential.Store, a credential.Account, what string) error {
	a.Next = newVersion()
	switch err := s.Save(e.ctx, a); {
	case err == nil:
		return fmt.Errorf("Save of %s returned nil, want credential.ErrConflict", what)
	case !errors.Is(err, credential.ErrConflict):
		return fmt.Errorf("Save of %s: want credential.ErrConflict, got: %w", what, err)
	}
	return nil
}

// wantStored loads the account through s and compares all of it.
func (e env) wantStored(s credential.Store, want credential.Account, when string) error {
	got, err := e.load(s, want.ID)
	if err != nil {
		return err
	}
	return sameAccount(want, got, when)
}

func sameAccount(want, got credential.Account, when string) error {
	if !want.SameHostFields(got) {
		return fmt.Errorf("%s: what belongs to the host is different: want %v, got %v", when, want, got)
	}
	if want.Version != got.Version {
		return fmt.Errorf("%s: version %d, want %d", when, got.Version, want.Version)
	}
	return sameState(want.State, got.State, when)
}

// sameState compares the encodings, which show unknown members too.
func sameState(want, got credential.State, when string) error {
	w, err := want.MarshalBinary()
	if err != nil {
		return err
	}
	g, err := got.MarshalBinary()
	if err != nil {
		return fmt.Errorf("%s: the State that was loaded does not encode: %w", when, err)
	}
	if bytes.Equal(w, g) {
		return nil
	}
	at := 0
	for at < min(len(w), len(g)) && w[at] == g[at] {
		at++
	}
	return fmt.Errorf("%s: another State, of %d bytes for %d, different from byte %d on\n  want: %.300s\n  got:  %.300s",
		when, len(g), len(w), at, want.String(), got.String())
}

// mark is the smallest change to a State that can be seen.
func mark(n int) func(*credential.State) {
	return func(s *credential.State) { s.OTP.Failures = n }
}
