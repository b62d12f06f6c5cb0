package main

import (
	"context"
	"flag"
	"fmt"
	"time"

	"example.com/devicetotp/credential"
)

// A command is one word of the command line.
type command struct {
	does  string   // in a line
	args  []string // what follows the flags
	wants string   // what the flags must have
	flags func(*flag.FlagSet, *options)
	check func(*options) bool
	do    func(context.Context, *admin, options) error
}

var account = []string{"an account"}

var commands = map[string]command{
	"inspect": {args: account, do: inspect, does: "prints the account as JSON"},
	"unblock": {args: account, do: unblock, flags: factorFlag, does: "forgets failures"},
	"revoke": {args: account, do: revoke, flags: deviceFlags, wants: "either -device or -all, and ", check: oneOfDeviceFlags,
		does: "removes devices"},
	"lock":   {args: account, do: lock, does: "refuses requests for the account until it is unlocked"},
	"unlock": {args: account, do: unlock, does: "allows them again"},
	"delete": {args: account, do: remove, does: "removes the account, with all that the library keeps"},
	"rename-account": {args: []string{"the old id", "a new one"}, do: rename,
		does: "moves the account to an id that no account has or had"},
	"replay": {args: []string{"the file of the log, or -"}, do: replay, flags: timeFlags, wants: "-since, a later -restored that has passed, and ", check: bothTimes,
		does: "repeats from the log what a restored backup undid"},
}

func factorFlag(flags *flag.FlagSet, o *options) {
	flags.Func("factor", "otp, password or pin; may be given again (default all)", func(text string) error {
		for _, f := range credential.Factors() {
			if f.String() == text {
				o.factors = append(o.factors, f)
				return nil
			}
		}
		return fmt.Errorf("%q is not a factor", text)
	})
}

func deviceFlags(flags *flag.FlagSet, o *options) {
	flags.Func("device", "`id` of a device; may be given again", func(text string) error {
		o.devices = append(o.devices, text)
		return nil
	})
	flags.BoolVar(&o.all, "all", false, "every device that the account has now")
	flags.BoolVar(&o.withMadeBy, "with-made-by", false, "also what was created on codes of these devices, and so on")
}

func oneOfDeviceFlags(o *options) bool { return o.all == (len(o.devices) == 0) }

func timeFlags(flags *flag.FlagSet, o *options) {
	timeFlag(flags, &o.backedUp, "since", "when the backup was made")
	timeFlag(flags, &o.restored, "restored", "when the backup was put back")
}

func timeFlag(flags *flag.FlagSet, at *time.Time, name, usage string) {
	flags.Func(name, usage+", as in 2026-05-01T12:00:00Z", func(text string) (err error) {
		*at, err = time.Parse(time.RFC3339, text)
		return err
	})
}

// bothTimes also asks for a -restored that has passed: otherwise what the replay logs
// itself would be repeated, and recovery codes replaced for ever.
func bothTimes(o *options) bool {
	return !o.backedUp.IsZero() && o.backedUp.Before(o.restored) && !o.restored.After(time.Now())
}
