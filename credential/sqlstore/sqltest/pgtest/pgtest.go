// Package pgtest starts a throw-away PostgreSQL for tests.
//
// A test asks [Need] for the server and [Server.Database] for an empty database
// on it; TestMain calls [Main], which stops the server at the end:
//
//	func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }
//
//	func TestStore(t *testing.T) {
//		db, err := sql.Open("pgx", pgtest.Need(t).Database(t))
//		...
//	}
//
// A command without a test uses [Start] and [Server.Stop]. [NeedPair] is for what
// a fail-over does: a primary whose commits wait for a standby.
//
// The server is made with initdb and postgres of this machine, in a new
// directory, with fsync on, and listens on a socket in that directory only. As
// root it runs as the user postgres, which must exist. If DEVICETOTP_POSTGRES_DSN
// is set, that server is used instead; its role must be allowed to create
// databases.
package pgtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"example.com/devicetotp/credential/sqlstore/sqltest/internal/unprivileged"
)

// EnvDSN names the environment variable with the DSN of a server to use instead
// of starting one.
const EnvDSN = "DEVICETOTP_POSTGRES_DSN"

// ErrNotInstalled says that there is no PostgreSQL to start and none was named.
var ErrNotInstalled = errors.New("pgtest: PostgreSQL is not installed (no initdb in /usr/lib/postgresql/*/bin or PATH) and " + EnvDSN + " is not set")

// ErrNotOurs says that a server named by the environment cannot be stopped or
// restarted.
var ErrNotOurs = errors.New("pgtest: the server was named by " + EnvDSN + " and is not ours to stop")

const startTimeout = time.Minute

// runAs is the user of the server if this process is root, which PostgreSQL refuses
// to be.
const runAs = "postgres"

// Server is a running PostgreSQL. Nothing else may be called while Restart,
// Crash or Stop is at work.
type Server struct {
	dsn      string
	bin      string   // directory of the binaries; "" if the server is not ours
	dir      string   // everything the server has
	settings []string // besides those that every server is started with
	cmd      *exec.Cmd
	exited   chan struct{}
	paused   *os.Process // the WAL receiver, while it is stopped
}

// Start starts a server, or returns the one that DEVICETOTP_POSTGRES_DSN names.
// The caller stops it. The error wraps [ErrNotInstalled] if there is neither.
func Start(ctx context.Context) (*Server, error) {
	if dsn := os.Getenv(EnvDSN); dsn != "" {
		return &Server{dsn: dsn}, nil
	}
	return startOwn(ctx, (*Server).initialise)
}

// startOwn starts a server on the data that fill makes.
func startOwn(ctx context.Context, fill func(*Server, context.Context) error, settings ...string) (*Server, error) {
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "pg") // short: a socket's path has about 100 bytes
	if err != nil {
		return nil, fmt.Errorf("pgtest: %w", err)
	}
	s := &Server{
		bin: bin, dir: dir, settings: settings,
		dsn: dsnOf(dir, port),
	}
	if err := unprivileged.HandOver(dir, runAs); err != nil {
		return nil, errors.Join(fmt.Errorf("pgtest: %w", err), os.RemoveAll(dir))
	}
	if err := fill(s, ctx); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if err := s.launch(ctx); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

func dsnOf(hosts, ports string) string {
	return fmt.Sprintf("host=%s port=%s user=postgres dbname=postgres sslmode=disable", hosts, ports)
}

// DSN is the connection string of the server's own database, in the form
// "key=value key=value", or as it was given in the environment.
func (s *Server) DSN() string { return s.dsn }

// Address is where the server listens, for a proxy in front of it: a network
// and an address for net.Dial. Both are empty if the server is not ours.
func (s *Server) Address() (network, address string) {
	if s.bin == "" {
		return "", ""
	}
	return "unix", filepath.Join(s.dir, ".s.PGSQL."+port)
}

// Stop stops the server and removes all that it kept. A server that the
// environment named is left alone.
func (s *Server) Stop() error {
	if s.bin == "" {
		return nil
	}
	err := s.end(syscall.SIGINT) // "fast shutdown"
	return errors.Join(err, os.RemoveAll(s.dir))
}

// Restart ends the server as a crash would (the immediate mode of pg_ctl), and
// starts it again on the same data. It returns when the server answers.
func (s *Server) Restart(ctx context.Context) error {
	if err := s.Crash(); err != nil {
		return err
	}
	return s.StartAgain(ctx)
}

// Crash ends the server as a crash would (the immediate mode of pg_ctl), and
// keeps its data.
func (s *Server) Crash() error {
	if s.bin == "" {
		return ErrNotOurs
	}
	return s.end(syscall.SIGQUIT)
}

// StartAgain starts a server that has crashed. It returns when the server
// answers.
func (s *Server) StartAgain(ctx context.Context) error {
	if s.bin == "" {
		return ErrNotOurs
	}
	return s.launch(ctx)
}

// The server listens on a socket only; the port is part of the socket's name.
const port = "5432"

func (s *Server) data() string    { return filepath.Join(s.dir, "data") }
func (s *Server) logFile() string { return filepath.Join(s.dir, "log") }

func (s *Server) initialise(ctx context.Context) error {
	return s.run(ctx, "initdb", "-D", s.data(), "-U", "postgres", "--auth=trust", "-E", "UTF8", "--no-locale")
}

// run runs one of PostgreSQL's programs to its end.
func (s *Server) run(ctx context.Context, program string, args ...string) error {
	cmd := exec.CommandContext(ctx, filepath.Join(s.bin, program), args...)
	cmd.Dir = s.dir
	if err := unprivileged.Command(cmd, runAs, syscall.SIGQUIT); err != nil {
		return fmt.Errorf("pgtest: %w", err)
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("pgtest: %s: %w\n%s", program, err, out)
	}
	return nil
}

// launch starts the server as a child, so that it can be waited for, and
// returns when it answers.
func (s *Server) launch(ctx context.Context) error {
	logFile, err := os.OpenFile(s.logFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("pgtest: %w", err)
	}
	defer logFile.Close()
	cmd := exec.Command(filepath.Join(s.bin, "postgres"), "-D", s.data(), "-p", port,
		"-c", "listen_addresses=", "-c", "unix_socket_directories="+s.dir,
		"-c", "max_connections=200", "-c", "shared_buffers=64MB", "-c", "max_prepared_transactions=4")
	for _, setting := range s.settings {
		cmd.Args = append(cmd.Args, "-c", setting)
	}
	cmd.Dir, cmd.Stdout, cmd.Stderr = s.dir, logFile, logFile
	if err := unprivileged.Command(cmd, runAs, syscall.SIGQUIT); err != nil {
		return fmt.Errorf("pgtest: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("pgtest: %w", err)
	}
	exited := make(chan struct{})
	go func() {
		defer close(exited)
		_ = cmd.Wait() // a server that is asked to end ends with an error
	}()
	s.cmd, s.exited = cmd, exited
	return s.ready(ctx)
}

func (s *Server) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		err := ping(ctx, s.dsn)
		if err == nil {
			return nil
		}
		select {
		case <-s.exited:
			return fmt.Errorf("pgtest: postgres ended at its start\n%s", s.logTail())
		case <-ctx.Done():
			return fmt.Errorf("pgtest: postgres does not answer: %w: %w\n%s", ctx.Err(), err, s.logTail())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// end sends the signal and waits; a server that does not end is killed.
func (s *Server) end(signal syscall.Signal) error {
	if s.cmd == nil {
		return nil
	}
	_ = s.ResumeReceiver()           // what is stopped cannot end
	_ = s.cmd.Process.Signal(signal) // an error means that it has ended
	select {
	case <-s.exited:
		return nil
	case <-time.After(startTimeout):
		_ = s.cmd.Process.Kill()
		<-s.exited
		return fmt.Errorf("pgtest: postgres did not end on %s and was killed\n%s", signal, s.logTail())
	}
}

func (s *Server) logTail() string {
	const size = 2000
	text, err := os.ReadFile(s.logFile())
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-size):])
}
