package main

import (
	"context"
	"errors"
	"flag"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/jsonapi"
	"example.com/devicetotp/examples/internal/harness/engines"
)

// inherited is the number of the socket, the first file after the usual three.
const inherited = 3

// replayedHeader tells the client what only the Observer knows.
const replayedHeader = "Chaos-Replayed"

// runServer serves until it is killed, by somebody else or by itself.
func runServer(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet(serve, flag.ContinueOnError)
	name := flags.String("engine", "", "kind of database")
	dsn := flags.String("dsn", "", "database")
	keyFile := flags.String("keys", "", "key file")
	devices := flags.Int64("die-after", 0, "die right after the Save of so many devices; 0: never")
	if err := flags.Parse(args); err != nil {
		return err
	}
	listener, err := net.FileListener(os.NewFile(inherited, "socket"))
	if err != nil {
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
	db, store, err := openPatiently(ctx, e, *dsn)
	if err != nil {
		return err
	}
	defer db.Close()
	mortal := &mortalStore{Store: store}
	mortal.left.Store(*devices)
	handler, err := newHandler(mortal, keys)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// openPatiently waits for a database that is being restarted.
func openPatiently(ctx context.Context, e *engines.Engine, dsn string) (db io.Closer, store engines.Store, err error) {
	err = untilDone(ctx, func() error {
		db, store, err = e.Open(ctx, dsn)
		return err
	})
	return db, store, err
}

func newHandler(store credential.Store, keys *credential.Keyring) (http.Handler, error) {
	issuer, err := devicetotp.NewIssuer(store, keys, devicetotp.Config{Observer: tellReplayed})
	if err != nil {
		return nil, err
	}
	auth := jsonapi.Bearer(func(_ context.Context, token string) (jsonapi.Principal, error) {
		return jsonapi.Principal{AccountID: token}, nil // whoever knocks
	})
	create, err := jsonapi.NewHandler(issuer, auth, jsonapi.Config{IgnoreScopes: true, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		create.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), headerKey{}, w.Header())))
	}), nil
}

// headerKey finds the header of the answer in the context of its request.
type headerKey struct{}

// tellReplayed runs after the save and before the answer.
func tellReplayed(ctx context.Context, e devicetotp.Event) {
	if header, ok := ctx.Value(headerKey{}).(http.Header); ok && e.Replayed {
		header.Set(replayedHeader, "true")
	}
}

// mortalStore takes the process with it right after the Save of a new device, as
// if the power had failed between the database's answer and ours.
type mortalStore struct {
	credential.Store
	left    atomic.Int64 // devices until then
	devices sync.Map     // how many an account had when it was loaded
}

func (s *mortalStore) Load(ctx context.Context, id string) (credential.Account, error) {
	a, err := s.Store.Load(ctx, id)
	if err == nil {
		s.devices.Store(id, len(a.State.Devices))
	}
	return a, err
}

func (s *mortalStore) Save(ctx context.Context, a credential.Account) error {
	before, _ := s.devices.Load(a.ID)
	err := s.Store.Save(ctx, a)
	if err == nil && before != len(a.State.Devices) && s.left.Add(-1) == 0 {
		self, err := os.FindProcess(os.Getpid())
		if err == nil {
			err = self.Kill() // SIGKILL: nothing is deferred, flushed or answered
		}
		if err != nil {
			return err
		}
		select {}
	}
	return err
}
