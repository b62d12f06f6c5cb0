package storetest

import (
	"errors"
	"fmt"
	"math"

	"example.com/devicetotp/credential"
)

// versionAsGiven saves under versions that go up and down, and that a store
// would spoil which keeps them as a float64 or in 32 bits.
func versionAsGiven(e env) error {
	s, a, err := e.loaded()
	if err != nil {
		return err
	}
	for n, next := range []int64{
		newVersion(), 1, credential.MaxVersion, credential.MaxVersion - 1, 1<<53 + 1, 1 << 32, 2, newVersion(), newVersion(),
	} {
		mark(n + 1)(&a.State)
		a.Next = next
		if err := e.saveAs(s, a); err != nil {
			return fmt.Errorf("Version %d, Next %d: %w", a.Version, a.Next, err)
		}
		if a, err = e.load(s, a.ID); err != nil {
			return err
		}
		if a.Version != next {
			return fmt.Errorf("after a Save with Next %d the version is %d", next, a.Version)
		}
	}
	return nil
}

// badVersion does not save what the library must never ask for.
func badVersion(e env) error {
	for saves := range 2 {
		s, a, err := e.loadedAfter(saves)
		if err != nil {
			return err
		}
		for _, next := range []int64{0, -1, math.MinInt64, a.Version, credential.MaxVersion + 1, math.MaxInt64} {
			bad := a
			mark(2)(&bad.State)
			bad.Next = next
			what := fmt.Sprintf("a Save with Version %d and Next %d", a.Version, next)
			if err := s.Save(e.ctx, bad); !errors.Is(err, credential.ErrVersion) {
				return fmt.Errorf("%s: want credential.ErrVersion, got: %w", what, orNil(err))
			}
			if err := e.wantStored(s, a, "after "+what); err != nil {
				return err
			}
		}
	}
	return nil
}

// saveStale saves an old version, and versions that were never stored but look
// like the stored one to a store that does not compare all of it.
func saveStale(e env) error {
	s, a, err := e.loaded()
	if err != nil {
		return err
	}
	next := a
	mark(1)(&next.State)
	next.Next = credential.MaxVersion - 1
	if err := e.saveAs(s, next); err != nil {
		return err
	}
	stored, err := e.load(s, a.ID)
	if err != nil {
		return err
	}
	mark(2)(&a.State)
	if err := e.wantConflict(s, a, "an account that was saved since it was loaded"); err != nil {
		return err
	}
	for _, version := range []int64{
		stored.Version + 1, stored.Version - 1, stored.Version - 1<<32, stored.Version - 1<<61, -stored.Version,
	} {
		other := stored
		other.Version = version
		mark(3)(&other.State)
		if err := e.wantConflict(s, other, fmt.Sprintf("version %d while %d is stored", version, stored.Version)); err != nil {
			return err
		}
	}
	return e.wantStored(s, stored, "after the refused saves")
}
