package settings

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
)

// A key is replaced in four steps. Each is a key file that reaches every process
// before the next step begins:
//
//	1. old          as it was
//	2. *old, new    every process can open what new will seal
//	3. old, *new    new seals; ResealAll, until NeedOldKeys returns nobody
//	4. new          old is gone
//
// A one-time code, and the OTP that a device was made on, cannot be sealed again.
// They are needed for ten minutes at most (devicetotp.MaxCodeTTL, and the longest
// Policy.RetryWindow), so ResealAll is called again after that. For a database that
// takes hours, ../reseal has the same with a pace, and goes on where it was killed.

// Accounts is the part of the service's database that a roll-out works on; the
// stores of packages sqlstore and memstore have it.
type Accounts interface {
	credential.Store
	IDs(ctx context.Context, after string, limit int) ([]string, error)
	RotateHash(ctx context.Context, id string, f credential.Factor, from, to string) error
}

// ResealAll seals everything in the database with the primary of keys, which
// are the keys of issuer. It may be repeated, and run beside everything else.
//
// An account that cannot be done stops no other one: the error joins one for
// each, and says which it is.
func ResealAll(ctx context.Context, keys *credential.Keyring, issuer *devicetotp.Issuer, accounts Accounts) error {
	var failed []error
	err := each(ctx, accounts, func(id string) error {
		if err := resealAccount(ctx, keys, issuer, accounts, id); err != nil {
			failed = append(failed, fmt.Errorf("account %q: %w", id, err))
		}
		return ctx.Err()
	})
	return errors.Join(append(failed, err)...)
}

func resealAccount(
	ctx context.Context, keys *credential.Keyring, issuer *devicetotp.Issuer, accounts Accounts, id string,
) error {
	errPIN := resealPIN(ctx, keys, accounts, id)
	did, err := issuer.Reseal(ctx, id)
	if errors.Is(err, credential.ErrNotFound) { // deleted since its id was read
		return nil
	}
	errs := []error{errPIN, err}
	if did.Withheld {
		errs = append(errs, errors.New("another key of the primary's id is in use"))
	}
	for _, v := range did.Unreadable {
		errs = append(errs, fmt.Errorf("%s %s: %w", v.Purpose, v.DeviceID, v.Err))
	}
	return errors.Join(errs...)
}

// resealPIN seals the hash of the PIN, which the library reads and the service
// writes. A user who sets another PIN at that moment wins.
func resealPIN(ctx context.Context, keys *credential.Keyring, accounts Accounts, id string) error {
	for {
		a, err := accounts.Load(ctx, id)
		if err != nil {
			return err
		}
		sealed, err := keys.ResealPINHash(id, a.PINHash)
		if err != nil || sealed == a.PINHash {
			return err
		}
		err = accounts.RotateHash(ctx, id, credential.FactorPIN, a.PINHash, sealed)
		if !errors.Is(err, credential.ErrConflict) {
			return err
		}
	}
}

// NeedOldKeys returns the accounts that need another key than the primary, with
// the ids of those keys. If there are none, and no process seals with an older key
// any more, every other key can go. It changes nothing.
func NeedOldKeys(
	ctx context.Context, primary string, issuer *devicetotp.Issuer, accounts Accounts,
) (map[string][]string, error) {
	need := map[string][]string{}
	err := each(ctx, accounts, func(id string) error {
		o, err := issuer.Inspect(ctx, id)
		if errors.Is(err, credential.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err // not to know is not the same as not to need
		}
		others := slices.DeleteFunc(o.Keys, func(key string) bool { return key == primary })
		if len(others) > 0 {
			need[id] = others
		}
		return nil
	})
	return need, err
}

// each calls do for every account, a page at a time.
func each(ctx context.Context, accounts Accounts, do func(id string) error) error {
	for after := ""; ; {
		page, err := accounts.IDs(ctx, after, 100)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, id := range page {
			if err := do(id); err != nil {
				return err
			}
		}
		after = page[len(page)-1]
	}
}
