// Command admin does to one account what an operator or support has to do. It asks
// nothing, so that it can be called from a script.
//
//	go -C examples run ./admin -store sqlite:/var/lib/service/accounts.db -key-file /etc/service/totp.keys inspect alice
//
// The commands, each followed by its flags and then the account, which comes after --
// if it begins with a dash:
//
//	inspect                                  prints the account as JSON
//	unblock [-factor otp|password|pin]       forgets failures, of all factors if none is named
//	revoke -device ID | -all [-with-made-by] removes devices, and those made on their codes
//	lock, unlock                             refuses requests for the account, or does not any more
//	delete                                   removes the account, with all that the library keeps
//	rename-account ... OLD NEW               moves it to an id that no account has or had
//	replay -since TIME -restored TIME FILE   repeats from the log what a restored backup undid
//
// Each is logged as a line of JSON, to the standard error or appended to the file of
// -log: collect it where the log of the service is, because a replay needs both. The
// blocks that inspect shows are by the default policy.
//
// The exit code is 0 if it is done; 3 if it was refused and nothing has changed: there
// is no such account or device, the account is locked, or the new id cannot be had; 1 for
// an error, also one of writing the log, after which the same command can be run again;
// and 2 for wrong flags. A replay goes on past what it cannot do, names it, and ends with 3.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/examples/internal/accounts"
	"example.com/devicetotp/examples/operations"
)

func main() {
	accounts.Main(func(ctx context.Context) int { return run(ctx, os.Args[1:], os.Stdout, os.Stderr) })
}

// An admin is what a command works with.
type admin struct {
	store  *accounts.Store
	keys   *credential.Keyring
	issuer *devicetotp.Issuer
	log    eventLog
	out    io.Writer
}

// errRefused says that nothing was changed, and why.
var errRefused = errors.New("refused")

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := parseFlags(args, stderr)
	if err != nil {
		return accounts.UsageExit(err)
	}
	if err := do(ctx, o, stdout, stderr); err != nil {
		fmt.Fprintf(stderr, "admin: %s: %v\n", o.command, err)
		return exitCode(err)
	}
	return 0
}

func exitCode(err error) int {
	if isRefusal(err) && !errors.Is(err, errLog) {
		return 3
	}
	return 1
}

// isRefusal reports whether err says that the account is as it was.
func isRefusal(err error) bool {
	for _, refusal := range []error{
		errRefused, credential.ErrNotFound, operations.ErrTaken, operations.ErrID, operations.ErrSealed, devicetotp.ErrDenied, devicetotp.ErrInvalid,
	} {
		if errors.Is(err, refusal) {
			return true
		}
	}
	return false
}

func do(ctx context.Context, o options, stdout, stderr io.Writer) (err error) {
	log, err := openLog(o.log, stderr)
	if err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, log.Close())
	}()
	keys, store, err := o.Open(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	policy := devicetotp.DefaultPolicy()
	policy.RetryWindow = 10 * time.Minute // the longest there is: nothing is forgotten that a service needs
	issuer, err := devicetotp.NewIssuer(store, keys, devicetotp.Config{Policy: &policy, Observer: log.observe})
	if err != nil {
		return err
	}
	return commands[o.command].do(ctx, &admin{store, keys, issuer, log, stdout}, o)
}
