package hosttest

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"example.com/devicetotp/credential"
)

// refusedArguments are no conflict and no missing account, unless the id or the
// hash can simply not be there.
func refusedArguments(ctx context.Context, s Store) error {
	if err := s.Put(ctx, credential.Account{ID: "a", PasswordHash: "p"}); err != nil {
		return err
	}
	for _, id := range []string{"", "a\x00", "\xff", string(make([]byte, 1025))} {
		deleted, deleteErr := s.Delete(ctx, id)
		_, insertErr := s.Insert(ctx, credential.Account{ID: id})
		err := first(
			absent(ctx, s, id),
			wraps("Save", s.Save(ctx, credential.Account{ID: id, Next: 7}), credential.ErrConflict),
			wraps("SetLocked", s.SetLocked(ctx, id, true), credential.ErrNotFound),
			wraps("RotateHash", s.RotateHash(ctx, id, credential.FactorPIN, "", "x"), credential.ErrConflict),
			done("Delete", deleted, deleteErr, false),
			refused("Put", s.Put(ctx, credential.Account{ID: id}), "the id must be 1 to 1024 bytes"),
			refused("Insert", insertErr, "the id must be 1 to 1024 bytes"),
		)
		if err != nil {
			return fmt.Errorf("id %.20q: %w", id, err)
		}
	}
	return first(refusedAccounts(ctx, s), refusedHashes(ctx, s), refusedPages(ctx, s),
		stored(ctx, s, credential.Account{ID: "a", PasswordHash: "p"}), absent(ctx, s, "b"))
}

func refusedAccounts(ctx context.Context, s Store) error {
	bad := credential.Account{ID: "b", PasswordHash: "\xff", PINHash: "\x00"}
	const words = `account "b": the password hash is not UTF-8 without NUL, the PIN hash is not UTF-8 without NUL`
	_, hashErr := s.Insert(ctx, bad)
	_, lowErr := s.Insert(ctx, credential.Account{ID: "b", Version: -1})
	_, highErr := s.Insert(ctx, credential.Account{ID: "b", Version: credential.MaxVersion + 1})
	_, sizeErr := s.Insert(ctx, credential.Account{ID: "b", State: credential.State{Devices: make([]credential.Device, credential.MaxDevices+1)}})
	longest := credential.Account{ID: string(slices.Repeat([]byte("x"), 1024))}
	return first(
		refused("Put", s.Put(ctx, bad), words),
		refused("Insert", hashErr, words),
		refused("Insert", lowErr, "version -1 is not 0 to 2^62"),
		refused("Insert", highErr, "is not 0 to 2^62"),
		wraps("Insert of a large State", sizeErr, credential.ErrStateSize),
		s.Put(ctx, longest), stored(ctx, s, longest),
	)
}

func refusedHashes(ctx context.Context, s Store) error {
	saved := credential.Account{ID: "a", PasswordHash: "p\x00", Next: 7}
	return first(
		wraps("Save", s.Save(ctx, saved), credential.ErrConflict),
		wraps("RotateHash", s.RotateHash(ctx, "a", credential.FactorPassword, "p\x00", "x"), credential.ErrConflict),
		refused("RotateHash", s.RotateHash(ctx, "a", credential.FactorPassword, "p", "\x00"), "the new password hash is not UTF-8"),
		refused("RotateHash", s.RotateHash(ctx, "a", credential.FactorPIN, "", "\xff"), "the new pin hash is not UTF-8"),
		refused("RotateHash", s.RotateHash(ctx, "a", credential.FactorOTP, "", "x"), "otp has no stored hash"),
	)
}

func refusedPages(ctx context.Context, s Store) error {
	var errs []error
	for limit, after := range map[int]string{0: "", -1: "", 1: "\xff", 2: "\x00"} {
		page, err := s.IDs(ctx, after, limit)
		if err == nil || len(page) > 0 {
			errs = append(errs, fmt.Errorf("IDs(%q, %d) returned %q", after, limit, page))
		}
	}
	return errors.Join(errs...)
}
