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
	flags.Usage = func() { usage(flags) }
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	c, known := commands[flags.Arg(0)]
	if known {
		o.command = flags.Arg(0)
		if err := o.parseCommand(c, flags.Args()[1:], output); err != nil {
			return o, err
		}
	}
	switch {
	case !known && flags.NArg() > 0:
		fmt.Fprintf(output, "admin: no command %q\n", flags.Arg(0))
	case !known || !o.Complete():
		fmt.Fprintln(output, "admin: want -store, -key-file and a command")
	default:
		return o, nil
	}
	flags.Usage()
	return o, accounts.ErrUsage
}

// usage prints the flags and the commands.
func usage(flags *flag.FlagSet) {
	out := flags.Output()
	fmt.Fprintln(out, "Usage of admin: admin [flags] command [flags of the command] account")
	flags.PrintDefaults()
	fmt.Fprintln(out, "The commands; \"admin command -h\" has the flags and arguments of one. An id that begins with a dash is written after --:")
	for _, name := range slices.Sorted(maps.Keys(commands)) {
		fmt.Fprintf(out, "  %-16s%s\n", name, commands[name].does)
	}
}

// parseCommand parses what follows the name of a command.
func (o *options) parseCommand(c command, args []string, output io.Writer) error {
	flags := flag.NewFlagSet(o.command, flag.ContinueOnError)
	flags.SetOutput(output)
	if c.flags != nil {
		c.flags(flags, o)
	}
	flags.Usage = func() {
		fmt.Fprintf(output, "admin: %s wants %s%s\n", o.command, c.wants, strings.Join(c.args, " and "))
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); err != nil {
		return err
	}
	o.args = flags.Args()
	wrong := len(o.args) != len(c.args) || slices.Contains(o.args, "")
	if wrong || c.check != nil && !c.check(o) {
		flags.Usage()
		return accounts.ErrUsage
	}
	return nil
}
