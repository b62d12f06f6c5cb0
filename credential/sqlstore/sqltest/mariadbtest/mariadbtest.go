// Package mariadbtest starts a throw-away MariaDB for tests, or three of them as
// a Galera cluster.
//
// A test asks [Need] for the server and [Server.Database] for an empty database
// on it; TestMain calls [Main], which stops the server at the end:
//
//	func TestMain(m *testing.M) { os.Exit(mariadbtest.Main(m.Run)) }
//
//	func TestStore(t *testing.T) {
//		db, err := sql.Open("mysql", mariadbtest.Need(t).Database(t))
//		...
//	}
//
// A command without a test uses [Start] and [Server.Stop]. [NeedCluster] is for
// what only a cluster does.
//
// The server is made with mariadb-install-db and mariadbd of this machine, in a
// new directory, with a binary log, and listens on a socket in that directory
// only. As root it runs as the user mysql, which must exist. If
// DEVICETOTP_MYSQL_DSN is set, that server is used instead, MySQL or MariaDB; its
// user must be allowed to create databases.
package mariadbtest

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
// of starting one, in the form of github.com/go-sql-driver/mysql.
const EnvDSN = "DEVICETOTP_MYSQL_DSN"

// ErrNotInstalled says that there is no MariaDB to start and none was named.
var ErrNotInstalled = errors.New("mariadbtest: MariaDB is not installed (no mariadbd and mariadb-install-db in PATH or /usr/sbin) and " + EnvDSN + " is not set")

// ErrNotOurs says that a server named by the environment cannot be stopped or
// restarted.
var ErrNotOurs = errors.New("mariadbtest: the server was named by " + EnvDSN + " and is not ours to stop")

const (
	startTimeout = time.Minute
	askAgain     = 20 * time.Millisecond

	runAs = "mysql" // if this process is root, which MariaDB refuses to be
)

// Server is a running MariaDB. Nothing else may be called while Restart, Crash or
// Stop is at work.
type Server struct {
	dsn      string
	programs *programs // nil if the server is not ours
	dir      string    // everything the server has
	settings []string  // besides those that every server is started with
	cmd      *exec.Cmd
	exited   chan struct{}
}

// Start starts a server, or returns the one that DEVICETOTP_MYSQL_DSN names. The
// caller stops it. The error wraps [ErrNotInstalled] if there is neither.
func Start(ctx context.Context) (*Server, error) {
	if dsn := os.Getenv(EnvDSN); dsn != "" {
		return &Server{dsn: dsn}, nil
	}
	s, err := create("--log-bin=binlog", "--sync-binlog=1")
	if err != nil {
		return nil, err
	}
	if err = s.initialise(ctx); err == nil {
		err = s.launch(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

// create makes the directory of a server.
func create(settings ...string) (*Server, error) {
	programs, err := findPrograms()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "my") // short: a socket's path has about 100 bytes
	if err != nil {
		return nil, fmt.Errorf("mariadbtest: %w", err)
	}
	s := &Server{programs: programs, dir: dir, settings: settings}
	s.dsn = fmt.Sprintf("root@unix(%s)/?interpolateParams=true", s.socket())
	for _, d := range []string{dir, s.data()} {
		if err := errors.Join(os.MkdirAll(d, 0o700), unprivileged.HandOver(d, runAs)); err != nil {
			return nil, errors.Join(fmt.Errorf("mariadbtest: %w", err), os.RemoveAll(dir))
		}
	}
	return s, nil
}

// DSN is the connection string of the server, without a database, or as it was
// given in the environment.
func (s *Server) DSN() string { return s.dsn }

// Address is where the server listens, for a proxy in front of it: a network
// and an address for net.Dial. Both are empty if the server is not ours.
func (s *Server) Address() (network, address string) {
	if s.programs == nil {
		return "", ""
	}
	return "unix", s.socket()
}

// Stop stops the server and removes all that it kept. A server that the
// environment named is left alone.
func (s *Server) Stop() error {
	if s.programs == nil {
		return nil
	}
	err := s.end(syscall.SIGTERM)
	return errors.Join(err, os.RemoveAll(s.dir))
}

// Restart ends the server as a crash would, and starts it again on the same
// data. It returns when the server answers.
func (s *Server) Restart(ctx context.Context) error {
	if err := s.Crash(); err != nil {
		return err
	}
	return s.StartAgain(ctx)
}

// Crash kills the server, and keeps its data.
func (s *Server) Crash() error {
	if s.programs == nil {
		return ErrNotOurs
	}
	return s.end(syscall.SIGKILL)
}

// StartAgain starts a server that has crashed. It returns when the server
// answers.
func (s *Server) StartAgain(ctx context.Context) error {
	if s.programs == nil {
		return ErrNotOurs
	}
	return s.launch(ctx)
}

func (s *Server) data() string    { return filepath.Join(s.dir, "data") }
func (s *Server) socket() string  { return filepath.Join(s.dir, "socket") }
func (s *Server) logFile() string { return filepath.Join(s.dir, "log") }
