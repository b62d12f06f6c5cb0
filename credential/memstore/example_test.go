package memstore_test

import (
	"context"
	"errors"
	"fmt"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/memstore"
)

func Example() {
	ctx := context.Background()
	store := memstore.New()
	_ = store.Put(ctx, credential.Account{ID: "ada"})

	account, err := store.Load(ctx, "ada")
	fmt.Println(account, err)
	_, err = store.Load(ctx, "bob")
	fmt.Println(err)
	// Output:
	// account "ada" version 0 (password set: false, pin set: false, locked: false, devices: 0) <nil>
	// memstore: credential: account not found: "bob"
}

// Update is how a host changes what is its own; a request that is being decided
// on at that moment sees it.
func ExampleStore_Update() {
	ctx := context.Background()
	store := memstore.New()
	_ = store.Put(ctx, credential.Account{ID: "ada"})
	loaded, _ := store.Load(ctx, "ada")

	_ = store.Update("ada", func(a *credential.Account) { a.Locked = true })
	loaded.Next = 7301444403 // drawn at random by the library
	err := store.Save(ctx, loaded)
	fmt.Println(errors.Is(err, credential.ErrConflict))
	// Output: true
}

func ExampleStore_Put() {
	ctx := context.Background()
	store := memstore.New()
	fmt.Println(store.Put(ctx, credential.Account{ID: "alice", Locked: true}))
	account, err := store.Load(ctx, "alice")
	fmt.Println(account.ID, account.Locked, account.Version, err)
	fmt.Println(store.Delete(ctx, "alice"))
	_, err = store.Load(ctx, "alice")
	fmt.Println(err)
	// Output:
	// <nil>
	// alice true 0 <nil>
	// true <nil>
	// memstore: credential: account not found: "alice"
}
