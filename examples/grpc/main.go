// Command grpc puts the Issuer behind gRPC, as an example of a transport that is
// not in the library.
//
//	go -C examples run ./grpc
//
// It serves one account, in memory, on the loopback interface until it is
// interrupted, with health and reflection, and prints how to call it. With -walk
// it calls itself as a client would, prints what is answered, and ends.
//
// Read devicetotp.proto, and then service.go, status.go and auth.go: what a
// transport has to do is translate messages, translate errors and authenticate
// the caller. The rules are in the library, for this transport as for any other.
package main

//go:generate go run github.com/bufbuild/buf/cmd/buf@v1.75.0 generate

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/memstore"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/verifier"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "grpc:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out, errs io.Writer) error {
	flags := flag.NewFlagSet("grpc", flag.ContinueOnError)
	flags.SetOutput(errs)
	addr := flags.String("addr", "127.0.0.1:50051", "`address` to listen on; port 0 picks a free one")
	walks := flags.Bool("walk", false, "call the service on a free port, print what it answers, and end")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("what is %q? Everything is a flag", flags.Arg(0))
	}
	issuer, err := demoIssuer(ctx)
	if err != nil {
		return err
	}
	user, operator := rand.Text(), rand.Text()
	callers := tokens{}
	callers.add(user, caller{accountID: "alice"})
	callers.add(operator, caller{operator: true})
	s := newServer(issuer, callers)
	if *walks {
		return walkThrough(ctx, s, user, out)
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", *addr)
	if err != nil {
		return err
	}
	banner(out, listener.Addr(), user, operator)
	if !isLoopback(listener.Addr()) {
		// A service has TLS here: tokens and secrets travel.
		fmt.Fprintln(errs, "grpc: not on the loopback interface, and without TLS: whoever reads along has the tokens and secrets")
	}
	return s.serve(ctx, listener, patience)
}

// banner says how to call the service. The tokens are new at each start.
func banner(out io.Writer, addr net.Addr, user, operator string) {
	fmt.Fprintf(out, "serving on %s, until interrupted\n", addr)
	fmt.Fprintf(out, "token of alice, whose PIN is 8299: %s\n", user)
	fmt.Fprintf(out, "token of the operator: %s\n", operator)
	fmt.Fprintf(out, `grpcurl -plaintext -H 'authorization: Bearer %s' -d '{"pin": "8299"}' %s devicetotp.v1.DeviceTOTPService/Create`+"\n", user, addr)
}

func isLoopback(addr net.Addr) bool {
	tcp, ok := addr.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// demoIssuer knows one account, alice, who registered ten minutes ago.
func demoIssuer(ctx context.Context) (*devicetotp.Issuer, error) {
	keys, err := credential.NewKeyring("demo", credential.NewKey("demo"))
	if err != nil {
		return nil, err
	}
	hash, err := verifier.DefaultHasher().Hash(ctx, credential.NewSecret("8299"))
	if err != nil {
		return nil, err
	}
	sealed, err := keys.SealPINHash("alice", hash)
	if err != nil {
		return nil, err
	}
	store := memstore.New()
	alice := credential.Account{ID: "alice", RegisteredAt: time.Now().Add(-10 * time.Minute), PINHash: sealed}
	if err := store.Put(ctx, alice); err != nil {
		return nil, err
	}
	return devicetotp.NewIssuer(store, keys, devicetotp.Config{})
}
