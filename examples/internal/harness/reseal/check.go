package main

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sync/atomic"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
)

// check compares every account with what is known of it, with the new key alone.
// It returns how many devices there are, a code of each of which was accepted.
func (s *stage) check(ctx context.Context) (devices int64, err error) {
	one, err := s.newClient(s.alone)
	if err != nil {
		return 0, err
	}
	one.ahead.Store(24 * 60) // beyond every client
	var seen atomic.Int64
	err = eachShare(len(s.accounts), func(i int) error {
		known := &s.accounts[i]
		if err := s.checkStored(ctx, i, one.issuer); err != nil {
			return fmt.Errorf("%s: %w", known.id, err)
		}
		for _, d := range known.devices {
			seen.Add(1)
			if err := one.verify(ctx, known, d); err != nil {
				return err
			}
		}
		return nil
	})
	return seen.Load(), err
}

func (s *stage) checkStored(ctx context.Context, i int, issuer *devicetotp.Issuer) error {
	a, err := s.store.Load(ctx, s.accounts[i].id)
	if err != nil {
		return err
	}
	var have, want []string
	for _, d := range a.State.Devices {
		have = append(have, d.ID)
	}
	for _, d := range s.accounts[i].devices {
		want = append(want, d.id)
	}
	if !slices.Equal(have, want) {
		return fmt.Errorf("has the devices %v, must have %v", have, want)
	}
	encoded, err := a.State.MarshalBinary()
	if err != nil {
		return err
	}
	if bytes.Contains(encoded, []byte(oldKey)) {
		return fmt.Errorf("something is still of the key %s", oldKey)
	}
	view, err := issuer.Inspect(ctx, a.ID)
	if err != nil {
		return err
	}
	if !slices.Equal(view.Keys, []string{newKey}) || len(view.Unreadable) > 0 {
		return fmt.Errorf("needs the keys %v; does not open: %+v", view.Keys, view.Unreadable)
	}
	if n := a.State.Password.Failures; n != 3 {
		return fmt.Errorf("%d failures are counted, must be 3", n)
	}
	return s.checkParts(i, &a)
}

// checkParts looks for what no client uses.
func (s *stage) checkParts(i int, a *credential.Account) error {
	missing := ""
	switch {
	case i%10 == 0 && a.State.Devices[0].Rotation == nil:
		missing = "rotation"
	case i%7 == 0 && len(a.State.Revoked) != 1:
		missing = "revoked device"
	case i%5 == 0 && a.State.Recovery.Left != 1:
		missing = "set of recovery codes"
	case s.accounts[i].hasPIN != (a.PINHash != ""):
		missing = "PIN"
	}
	if missing != "" {
		return fmt.Errorf("has lost its %s", missing)
	}
	return nil
}
