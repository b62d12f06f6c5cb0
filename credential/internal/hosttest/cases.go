package hosttest

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"example.com/devicetotp/credential"
)

// put adds an account without State, and replaces the host's fields only.
func put(ctx context.Context, s Store) error {
	whole := credential.Account{ID: "a", Version: 9, Next: 9, State: credential.State{OTP: credential.Attempts{Failures: 9}}}
	if err := first(s.Put(ctx, whole), stored(ctx, s, credential.Account{ID: "a"})); err != nil {
		return err
	}
	saved := credential.Account{ID: "a", Next: 7, State: credential.State{OTP: credential.Attempts{Failures: 2}}}
	if err := s.Save(ctx, saved); err != nil {
		return err
	}
	want := credential.Account{
		ID: "a", RegisteredAt: time.Unix(5, 6).UTC(), PasswordHash: "p'\"$1?1", PINHash: "q\u00fc", Locked: true,
		State: whole.State, Version: 9,
	}
	if err := s.Put(ctx, want); err != nil {
		return err
	}
	want.State, want.Version = saved.State, 7
	return stored(ctx, s, want)
}

// registrationTime keeps the instant, to the nanosecond and in UTC, and Save
// compares it so.
func registrationTime(ctx context.Context, s Store) error {
	for i, at := range []time.Time{
		{}, // unknown
		time.Unix(0, 0),
		time.Date(2026, 2, 3, 4, 5, 6, 123456789, time.UTC),
		time.Date(2026, 2, 3, 4, 5, 6, 1, time.FixedZone("", -9*3600)),
		time.Date(1907, 1, 1, 0, 0, 0, 999999999, time.UTC),
		time.Date(12026, 1, 1, 0, 0, 0, 0, time.UTC),
		time.Unix(math.MaxInt64-62135596800, 999999999),
	} {
		a := credential.Account{ID: fmt.Sprint(i), RegisteredAt: at}
		if err := s.Put(ctx, a); err != nil {
			return err
		}
		a.RegisteredAt = at.UTC()
		moved := a
		moved.RegisteredAt, moved.Next = at.Add(-time.Nanosecond), 7
		a.Next = 8
		err := first(wraps("Save of another time", s.Save(ctx, moved), credential.ErrConflict), s.Save(ctx, a))
		if err != nil {
			return err
		}
		a.Version, a.Next = 8, 0
		if err := stored(ctx, s, a); err != nil {
			return err
		}
	}
	return nil
}

// insert adds an account with its State and Version, and shares nothing with it.
func insert(ctx context.Context, s Store) error {
	account := func() credential.Account {
		return credential.Account{
			ID: "a", RegisteredAt: time.Unix(1, 2).UTC(), PasswordHash: "p", PINHash: "q", Locked: true, Version: credential.MaxVersion,
			State: credential.State{Devices: []credential.Device{{ID: "d", Sealed: []byte{0, 255}}}},
		}
	}
	a := account()
	inserted, err := s.Insert(ctx, a)
	if err := done("Insert of a new account", inserted, err, true); err != nil {
		return err
	}
	a.State.Devices[0].Sealed[0] = 'X'
	if err := stored(ctx, s, account()); err != nil {
		return err
	}
	inserted, err = s.Insert(ctx, credential.Account{ID: "a"})
	return first(done("Insert of an account that is there", inserted, err, false), stored(ctx, s, account()))
}

// deleting reports whether the account was there, and takes its State along.
func deleting(ctx context.Context, s Store) error {
	if err := first(s.Put(ctx, credential.Account{ID: "a"}), s.Save(ctx, credential.Account{ID: "a", Next: 7})); err != nil {
		return err
	}
	for _, there := range []bool{true, false} {
		deleted, err := s.Delete(ctx, "a")
		if err := done("Delete", deleted, err, there); err != nil {
			return err
		}
	}
	return first(absent(ctx, s, "a"), s.Put(ctx, credential.Account{ID: "a"}), stored(ctx, s, credential.Account{ID: "a"}))
}

func setLocked(ctx context.Context, s Store) error {
	err := first(wraps("SetLocked of nobody", s.SetLocked(ctx, "a", true), credential.ErrNotFound),
		absent(ctx, s, "a"), s.Put(ctx, credential.Account{ID: "a", PasswordHash: "p"}))
	if err != nil {
		return err
	}
	for _, locked := range []bool{true, true, false, false} {
		err := first(s.SetLocked(ctx, "a", locked), stored(ctx, s, credential.Account{ID: "a", PasswordHash: "p", Locked: locked}))
		if err != nil {
			return err
		}
	}
	return nil
}

// rotateHash compares one hash and sets it.
func rotateHash(ctx context.Context, s Store) error {
	if err := s.Put(ctx, credential.Account{ID: "a", PasswordHash: "p", Locked: true}); err != nil {
		return err
	}
	const password, pin = credential.FactorPassword, credential.FactorPIN
	return first(
		s.RotateHash(ctx, "a", password, "p", "p2"),
		s.RotateHash(ctx, "a", pin, "", "q"),
		s.RotateHash(ctx, "a", pin, "q", "q"),
		wraps("RotateHash of an old hash", s.RotateHash(ctx, "a", password, "p", "p3"), credential.ErrConflict),
		wraps("RotateHash of another case", s.RotateHash(ctx, "a", password, "P2", "p3"), credential.ErrConflict),
		wraps("RotateHash of another factor's hash", s.RotateHash(ctx, "a", pin, "p2", "p3"), credential.ErrConflict),
		wraps("RotateHash of nobody", s.RotateHash(ctx, "nobody", pin, "", "q"), credential.ErrConflict),
		absent(ctx, s, "nobody"),
		stored(ctx, s, credential.Account{ID: "a", PasswordHash: "p2", PINHash: "q", Locked: true}),
	)
}

// ids are listed in pages of every size, in the order of their bytes.
func ids(ctx context.Context, s Store) error {
	want := []string{"1", "10", "2", "A", "B", "a", "\u00e9", "\uffff", "\U0001F511"}
	for _, id := range slices.Backward(want) {
		if err := s.Put(ctx, credential.Account{ID: id}); err != nil {
			return err
		}
	}
	for limit := 1; limit <= len(want)+1; limit++ {
		var got []string
		for after := ""; ; after = got[len(got)-1] {
			page, err := s.IDs(ctx, after, limit)
			if err != nil {
				return err
			}
			if len(page) > limit {
				return fmt.Errorf("IDs returned %d ids, limit %d", len(page), limit)
			}
			if len(page) == 0 {
				break
			}
			got = append(got, page...)
		}
		if !slices.Equal(want, got) {
			return fmt.Errorf("IDs in pages of %d: %q, want %q", limit, got, want)
		}
	}
	page, err := s.IDs(ctx, "B0", 2) // nobody's id
	if err != nil || !slices.Equal(page, want[5:7]) {
		return fmt.Errorf("IDs after an id that is gone: %q, %w", page, err)
	}
	return nil
}

// endedContext ends every call, and nothing is written.
func endedContext(ctx context.Context, s Store) error {
	a := credential.Account{ID: "a", PasswordHash: "p"}
	if err := s.Put(ctx, a); err != nil {
		return err
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	_, insertErr := s.Insert(ended, credential.Account{ID: "b"})
	_, deleteErr := s.Delete(ended, "a")
	_, idsErr := s.IDs(ended, "", 1)
	return first(
		wraps("Put", s.Put(ended, credential.Account{ID: "a"}), context.Canceled),
		wraps("Insert", insertErr, context.Canceled),
		wraps("Delete", deleteErr, context.Canceled),
		wraps("SetLocked", s.SetLocked(ended, "a", true), context.Canceled),
		wraps("RotateHash", s.RotateHash(ended, "a", credential.FactorPassword, "p", "x"), context.Canceled),
		wraps("IDs", idsErr, context.Canceled),
		stored(ctx, s, a), absent(ctx, s, "b"),
	)
}

// changeUnderWay makes a Save of what was loaded before it a conflict.
func changeUnderWay(ctx context.Context, s Store) error {
	host := credential.Account{ID: "a", PasswordHash: "p"}
	for name, change := range map[string]func() error{
		"Put":        func() error { return s.Put(ctx, credential.Account{ID: "a", PasswordHash: "p", PINHash: "q"}) },
		"SetLocked":  func() error { return s.SetLocked(ctx, "a", true) },
		"RotateHash": func() error { return s.RotateHash(ctx, "a", credential.FactorPassword, "p", "p2") },
		"Delete":     func() error { _, err := s.Delete(ctx, "a"); return err },
	} {
		if err := s.Put(ctx, host); err != nil {
			return err
		}
		loaded, err := s.Load(ctx, "a")
		if err != nil {
			return err
		}
		loaded.Next = 7
		if err := first(change(), wraps("Save after "+name, s.Save(ctx, loaded), credential.ErrConflict)); err != nil {
			return err
		}
	}
	return nil
}
