// Command import brings the TOTP devices of another service into a database, from
// a file with a line for each of them:
//
//	account-id otpauth://totp/Service:alice?secret=JBSWY3DPEHPK3PXPJBSWY3DP [device-id]
//
//	go -C examples run ./import -store sqlite:/var/lib/service/accounts.db -key-file /etc/service/totp.keys -dry-run devices.txt
//	go -C examples run ./import -store sqlite:/var/lib/service/accounts.db -key-file /etc/service/totp.keys devices.txt
//
// The accounts must exist. Without a device-id, a UUID, one is derived from the
// account and the labels of the address: give one where an account has two devices
// of one label. The label becomes the name of the device; where it cannot be one, of
// at most 64 characters in a line, the device is imported without a name, and the
// line is named. Empty lines, and lines that begin with #, are skipped. The file "-"
// is the standard input.
//
// It may be interrupted or killed at any moment: run it again, with the same file.
// What was imported is found, and stays as it is. It goes on past a line that is
// refused, and says which and why, but never what stands in it: the file is full of
// secrets. Delete it when all is well.
//
// The exit code is 0 if every device is there; 3 if a line was refused; 1 for an
// error, an interruption included; and 2 for wrong flags. With -dry-run all is
// done to copies of the accounts in memory, and nothing is written.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/memstore"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/examples/internal/accounts"
)

func main() {
	accounts.Main(func(ctx context.Context) int { return run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr) })
}

// options are the flags, and the file.
type options struct {
	accounts.Flags
	file   string
	report int
	dryRun bool
}

func parseFlags(args []string, output io.Writer) (o options, err error) {
	flags := flag.NewFlagSet("import", flag.ContinueOnError)
	flags.SetOutput(output)
	o.Define(flags)
	flags.IntVar(&o.report, "report", 10_000, "where this is not a terminal, print a line for so many devices")
	flags.BoolVar(&o.dryRun, "dry-run", false, "change nothing, and say which lines cannot be imported")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	o.file = flags.Arg(0)
	if flags.NArg() != 1 || !o.Complete() {
		fmt.Fprintln(output, "import: want -store, -key-file and one file")
		flags.Usage()
		return o, accounts.ErrUsage
	}
	return o, nil
}

func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	o, err := parseFlags(args, stderr)
	if err != nil {
		return accounts.UsageExit(err)
	}
	summary, err := importFile(ctx, o, stdin, stderr)
	if err != nil {
		fmt.Fprintln(stderr, "import:", err)
	}
	summary.print(stdout, o.dryRun)
	switch {
	case err != nil:
		return 1
	case len(summary.refused) > 0:
		return 3
	}
	return 0
}

// keepsUnused is the longest age of Policy.UnusedAfter: an import removes no
// device to make room. An account that is full refuses it.
const keepsUnused = 100 * 365 * 24 * time.Hour

// A rehearsal is a store that reads the accounts of another and changes copies.
type rehearsal struct {
	*memstore.Store
	accounts credential.Store
}

func (s rehearsal) Load(ctx context.Context, id string) (credential.Account, error) {
	a, err := s.Store.Load(ctx, id)
	if !errors.Is(err, credential.ErrNotFound) {
		return a, err
	}
	if a, err = s.accounts.Load(ctx, id); err != nil {
		return a, err
	}
	if err := s.Replace(ctx, a); err != nil {
		return a, err
	}
	return s.Store.Load(ctx, id)
}

func importFile(ctx context.Context, o options, stdin io.Reader, stderr io.Writer) (summary, error) {
	lines := stdin
	if o.file != "-" {
		file, err := os.Open(o.file)
		if err != nil {
			return summary{}, err
		}
		defer file.Close()
		lines = file
	}
	keys, store, err := o.Open(ctx)
	if err != nil {
		return summary{}, err
	}
	defer store.Close()
	var target credential.Store = store
	if o.dryRun {
		target = rehearsal{memstore.New(), store}
	}
	policy := devicetotp.DefaultPolicy()
	policy.UnusedAfter = keepsUnused
	issuer, err := devicetotp.NewIssuer(target, keys, devicetotp.Config{Policy: &policy})
	if err != nil {
		return summary{}, err
	}
	progress := accounts.NewProgress(stderr, o.report)
	defer progress.End()
	w := walk{progress: func(s summary) { progress.Show(s.lines, "devices", s.waiting()) }, bring: issuer.Import}
	return w.run(ctx, lines)
}
