// Command grpc puts the Issuer behind gRPC, as an example of a transport that is
// not in the library.
//
//	go -C examples run ./grpc
//
// It serves on a free port of the loopback interface, calls itself as a client
// would, prints what is answered, and ends.
//
// Read devicetotp.proto, and then service.go, status.go and auth.go: what a
// transport has to do is translate messages, translate errors and authenticate
// the caller. The rules are in the library, for this transport as for any other.
package main

//go:generate go run github.com/bufbuild/buf/cmd/buf@v1.75.0 generate

import (
	"context"
	"fmt"
	"net"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/memstore"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/examples/grpc/devicetotpv1"
	"example.com/devicetotp/verifier"
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "grpc:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	issuer, err := demoIssuer(ctx)
	if err != nil {
		return err
	}
	callers := tokens{}
	callers.add("good", caller{accountID: "alice"})
	server := newServer(issuer, callers)
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()

	// A service has TLS here, on both sides: tokens and secrets travel.
	connection, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer connection.Close()
	err = walk(ctx, devicetotpv1.NewDeviceTOTPServiceClient(connection))
	server.GracefulStop() // answers what is in flight
	if err != nil {
		return err
	}
	return <-served
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
	if err := store.Put(context.Background(), alice); err != nil {
		return nil, err
	}
	return devicetotp.NewIssuer(store, keys, devicetotp.Config{})
}
