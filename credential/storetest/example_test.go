package storetest_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"testing"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/memstore"
	"example.com/devicetotp/credential/storetest"
)

// exampleBackend tells the suite how this host's accounts are made and changed.
func exampleBackend() storetest.Backend {
	accounts := memstore.New()
	count := 0
	return storetest.Backend{
		Open: func() (credential.Store, error) { return accounts, nil },
		NewAccount: func(ctx context.Context) (string, error) {
			count++
			id := strconv.Itoa(count)
			return id, accounts.Put(ctx, credential.Account{ID: id, PasswordHash: "hash"})
		},
		ChangeHash: func(_ context.Context, id string, f credential.Factor) error {
			if f != credential.FactorPassword {
				return errors.ErrUnsupported // this host has no PINs
			}
			return accounts.Update(id, func(a *credential.Account) { a.PasswordHash += "+" })
		},
		Lock: func(ctx context.Context, id string) error { return accounts.SetLocked(ctx, id, true) },
		Delete: func(ctx context.Context, id string) error {
			_, err := accounts.Delete(ctx, id)
			return err
		},
	}
}

// In a test, hand the backend to Run:
//
//	func TestStore(t *testing.T) {
//		storetest.Run(t, func(t *testing.T) storetest.Backend { return exampleBackend() })
//	}
//
// Outside of one, go through the rules.
func Example() {
	_ = func(t *testing.T) { // in a test
		storetest.Run(t, func(*testing.T) storetest.Backend { return exampleBackend() })
	}

	for _, rule := range storetest.Rules() {
		err := rule.Check(context.Background(), exampleBackend())
		if err != nil {
			fmt.Println(rule.Name, err)
		}
	}
	// Output:
	// exact_hash Backend.SetHash is nil: unsupported operation
	// registration_changed Backend.ChangeRegisteredAt is nil: unsupported operation
	// change_under_way Backend.BeginChange is nil: unsupported operation
	// unknown_format Backend.PlantState is nil: unsupported operation
}

// A store that answers a conflict with success breaks one rule.
func ExampleRule_Check() {
	backend := exampleBackend()
	open := backend.Open
	backend.Open = func() (credential.Store, error) {
		s, err := open()
		return forgiving{s}, err
	}
	for _, rule := range storetest.Rules() {
		if rule.Name == "save_stale" {
			fmt.Println(rule.Check(context.Background(), backend))
		}
	}
	// Output:
	// save_stale
	//   rule: Save of an account that was saved since it was loaded wraps credential.ErrConflict; otherwise one one-time code makes two devices.
	//   seen: Save of an account that was saved since it was loaded returned nil, want credential.ErrConflict
}

type forgiving struct{ credential.Store }

func (f forgiving) Save(ctx context.Context, a credential.Account) error {
	if err := f.Store.Save(ctx, a); !errors.Is(err, credential.ErrConflict) {
		return err
	}
	return nil
}
