// Command embed is a service that had users before it had device TOTPs: a table
// of its own with bcrypt hashes, to which the library is added without moving
// anything.
//
//	go -C examples run ./embed
//
// It registers one user in a new SQLite file, creates devices for it, and tells
// what is stored. Read store.go first: the two queries that are all the library
// asks for. add.sql is what is added to the schema, users.go what was there and
// what it must not do, and the test holds all of it to the contract, on SQLite
// and on PostgreSQL.
package main

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
)

//go:embed users_sqlite.sql
var usersSQLite string

//go:embed add.sql
var add string

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "embed:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer) error {
	dir, err := os.MkdirTemp("", "embed")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	db, err := openSQLite(ctx, filepath.Join(dir, "users.db"))
	if err != nil {
		return err
	}
	defer db.Close()
	keys, err := credential.NewKeyring("demo", credential.NewKey("demo")) // a service: credential.KeyringFromFile
	if err != nil {
		return err
	}
	users := Users{db}
	issuer, err := newIssuer(users, NewSQLiteStore(db), keys)
	if err != nil {
		return err
	}
	return tell(ctx, out, users, issuer)
}

// newIssuer is all that is new in the service besides Store. A bcrypt hash is
// accepted as it is; the first right password or PIN brings a better one, which
// [Users.Login] takes too.
func newIssuer(users Users, store credential.Store, keys *credential.Keyring) (*devicetotp.Issuer, error) {
	return devicetotp.NewIssuer(store, keys, devicetotp.Config{
		OnRehash: users.StoreRehash,
	})
}

// tell shows one user who registered long ago, and one who is new.
func tell(ctx context.Context, out io.Writer, users Users, issuer *devicetotp.Issuer) error {
	old, err := users.Register(ctx, "old@example.com", "superSecret12345!", "8299", time.Now().AddDate(-1, 0, 0))
	if err != nil {
		return err
	}
	young, err := users.Register(ctx, "new@example.com", "superSecret12345!", "", time.Now())
	if err != nil {
		return err
	}
	for _, c := range []struct {
		who     string
		request devicetotp.CreateRequest
	}{
		{"a new user, nothing presented", devicetotp.CreateRequest{AccountID: young}},
		{"an old user, nothing presented", devicetotp.CreateRequest{AccountID: old}},
		{"an old user, a wrong PIN", devicetotp.CreateRequest{AccountID: old, PIN: credential.NewSecret("0000")}},
		{"an old user, the password", devicetotp.CreateRequest{AccountID: old, Password: credential.NewSecret("superSecret12345!")}},
	} {
		device, err := issuer.Create(ctx, c.request)
		switch code := devicetotp.CodeOf(err); {
		case err == nil:
			fmt.Fprintf(out, "%s: a device on basis %q\n", c.who, device.Basis)
		case errors.Is(err, devicetotp.ErrDenied):
			fmt.Fprintf(out, "%s: %s\n", c.who, code)
		default:
			return err
		}
	}
	return nil
}

// openSQLite makes a database with the service's own table and the added one.
// PostgreSQL: sql.Open("pgx", dsn), users_postgres.sql, the same add.sql.
func openSQLite(ctx context.Context, path string) (*sql.DB, error) {
	db, err := sql.Open("sqlite", sqliteDSN(path))
	if err != nil {
		return nil, err
	}
	if _, err := db.ExecContext(ctx, usersSQLite+add); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// sqliteDSN has the settings without which a crash forgets what was saved, a
// second process fails instead of waiting, and the cascade does nothing.
func sqliteDSN(path string) string {
	return "file:" + path + "?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)" +
		"&_pragma=foreign_keys(1)&_time_format=sqlite"
}
