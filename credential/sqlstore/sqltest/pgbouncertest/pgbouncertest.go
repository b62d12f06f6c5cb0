// Package pgbouncertest starts a throw-away PgBouncer for tests, in transaction
// mode, in front of a server of package pgtest.
//
// A test asks [Need] for the pooler, and [Pooler.DSN] for the way through it:
//
//	func TestStore(t *testing.T) {
//		server := pgtest.Need(t)
//		db, err := sql.Open("pgx", pgbouncertest.Need(t, server).DSN(server.Database(t))+" default_query_exec_mode=exec")
//		...
//	}
//
// A command without a test uses [Start] and [Pooler.Stop].
//
// The pooler is pgbouncer of this machine, and listens on a free port of the
// loopback address. It takes each statement to the connection that was idle
// longest, so that one client seldom has the same twice in a row. As root it runs
// as the user postgres, which must exist.
package pgbouncertest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"

	"example.com/devicetotp/credential/sqlstore/sqltest/internal/unprivileged"
	"example.com/devicetotp/credential/sqlstore/sqltest/pgtest"
)

// ErrNotInstalled says that there is no PgBouncer to start.
var ErrNotInstalled = errors.New("pgbouncertest: PgBouncer is not installed (no pgbouncer in PATH or /usr/sbin)")

// errEnded says that the pooler ended at its start, as it does if its port is taken.
var errEnded = errors.New("pgbouncer ended at its start")

const (
	startTimeout = time.Minute
	askAgain     = 20 * time.Millisecond
	runAs        = "postgres" // if this process is root, which PgBouncer refuses to be
	host         = "127.0.0.1"
	attempts     = 5 // another process can take the port before PgBouncer does
)

// Pooler is a running PgBouncer.
type Pooler struct {
	server *pgtest.Server
	dir    string // everything it has
	port   int
	cmd    *exec.Cmd
	exited chan struct{}
}

// Start starts a pooler in front of the server. The caller stops it. The error
// wraps [ErrNotInstalled] if there is none.
func Start(ctx context.Context, server *pgtest.Server) (*Pooler, error) {
	program, err := find()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "pgbouncer")
	if err != nil {
		return nil, fmt.Errorf("pgbouncertest: %w", err)
	}
	p := &Pooler{server: server, dir: dir}
	for range attempts {
		if err = p.launch(ctx, program); !errors.Is(err, errEnded) {
			break
		}
	}
	if err != nil {
		return nil, errors.Join(err, p.Stop())
	}
	return p, nil
}

// programs are where it can be: Debian has it where only root looks.
var programs = []string{"pgbouncer", "/usr/sbin/pgbouncer"}

func find() (string, error) {
	for _, name := range programs {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", ErrNotInstalled
}

// DSN is the connection string through the pooler to the database that dsn names,
// which is a DSN of the server.
func (p *Pooler) DSN(dsn string) string {
	return pgtest.With(pgtest.With(dsn, "host", host), "port", strconv.Itoa(p.port))
}

// Stop stops the pooler and removes all that it kept.
func (p *Pooler) Stop() error {
	return errors.Join(p.end(), os.RemoveAll(p.dir))
}

func (p *Pooler) logFile() string { return filepath.Join(p.dir, "log") }

func (p *Pooler) launch(ctx context.Context, program string) error {
	settings, err := p.configure(ctx)
	if err != nil {
		return fmt.Errorf("pgbouncertest: %w", err)
	}
	logFile, err := os.OpenFile(p.logFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("pgbouncertest: %w", err)
	}
	defer logFile.Close()
	cmd := exec.Command(program, settings)
	cmd.Dir, cmd.Stdout, cmd.Stderr = p.dir, logFile, logFile
	if err := unprivileged.Command(cmd, runAs, syscall.SIGKILL); err != nil {
		return fmt.Errorf("pgbouncertest: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("pgbouncertest: %w", err)
	}
	exited := make(chan struct{})
	go func() {
		defer close(exited)
		_ = cmd.Wait() // what is asked to end ends with an error
	}()
	p.cmd, p.exited = cmd, exited
	return p.ready(ctx)
}

// configure chooses a port and writes the settings.
func (p *Pooler) configure(ctx context.Context) (file string, err error) {
	if p.port, err = freePort(ctx); err != nil {
		return "", err
	}
	server, err := pgx.ParseConfig(p.server.DSN())
	if err != nil {
		return "", errors.New("cannot read the DSN of the server") // the error could show the password
	}
	login := fmt.Sprintf("host=%s port=%d user=%s", server.Host, server.Port, server.User)
	if server.Password != "" {
		login += " password=" + server.Password
	}
	settings := fmt.Sprintf(`[databases]
* = %s
[pgbouncer]
listen_addr = %s
listen_port = %d
unix_socket_dir =
auth_type = any
pool_mode = transaction
server_round_robin = 1
default_pool_size = 8
max_client_conn = 500
server_login_retry = 1
ignore_startup_parameters = extra_float_digits
`, login, host, p.port)
	file = filepath.Join(p.dir, "ini")
	if err := os.WriteFile(file, []byte(settings), 0o600); err != nil {
		return "", err
	}
	return file, errors.Join(unprivileged.HandOver(p.dir, runAs), unprivileged.HandOver(file, runAs))
}

// freePort returns a port that nobody listened on a moment ago.
func freePort(ctx context.Context) (int, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// ready returns when the pooler brings a statement to the server.
func (p *Pooler) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	db, err := sql.Open("pgx", pgtest.With(p.DSN(p.server.DSN()), "default_query_exec_mode", "exec"))
	if err != nil {
		return fmt.Errorf("pgbouncertest: %w", err)
	}
	defer db.Close()
	for {
		_, err := db.ExecContext(ctx, "SELECT 1")
		if err == nil {
			return nil
		}
		select {
		case <-p.exited:
			return fmt.Errorf("pgbouncertest: %w\n%s", errEnded, p.logTail())
		case <-ctx.Done():
			return fmt.Errorf("pgbouncertest: pgbouncer does not answer: %w\n%s", errors.Join(ctx.Err(), err), p.logTail())
		case <-time.After(askAgain):
		}
	}
}

// ended reports whether the process has ended.
func (p *Pooler) ended() bool {
	select {
	case <-p.exited:
		return true
	default:
		return false
	}
}

// end ends the process; one that does not end is killed.
func (p *Pooler) end() error {
	if p.cmd == nil {
		return nil
	}
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // "immediate shutdown"; an error means that it has ended
	select {
	case <-p.exited:
		return nil
	case <-time.After(startTimeout):
		_ = p.cmd.Process.Kill()
		<-p.exited
		return fmt.Errorf("pgbouncertest: pgbouncer did not end and was killed\n%s", p.logTail())
	}
}

func (p *Pooler) logTail() string {
	const size = 2000
	text, err := os.ReadFile(p.logFile())
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-size):])
}
