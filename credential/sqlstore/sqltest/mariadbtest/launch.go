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

// programs are the paths of what a server is made with.
type programs struct{ install, server string }

func findPrograms() (*programs, error) {
	var p programs
	for name, path := range map[string]*string{"mariadb-install-db": &p.install, "mariadbd": &p.server} {
		found, err := exec.LookPath(name)
		if err != nil { // Debian has the server where only root looks
			found, err = exec.LookPath(filepath.Join("/usr/sbin", name))
		}
		if err != nil {
			return nil, ErrNotInstalled
		}
		*path = found
	}
	return &p, nil
}

// initialise makes the data of a server whose root needs no password.
func (s *Server) initialise(ctx context.Context) error {
	//nolint:gosec // G204: the program is one that findPrograms found
	cmd := exec.CommandContext(ctx, s.programs.install, "--no-defaults", "--datadir="+s.data(),
		"--tmpdir="+s.dir, "--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve", "--innodb-flush-method=nosync")
	cmd.Dir = s.dir
	if err := unprivileged.Command(cmd, runAs, syscall.SIGKILL); err != nil {
		return fmt.Errorf("mariadbtest: %w", err)
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("mariadbtest: mariadb-install-db: %w\n%s", err, out)
	}
	return nil
}

// launch starts the server and returns when it answers.
func (s *Server) launch(ctx context.Context, once ...string) error {
	if err := s.begin(once...); err != nil {
		return err
	}
	return s.until(ctx, "it answers", func() error { return ping(ctx, s.dsn) })
}

// begin starts the server as a child, so that it can be waited for. once are
// settings of this start only.
func (s *Server) begin(once ...string) error {
	logFile, err := os.OpenFile(s.logFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("mariadbtest: %w", err)
	}
	defer logFile.Close()
	//nolint:gosec,noctx // G204: the program is one that findPrograms found; and it ends with Stop
	cmd := exec.Command(s.programs.server, "--no-defaults", "--datadir="+s.data(), "--socket="+s.socket(),
		"--tmpdir="+s.dir, // a server that starts empties it, so it must not be that of others
		"--pid-file="+filepath.Join(s.dir, "pid"), "--skip-networking", "--skip-name-resolve",
		"--max-connections=300", "--innodb-buffer-pool-size=64M", "--innodb-flush-log-at-trx-commit=1")
	cmd.Args = append(append(cmd.Args, s.settings...), once...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = s.dir, logFile, logFile
	if err := unprivileged.Command(cmd, runAs, syscall.SIGKILL); err != nil {
		return fmt.Errorf("mariadbtest: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("mariadbtest: %w", err)
	}
	exited := make(chan struct{})
	go func() {
		defer close(exited)
		_ = cmd.Wait() // a server that is asked to end ends with an error
	}()
	s.cmd, s.exited = cmd, exited
	return nil
}

// until returns when holds returns nil.
func (s *Server) until(ctx context.Context, what string, holds func() error) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		err := holds()
		if err == nil {
			return nil
		}
		select {
		case <-s.exited:
			return fmt.Errorf("mariadbtest: mariadbd ended\n%s", s.logTail())
		case <-ctx.Done():
			return fmt.Errorf("mariadbtest: waiting for mariadbd until %s: %w\n%s", what, errors.Join(ctx.Err(), err), s.logTail())
		case <-time.After(askAgain):
		}
	}
}

// end sends the signal and waits; a server that does not end is killed.
func (s *Server) end(signal syscall.Signal) error {
	if s.cmd == nil {
		return nil
	}
	_ = s.cmd.Process.Signal(signal) // an error means that it has ended
	select {
	case <-s.exited:
		return nil
	case <-time.After(startTimeout):
		_ = s.cmd.Process.Kill()
		<-s.exited
		return fmt.Errorf("mariadbtest: mariadbd did not end on %s and was killed\n%s", signal, s.logTail())
	}
}

func (s *Server) logTail() string {
	const size = 4000
	text, err := os.ReadFile(s.logFile())
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-size):])
}
