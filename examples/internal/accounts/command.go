package accounts

import (
	"context"
	"errors"
	"flag"
	"os"
	"os/signal"
	"syscall"

	"example.com/devicetotp/credential"
)

// Main runs a command and ends the process with the exit code that it returns. An
// interruption ends its context, and a second one the process.
func Main(run func(context.Context) int) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx))
}

// ErrUsage says that the flags of a command are wrong, which it has printed.
var ErrUsage = errors.New("wrong flags")

// UsageExit returns the exit code for an error of parsing flags: 0 if help was
// asked for, and 2 otherwise.
func UsageExit(err error) int {
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	return 2
}

// Flags name the accounts and the keys that a command works with.
type Flags struct {
	Store, Table, KeyFile string
}

// Define adds -store, -table and -key-file to the flags of a command.
func (f *Flags) Define(flags *flag.FlagSet) {
	flags.StringVar(&f.Store, "store", "", "where accounts are kept: "+Usage+" (default $"+storeVariable+", which no list of processes shows)")
	flags.StringVar(&f.Table, "table", "", "`name` of the table, if it is not the default one")
	flags.StringVar(&f.KeyFile, "key-file", "", "`file` of the keys, as every process of the service has it")
}

// storeVariable is no default value of the flag, because help prints those.
const storeVariable = "DEVICETOTP_STORE"

// Complete reports whether store and keys are named, the store by the environment
// if not by its flag. Call it after parsing.
func (f *Flags) Complete() bool {
	if f.Store == "" {
		f.Store = os.Getenv(storeVariable)
	}
	return f.Store != "" && f.KeyFile != ""
}

// Open reads the keys and opens the store, which the caller closes.
func (f *Flags) Open(ctx context.Context) (*credential.Keyring, *Store, error) {
	keys, err := credential.KeyringFromFile(f.KeyFile)
	if err != nil {
		return nil, nil, err
	}
	store, err := Open(ctx, f.Store, f.Table)
	return keys, store, err
}
