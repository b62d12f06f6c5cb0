package sqltest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	_ "modernc.org/sqlite" // the driver is the host's choice

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/sqlstore"
)

// exampleStore returns a store in a new SQLite file, and what removes it.
func exampleStore(ctx context.Context) (*sqlstore.Store, func()) {
	dir, err := os.MkdirTemp("", "sqlstore")
	if err != nil {
		panic(err)
	}
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "accounts.db")+
		"?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)")
	if err != nil {
		panic(err)
	}
	store, err := sqlstore.New(ctx, db, sqlstore.DialectSQLite, sqlstore.Config{})
	if err != nil {
		panic(err)
	}
	if err := store.Migrate(ctx); err != nil {
		panic(err)
	}
	return store, func() {
		_ = db.Close()
		_ = os.RemoveAll(dir)
	}
}

// The host opens the database with the driver of its choice, New checks the
// settings, and Migrate makes the table.
func Example() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "sqlstore")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "accounts.db")+
		"?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer db.Close()

	store, err := sqlstore.New(ctx, db, sqlstore.DialectSQLite, sqlstore.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := store.Migrate(ctx); err != nil {
		fmt.Println(err)
		return
	}
	err = store.Put(ctx, credential.Account{ID: "ada", RegisteredAt: time.Unix(1767225600, 0)})
	if err != nil {
		fmt.Println(err)
		return
	}
	account, err := store.Load(ctx, "ada")
	fmt.Println(account, err)
	// Output: account "ada" version 0 (password set: false, pin set: false, locked: false, devices: 0) <nil>
}

func Example_save() {
	ctx := context.Background()
	store, remove := exampleStore(ctx)
	defer remove()
	_ = store.Put(ctx, credential.Account{ID: "ada"})

	loaded, _ := store.Load(ctx, "ada")
	stale := loaded
	loaded.State.OTP.Failures = 1
	loaded.Next, stale.Next = 7301444403, 1930226178 // drawn at random by the library
	fmt.Println("first:", store.Save(ctx, loaded))
	err := store.Save(ctx, stale)
	fmt.Println("second is a conflict:", errors.Is(err, credential.ErrConflict))
	// Output:
	// first: <nil>
	// second is a conflict: true
}

func Example_insert() {
	ctx := context.Background()
	store, remove := exampleStore(ctx)
	defer remove()

	account := credential.Account{ID: "ada", State: credential.State{Devices: []credential.Device{{
		ID: "738e379f-fe30-45ab-819c-ba88804b6368", Basis: credential.BasisImported,
	}}}, Version: 1}
	fmt.Println(store.Insert(ctx, account))
	fmt.Println(store.Insert(ctx, account)) // is there already, and stays as it is
	// Output:
	// true <nil>
	// false <nil>
}

func Example_rotateHash() {
	ctx := context.Background()
	store, remove := exampleStore(ctx)
	defer remove()
	_ = store.Put(ctx, credential.Account{ID: "ada", PasswordHash: "old"})

	fmt.Println(store.RotateHash(ctx, "ada", credential.FactorPassword, "old", "better"))
	err := store.RotateHash(ctx, "ada", credential.FactorPassword, "old", "late")
	fmt.Println(errors.Is(err, credential.ErrConflict))
	// Output:
	// <nil>
	// true
}

func Example_iDs() {
	ctx := context.Background()
	store, remove := exampleStore(ctx)
	defer remove()
	for _, id := range []string{"ada", "bob", "cleo"} {
		_ = store.Put(ctx, credential.Account{ID: id})
	}

	for after := ""; ; {
		page, err := store.IDs(ctx, after, 2)
		if err != nil || len(page) == 0 {
			break
		}
		fmt.Println(page)
		after = page[len(page)-1]
	}
	// Output:
	// [ada bob]
	// [cleo]
}

// What the host changes about an account leaves its State alone.
func Example_hostColumns() {
	ctx := context.Background()
	store, remove := exampleStore(ctx)
	defer remove()
	fmt.Println(store.Put(ctx, credential.Account{ID: "alice", PasswordHash: "hash"}))
	fmt.Println(store.SetLocked(ctx, "alice", true))
	account, err := store.Load(ctx, "alice")
	fmt.Println(account.Locked, err)
	fmt.Println(store.Delete(ctx, "alice"))
	fmt.Println(store.SetLocked(ctx, "alice", false))
	// Output:
	// <nil>
	// <nil>
	// true <nil>
	// true <nil>
	// sqlstore: credential: account not found: "alice"
}

// A host with a migration tool of its own runs the statements there.
func Example_migrations() {
	ctx := context.Background()
	store, remove := exampleStore(ctx)
	defer remove()
	for _, m := range store.Migrations() {
		fmt.Println(m.Version, m.Name, m.SQL != "")
	}
	// Output: 1 accounts true
}
