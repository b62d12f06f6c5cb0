// Command reseal ends the roll-out of a key: it seals all accounts of a database
// again with the primary key, beside live traffic, and says which keys nothing
// needs any more.
//
//	go -C examples run ./reseal -store sqlite:/var/lib/service/accounts.db -key-file /etc/service/totp.keys -dry-run
//	go -C examples run ./reseal -store sqlite:/var/lib/service/accounts.db -key-file /etc/service/totp.keys
//
// A key is rolled out in three steps:
//
//  1. Add the new key at the end of the key file of every process, not yet primary.
//  2. Make it the primary (the line with the star) in every process.
//  3. Run this command with the same key file. When it says that no account needs
//     the old key, take that out of the key files.
//
// It may be interrupted or killed at any moment: the same command goes on where it
// was, by the state file. At the end it reads every account once more, because what
// the state file remembers may be undone, for instance by a backup that was restored
// meanwhile. With -rate it leaves room for others. It goes on past an account that
// fails, and names it at the end.
//
// The exit code is 0 if every account was done and the old keys are not needed; 3
// if an account still needs one, for instance because a one-time code of a few
// minutes ago is pending, so that running it again later helps, or because a value
// does not open; 1 for an error, an interruption included; and 2 for wrong flags.
// With -dry-run the same is said of the accounts as they are.
//
// Package rollout has the walk, for a service that keeps accounts in a table of its
// own: ../embed has the three functions that it needs.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/examples/internal/accounts"
	"example.com/devicetotp/examples/reseal/rollout"
)

func main() {
	accounts.Main(func(ctx context.Context) int { return run(ctx, os.Args[1:], os.Stdout, os.Stderr) })
}

// options are the flags.
type options struct {
	accounts.Flags
	report int
	cfg    rollout.Config
}

func parseFlags(args []string, output io.Writer) (o options, err error) {
	flags := flag.NewFlagSet("reseal", flag.ContinueOnError)
	flags.SetOutput(output)
	o.Define(flags)
	flags.StringVar(&o.cfg.StateFile, "state", "devicetotp-reseal.json", "`file` that remembers how far a run has come")
	flags.Float64Var(&o.cfg.Rate, "rate", 200, "accounts a second at most; 0 is no limit")
	flags.IntVar(&o.cfg.Workers, "workers", 4, "how many accounts to do at a time")
	flags.IntVar(&o.cfg.Page, "page", 100, "how many accounts to do between two writes of the state file")
	flags.IntVar(&o.report, "report", 10_000, "where this is not a terminal, print a line for so many accounts")
	flags.BoolVar(&o.cfg.DryRun, "dry-run", false, "change nothing, and say which keys are needed now")
	flags.BoolVar(&o.cfg.PastDisputes, "past-disputes", false, "go on past accounts that have a value of a different key of the primary's id")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 || !o.Complete() || o.cfg.Rate < 0 || o.cfg.Workers < 1 || o.cfg.Page < 1 {
		fmt.Fprintln(output, "reseal: want -store and -key-file, no negative numbers, and nothing that is not a flag")
		flags.Usage()
		return o, accounts.ErrUsage
	}
	return o, nil
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := parseFlags(args, stderr)
	if err != nil {
		return accounts.UsageExit(err)
	}
	code, err := reseal(ctx, o, stdout, stderr)
	if err != nil {
		fmt.Fprintln(stderr, "reseal:", err)
	}
	return code
}

func reseal(ctx context.Context, o options, stdout, stderr io.Writer) (code int, err error) {
	keys, store, err := o.Open(ctx)
	if err != nil {
		return 1, err
	}
	defer store.Close()
	progress := accounts.NewProgress(stderr, o.report)
	o.cfg.Accounts = rollout.Accounts{Store: store, IDs: store.IDs, RotateHash: store.RotateHash}
	o.cfg.Keys, o.cfg.Name = keys, store.Name
	o.cfg.Progress = func(r rollout.Report) {
		progress.Show(r.Accounts+r.Checked, "accounts done or read again", waiting(&r, keys))
	}
	report, err := rollout.Run(ctx, o.cfg)
	progress.End()
	if report.Accounts > 0 || err == nil {
		err = errors.Join(err, report.Print(stdout, keys, o.cfg.DryRun))
	}
	return report.ExitCode(keys, err), err
}

// waiting says what stands in the way of the end.
func waiting(r *rollout.Report, keys *credential.Keyring) (text string) {
	for _, id := range r.StillNeeded(keys) {
		text += fmt.Sprintf(", %d need %s", r.Needs[id].Count, id)
	}
	if r.Failed.Count > 0 {
		text += fmt.Sprintf(", %d failed", r.Failed.Count)
	}
	return text
}
