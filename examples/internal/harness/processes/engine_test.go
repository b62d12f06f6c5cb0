package processes

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/jsonapi"
	"example.com/devicetotp/examples/internal/harness/engines"
	"example.com/devicetotp/verifier"
)

// startEngine makes n accounts, each with a code, and starts servers on them.
func startEngine(t *testing.T, e *engines.Engine, n int) (*fleet, credential.Store) {
	t.Helper()
	dsn, _, err := e.Need(t).CreateDatabase(t.Context())
	require.NoError(t, err)
	db, store, err := e.Open(t.Context(), dsn)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	require.NoError(t, store.Migrate(t.Context()))
	keyFile := writeKey(t)
	keys, err := credential.KeyringFromFile(keyFile)
	require.NoError(t, err)
	issuer, err := devicetotp.NewIssuer(store, keys, devicetotp.Config{})
	require.NoError(t, err)
	for i := range n {
		require.NoError(t, store.Put(t.Context(), credential.Account{ID: accountID(i)}))
		_, err := issuer.AddCode(t.Context(), devicetotp.AddCodeRequest{
			AccountID: accountID(i), Kind: verifier.KindAccount, Code: credential.NewSecret(code(i)), TTL: devicetotp.MaxCodeTTL,
		})
		require.NoError(t, err)
	}
	self, err := os.Executable()
	require.NoError(t, err)
	return launchFleet(t, servers, self, serve, "-engine", e.Name, "-dsn", dsn, "-keys", keyFile), store
}

// serve is the first argument of the test binary as a server.
const serve = "serve"

// serveEngine serves until it is killed. Whoever has the token of a round is its
// account.
func serveEngine(args []string) error {
	flags := flag.NewFlagSet(serve, flag.ContinueOnError)
	name := flags.String("engine", "", "kind of database")
	dsn := flags.String("dsn", "", "database")
	keyFile := flags.String("keys", "", "key file")
	if err := flags.Parse(args); err != nil {
		return err
	}
	e, err := engines.Named(*name)
	if err != nil {
		return err
	}
	keys, err := credential.KeyringFromFile(*keyFile)
	if err != nil {
		return err
	}
	_, store, err := e.Open(context.Background(), *dsn)
	if err != nil {
		return err
	}
	issuer, err := devicetotp.NewIssuer(store, keys, devicetotp.Config{})
	if err != nil {
		return err
	}
	auth := jsonapi.Bearer(func(_ context.Context, token string) (jsonapi.Principal, error) {
		return jsonapi.Principal{AccountID: strings.Replace(token, "token-", "account-", 1)}, nil
	})
	create, err := jsonapi.NewHandler(issuer, auth, jsonapi.Config{IgnoreScopes: true, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Printf("Serving on http://%s, until it is killed\n", listener.Addr())
	server := &http.Server{Handler: create, ReadHeaderTimeout: time.Minute}
	return server.Serve(listener)
}
