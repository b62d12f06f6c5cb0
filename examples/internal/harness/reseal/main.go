// Command reseal removes an old key under load: it runs examples/reseal over a
// table of accounts in PostgreSQL while eight clients create and verify
// devices, kills it, interrupts it, lets it go on to its end, and then removes
// the key.
//
//	go -C examples run ./internal/harness/reseal -accounts 100000
//
// Each account has a device, sealed with the old key, and some have a PIN, a
// pending rotation, a remembered revoked device or recovery codes. Each client is
// a process of the second step of the roll-out, and has accounts of its own: it
// verifies a code of each and creates devices with the PIN, over and over.
// Afterwards, with the new key alone:
//
//   - every account has exactly the devices that it had and that were created, none
//     lost and none doubled, and everything in it opens;
//   - nothing in it names the old key, and failures are still counted;
//   - a code of every device is accepted;
//   - no client had a single error, before or after the key was removed.
//
// It needs a POSIX system and the server programs of PostgreSQL.
//
// fill.go has the accounts, clients.go what is done meanwhile, command.go runs and
// kills the command, and check.go compares.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/sqlstore/sqltest/pgtest"
	"example.com/devicetotp/examples/internal/accounts"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "reseal:", err)
		os.Exit(1)
	}
}

// clients is how many clients there are, each with its own accounts.
const clients = 8

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("reseal", flag.ContinueOnError)
	count := flags.Int("accounts", 100_000, "how many accounts there are")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *count < 10*clients {
		return fmt.Errorf("want at least %d accounts", 10*clients)
	}
	s, err := newStage(ctx, *count)
	if err != nil {
		return errors.Join(err, s.close())
	}
	return errors.Join(s.play(ctx, out), s.close())
}

// A stage is the database, the keys before, while and after, and the accounts.
type stage struct {
	dir              string
	pg               *pgtest.Server
	dsn              string
	store            *accounts.Store
	old, both, alone *credential.Keyring
	keyFile, stateAt string
	command          string // the binary
	accounts         []account
	pin              credential.Secret
	pinHash          string
	filled, took     time.Duration
}

const (
	oldKey = "key-of-last-year"
	newKey = "key-of-this-year"
)

func newStage(ctx context.Context, count int) (s *stage, err error) {
	s = &stage{accounts: make([]account, count), pin: credential.NewSecret("8299")}
	if s.dir, err = os.MkdirTemp("", "reseal"); err != nil {
		return s, err
	}
	if err = s.makeKeys(); err != nil {
		return s, err
	}
	if s.pg, err = pgtest.Start(ctx); err != nil {
		return s, err
	}
	if s.dsn, _, err = s.pg.CreateDatabase(ctx); err != nil {
		return s, err
	}
	if s.store, err = accounts.Open(ctx, s.dsn, ""); err != nil {
		return s, err
	}
	if err = s.store.Migrate(ctx); err != nil {
		return s, err
	}
	started := time.Now()
	if err = s.fill(ctx); err != nil {
		return s, err
	}
	s.filled = time.Since(started)
	return s, s.build(ctx)
}

func (s *stage) makeKeys() (err error) {
	older, newer := credential.NewKey(oldKey), credential.NewKey(newKey)
	s.keyFile, s.stateAt = filepath.Join(s.dir, "keys"), filepath.Join(s.dir, "state")
	if err := os.WriteFile(s.keyFile, []byte(credential.KeyText(older)+"\n*"+credential.KeyText(newer)+"\n"), 0o600); err != nil {
		return err
	}
	if s.both, err = credential.KeyringFromFile(s.keyFile); err != nil {
		return err
	}
	if s.old, err = credential.NewKeyring(oldKey, older); err != nil {
		return err
	}
	s.alone, err = credential.NewKeyring(newKey, newer)
	return err
}

func (s *stage) play(ctx context.Context, out io.Writer) error {
	crowd, err := s.newCrowd(s.both)
	if err != nil {
		return err
	}
	started := time.Now()
	stop := crowd.start(ctx)
	said, err := s.resealAll(ctx)
	s.took = time.Since(started)
	busy := stop()
	if err := errors.Join(err, busy); err != nil {
		return err
	}
	checked, err := s.check(ctx)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, `accounts                        %d
filled in                       %v
resealed beside %d clients in    %v, killed once and interrupted once
verified meanwhile              %d
created meanwhile               %d
devices checked with the new key alone  %d
errors of clients               0
violations                      0

What the command said at its end:
%s`, len(s.accounts), s.filled.Round(time.Millisecond), clients, s.took.Round(time.Millisecond),
		crowd.verified.Load(), crowd.created.Load(), checked, said)
	return err
}

func (s *stage) close() error {
	var errs []error
	if s.store != nil {
		errs = append(errs, s.store.Close())
	}
	if s.pg != nil {
		errs = append(errs, s.pg.Stop())
	}
	return errors.Join(append(errs, os.RemoveAll(s.dir))...)
}
