package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
)

// errUsage says that the flags were wrong, and that this has been printed.
var errUsage = errors.New("wrong flags")

// options are the flags.
type options struct {
	addr     string
	store    storeName
	accounts string // "": the demo accounts
	keyFile  string
	demo     bool
	logJSON  bool
}

// A storeName is the value of -store, checked.
type storeName struct {
	kind string // "memory", "sqlite" or "postgres"
	at   string // the path, or the address with its password
}

// String names the store without a password.
func (s storeName) String() string {
	if s.kind == "sqlite" {
		return "sqlite:" + s.at
	}
	return s.kind
}

func parseStoreName(text string) (storeName, error) {
	path, isSQLite := strings.CutPrefix(text, "sqlite:")
	switch {
	case text == "memory":
		return storeName{kind: "memory"}, nil
	case isSQLite && path != "":
		return storeName{"sqlite", path}, nil
	case strings.HasPrefix(text, "postgres://"), strings.HasPrefix(text, "postgresql://"):
		return storeName{"postgres", text}, nil
	default:
		return storeName{}, errors.New("want memory, sqlite:PATH or postgres://...")
	}
}

func parseFlags(args []string, output io.Writer) (options, error) {
	o := options{store: storeName{"sqlite", "devicetotp-demo.db"}}
	flags := flag.NewFlagSet("server", flag.ContinueOnError)
	flags.SetOutput(output)
	flags.StringVar(&o.addr, "addr", "127.0.0.1:8080", "`address` to listen on; port 0 picks a free one")
	flags.Func("store", "where accounts are kept: memory, sqlite:PATH or postgres://... (default sqlite:devicetotp-demo.db)",
		func(text string) (err error) { o.store, err = parseStoreName(text); return err })
	flags.StringVar(&o.accounts, "accounts", "", "JSON `file` of accounts to load at the start (default two demo accounts)")
	flags.StringVar(&o.keyFile, "key-file", "devicetotp-demo.key", "`file` of the keys that seal secrets; made at the first start")
	flags.BoolVar(&o.demo, "demo", false, "serve a page to try it in a browser, at /demo")
	flags.BoolVar(&o.logJSON, "log-json", false, "log in JSON, which a replay after a restored backup reads, and not in text")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return options{}, err
		}
		return options{}, errUsage
	}
	if flags.NArg() > 0 {
		fmt.Fprintf(output, "server: what is %q? Everything is a flag.\n", flags.Arg(0))
		return options{}, errUsage
	}
	return o, nil
}
