package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"example.com/devicetotp/devicetotp"
)

// Limits and time-outs of the server. They leave room for the slowest honest
// request: three hashes that each wait in line for up to ten seconds.
const (
	maxHeaderBytes    = 16 << 10
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 15 * time.Second
	writeTimeout      = 50 * time.Second
	idleTimeout       = 60 * time.Second
	shutdownTimeout   = 25 * time.Second // below the 30 s that container hosts commonly give
)

// run starts the server and serves until ctx ends. The port opens last: a wrong
// flag, key file, store or accounts file is found before anybody can call.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o, err := parseFlags(args, stderr)
	if err != nil {
		return err
	}
	logger := slog.New(slog.NewTextHandler(stderr, nil))
	if o.logJSON {
		logger = slog.New(slog.NewJSONHandler(stderr, nil))
	}
	accounts, err := readAccounts(o.accounts)
	if err != nil {
		return err
	}
	keys, err := openKeys(o.keyFile, logger)
	if err != nil {
		return err
	}
	store, err := openStore(ctx, o.store)
	if err != nil {
		return fmt.Errorf("open %s: %w", o.store, err)
	}
	defer store.Close()
	if err := newLoader(store, keys, logger).load(ctx, accounts, time.Now()); err != nil {
		return fmt.Errorf("load accounts: %w", err)
	}
	cfg := devicetotp.Config{Observer: observe(logger), OnRehash: store.RotateHash}
	if o.demo {
		cfg.Policy = demoRules()
	}
	issuer, err := devicetotp.NewIssuer(store, keys, cfg)
	if err != nil {
		return err
	}
	handler, err := routes(issuer, accounts, o, logger)
	if err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", o.addr)
	if err != nil {
		return err
	}
	printBanner(stdout, listener.Addr(), o)
	return serve(ctx, listener, handler, logger)
}

// serve answers until ctx ends, and then what has been asked already.
func serve(ctx context.Context, listener net.Listener, handler http.Handler, logger *slog.Logger) error {
	server := newServer(handler, logger)
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	logger.Info("serving", "addr", listener.Addr().String())
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	logger.Info("stopping: answering what is in flight")
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	if err := server.Shutdown(grace); err != nil {
		return errors.Join(fmt.Errorf("requests were cut off: %w", err), server.Close())
	}
	logger.Info("stopped")
	return nil
}

func newServer(handler http.Handler, logger *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           handler,
		MaxHeaderBytes:    maxHeaderBytes,
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
	}
}
