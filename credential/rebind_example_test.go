package credential_test

import (
	"context"
	"fmt"
	"log"
	"math/rand/v2"
	"time"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/memstore"
)

// A host that used e-mail addresses as ids moves an account to an id of its own.
func ExampleRebind() {
	ctx := context.Background()
	keys, _ := credential.NewKeyring("2026-05", credential.NewKey("2026-05"))
	store := memstore.New()
	insert(ctx, store, keys, "ada@example.com")

	if err := move(ctx, store, keys, "ada@example.com", "u-7"); err != nil {
		log.Fatal(err)
	}
	_, err := store.Load(ctx, "ada@example.com")
	fmt.Println(err)
	moved, _ := store.Load(ctx, "u-7")
	fmt.Println(moved.Locked, moved.Version != 0)
	d := moved.State.Devices[0]
	secret, _, err := keys.Open(credential.DeviceScope("u-7", &d), d.Sealed)
	fmt.Println(len(secret.Reveal()), err)
	hash, _, err := keys.OpenPINHash("u-7", moved.PINHash)
	fmt.Println(hash, err, moved.Attempts(credential.FactorPIN).Failures)
	// Output:
	// memstore: credential: account not found: "ada@example.com"
	// false true
	// 20 <nil>
	// $2a$10$... <nil> 2
}

// move has the steps of the recipe. A real one writes down first that the account
// moves, so that it can go on after a crash.
func move(ctx context.Context, store *memstore.Store, keys *credential.Keyring, from, to string) error {
	old, err := store.Load(ctx, from)
	if err != nil {
		return err
	}
	wasLocked := old.Locked
	if err := store.SetLocked(ctx, from, true); err != nil { // 1
		return err
	}
	if old, err = store.Load(ctx, from); err != nil { // 2
		return err
	}
	moved := old
	moved.ID, moved.Version = to, rand.Int64N(credential.MaxVersion)+1
	if moved.State, err = credential.Rebind(keys, old.State, from, to); err != nil {
		return err
	}
	if old.PINHash != "" {
		hash, _, err := keys.OpenPINHash(from, old.PINHash)
		if err != nil {
			return err
		}
		if moved.PINHash, err = keys.SealPINHash(to, hash); err != nil {
			return err
		}
	}
	if inserted, err := store.Insert(ctx, moved); err != nil { // 3
		return err
	} else if !inserted {
		return fmt.Errorf("there is an account %q", to)
	}
	if _, err := store.Delete(ctx, from); err != nil { // 4
		return err
	}
	return store.SetLocked(ctx, to, wasLocked) // 5
}

// insert adds an account with a device and a PIN that was wrong twice.
func insert(ctx context.Context, store *memstore.Store, keys *credential.Keyring, id string) {
	d := credential.Device{ID: "738e379f-fe30-45ab-819c-ba88804b6368", CreatedAt: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	d.Sealed, _ = keys.Seal(credential.DeviceScope(id, &d), credential.NewSecret("12345678901234567890"))
	a := credential.Account{ID: id, Version: 7301444403, State: credential.State{Devices: []credential.Device{d}}}
	a.PINHash, _ = keys.SealPINHash(id, "$2a$10$...")
	a.State.PIN = credential.Attempts{Failures: 2, Against: credential.Fingerprint(a.PINHash)}
	_, _ = store.Insert(ctx, a)
}
