package main

import (
	"flag"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/examples/internal/accounts"
)

// options are the flags, the command and its arguments.
type options struct {
	accounts.Flags
	log     string
	command string
	args    []string // the account; see command

	factors            []credential.Factor
	devices            []string
	all, withMadeBy    bool
	backedUp, restored time.Time
}

func parseFlags(args []string, output io.Writer) (o options, err error) {
	flags := flag.NewFlagSet("admin", flag.ContinueOnError)
	flags.SetOutput(output)
	o.Define(flags)
	flags.StringVar(&o.log, "log", "", "`file` to append Events to (default the standard error)")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	c, known := commands[flags.Arg(0)]
	if !o.Complete() || !known {
		fmt.Fprintf(output, "admin: want -store, -key-file and one of %s\n", strings.Join(slices.Sorted(maps.Keys(commands)), ", "))
		flags.Usage()
		return o, accounts.ErrUsage
	}
	o.command = flags.Arg(0)
	return o, o.parseCommand(c, flags.Args()[1:], output)
}

// parseCommand parses what follows the name of a command.
func (o *options) parseCommand(c command, args []string, output io.Writer) error {
	flags := flag.NewFlagSet(o.command, flag.ContinueOnError)
	flags.SetOutput(output)
	if c.flags != nil {
		c.flags(flags, o)
	}
	if err := flags.Parse(args); err != nil {
		return err
	}
	o.args = flags.Args()
	wrong := len(o.args) != len(c.args) || slices.Contains(o.args, "")
	if wrong || c.check != nil && !c.check(o) {
		fmt.Fprintf(output, "admin: %s wants %s%s\n", o.command, c.wants, strings.Join(c.args, " and "))
		flags.PrintDefaults()
		return accounts.ErrUsage
	}
	return nil
}
