// Command chaos kills a server at random moments, and the database under it,
// while clients create devices with one-time codes, and then compares the
// responses that clients got with what is stored.
//
//	go -C examples run ./internal/harness/chaos -kills 100 -restarts 10 -engine mariadb
//
// Half of the kills come from outside, at any moment. The other half strike
// right after the Save of a device has returned, so that the device exists and
// its client has no answer. Two clients present each code, each for a device of its own, and
// repeat their request until they are given the device or refused; one that
// was given it asks once more. Afterwards:
//
//   - every device that was answered with 201 is there, with that secret;
//   - no code made two devices, and none was lost;
//   - a code is spent if, and only if, it has its device;
//   - the same request got the same device, whenever it was repeated.
//
// It prints what it counted. It fails if one of these does not hold, and also if
// answers were not lost and given again, because then nothing has been shown.
//
// It needs a POSIX system and the server programs of PostgreSQL, and PgBouncer, or of
// MariaDB, and Galera, of which it restarts one node after another.
//
// Package engines is the databases. Here lives.go kills, clients.go is what is done meanwhile, check.go compares, and
// server.go is the server, which the command starts as a process of its own.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/examples/internal/harness/engines"
)

// serve is the first argument of the command as a server.
const serve = "serve"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	var err error
	if len(os.Args) > 1 && os.Args[1] == serve {
		err = runServer(ctx, os.Args[2:])
	} else {
		err = run(ctx, os.Args[1:], os.Stdout)
	}
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		os.Exit(1)
	}
}

// options are the flags.
type options struct {
	engine                   *engines.Engine
	kills, restarts, workers int
}

func parseFlags(args []string) (options, error) {
	o := options{engine: engines.All[0]}
	flags := flag.NewFlagSet("chaos", flag.ContinueOnError)
	flags.IntVar(&o.kills, "kills", 100, "how often to kill the server")
	flags.IntVar(&o.restarts, "restarts", 10, "how often to restart the database, as after a crash")
	flags.Func("engine", "the database, postgres by default: "+engines.Names(),
		func(name string) (err error) { o.engine, err = engines.Named(name); return err })
	flags.IntVar(&o.workers, "workers", 4, "how many codes to present at a time")
	if err := flags.Parse(args); err != nil {
		return options{}, err
	}
	if o.kills < 1 || o.restarts < 0 || o.restarts > o.kills || o.workers < 1 {
		return options{}, errors.New("want at least one kill and worker, and no more restarts than kills")
	}
	return o, nil
}

func run(ctx context.Context, args []string, out io.Writer) error {
	o, err := parseFlags(args)
	if err != nil {
		return err
	}
	s, err := newStage(ctx, o.engine)
	if err != nil {
		return err
	}
	report, err := s.play(ctx, o)
	if err := errors.Join(err, s.close()); err != nil {
		return err
	}
	return report.print(out, o)
}

// A stage is all that outlives the server: the database, the key file, and the
// socket that it listens on. Clients who call while the server is dead wait in
// the socket's line for the next one.
type stage struct {
	dir     string
	engine  *engines.Engine
	server  engines.Server
	dsn     string
	db      io.Closer
	store   engines.Store // a connection of its own, to see what is stored
	keyFile string
	keys    *credential.Keyring
	socket  net.Listener
	file    *os.File // the socket, as the server inherits it
}

func newStage(ctx context.Context, e *engines.Engine) (s *stage, err error) {
	s = &stage{engine: e}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	if s.dir, err = os.MkdirTemp("", "chaos"); err != nil {
		return s, err
	}
	if err = s.openKeys(); err != nil {
		return s, err
	}
	if err = s.openDatabase(ctx); err != nil {
		return s, err
	}
	return s, s.listen(ctx)
}

func (s *stage) openKeys() (err error) {
	s.keyFile = filepath.Join(s.dir, "keys")
	text := credential.KeyText(credential.NewKey("chaos")) + "\n"
	if err := os.WriteFile(s.keyFile, []byte(text), 0o600); err != nil {
		return err
	}
	s.keys, err = credential.KeyringFromFile(s.keyFile)
	return err
}

func (s *stage) openDatabase(ctx context.Context) (err error) {
	if s.server, err = s.engine.Start(ctx); err != nil {
		return err
	}
	if s.dsn, _, err = s.server.CreateDatabase(ctx); err != nil {
		return err
	}
	if s.db, s.store, err = s.engine.Open(ctx, s.dsn); err != nil {
		return err
	}
	return s.store.Migrate(ctx)
}

func (s *stage) listen(ctx context.Context) (err error) {
	if s.socket, err = new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0"); err != nil {
		return err
	}
	s.file, err = s.socket.(*net.TCPListener).File()
	return err
}

func (s *stage) close() error {
	var errs []error
	if s.file != nil {
		errs = append(errs, s.file.Close())
	}
	if s.socket != nil {
		errs = append(errs, s.socket.Close())
	}
	if s.db != nil {
		_ = s.db.Close() // connections that a restart has cut say so
	}
	if s.server != nil {
		errs = append(errs, s.server.Stop())
	}
	return errors.Join(append(errs, os.RemoveAll(s.dir))...)
}
