// Command server serves the documented endpoint over HTTP, with accounts in
// SQLite, PostgreSQL or memory, as an example of embedding the library whole.
//
//	go -C examples run ./server
//
// It starts on 127.0.0.1:8080 with a demo account and prints a curl line. What
// is served, below any /user/{version} and without it:
//
//	POST /user/devices/totp          create a device TOTP (package jsonapi)
//	GET  /user/devices/totp          list devices; /{id} gets, renames and removes one
//	POST /user/devices/totp/verify   {"code":"123456"}: a demonstration of Verify
//	GET  /openapi.json               the description of these but verify
//	GET  /healthz                    200 while it serves, whatever the database does
//	GET  /readyz                     200 if the database answers and the keys open
//	GET  /demo                       with -demo: a page to try it all in a browser,
//	                                 recovery codes too, which are then accepted as OTPs
//
// Read the files in this order: run.go, routes.go, store.go, keys.go, and then
// the accounts file: accounts.go, checker.go, jsonfile.go, load.go.
//
// It is an example. Bearer tokens from a file stand in for a service's own
// authentication, and TLS is left to what stands before it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	os.Exit(exitCode(run(ctx, os.Args[1:], os.Stdout, os.Stderr)))
}

// exitCode prints what went wrong: 2 for wrong flags, 1 for anything else.
func exitCode(err error) int {
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.Is(err, errUsage):
		return 2 // package flag has printed it
	default:
		fmt.Fprintln(os.Stderr, "server:", err)
		return 1
	}
}
