package pgtest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

// Pair is a primary and its synchronous standby: a commit on the primary
// returns when the standby has it on disk too. While the standby is away,
// commits wait.
type Pair struct {
	Primary, Standby *Server
}

// StartPair starts a pair of this machine's PostgreSQL. The caller stops it. The
// error wraps [ErrNotInstalled] if there is none.
func StartPair(ctx context.Context) (*Pair, error) {
	// Set from the start, so that there is no commit that does not wait.
	primary, err := startOwn(ctx, (*Server).initialise, "synchronous_standby_names=*", "synchronous_commit=on")
	if err != nil {
		return nil, err
	}
	standby, err := startOwn(ctx, func(s *Server, ctx context.Context) error {
		return s.run(ctx, "pg_basebackup", "-D", s.data(), "-d", primary.dsn,
			"--write-recovery-conf", "--checkpoint=fast", "--wal-method=stream", "--no-sync")
	}, "synchronous_commit=on")
	if err != nil {
		return nil, errors.Join(err, primary.Stop())
	}
	p := &Pair{primary, standby}
	if err := p.CatchUp(ctx); err != nil {
		return nil, errors.Join(err, p.Stop())
	}
	return p, nil
}

// DSN is the connection string for both servers: it leads to the one that
// writes, whichever that is.
func (p *Pair) DSN() string {
	return dsnOf(p.Primary.dir+","+p.Standby.dir, port+","+port) + " target_session_attrs=read-write"
}

// Stop stops both servers, in whatever state they are, and removes all that they
// kept: first the standby, because a primary that ends waits for it.
func (p *Pair) Stop() error { return errors.Join(p.Standby.Stop(), p.Primary.Stop()) }

// CatchUp returns when the standby has on disk what the primary has.
func (p *Pair) CatchUp(ctx context.Context) error {
	return p.Primary.waitFor(ctx, "the standby has caught up", `
		SELECT EXISTS (SELECT FROM pg_stat_replication
			WHERE state = 'streaming' AND sync_state = 'sync' AND flush_lsn >= pg_current_wal_flush_lsn())`)
}

// FailOver crashes what still runs, and makes the standby the primary, which
// then waits for nobody. What the standby has not received, it never gets.
func (p *Pair) FailOver(ctx context.Context) error {
	if err := errors.Join(p.Standby.Crash(), p.Primary.Crash()); err != nil {
		return err
	}
	if err := p.Standby.StartAgain(ctx); err != nil {
		return err
	}
	return p.Promote(ctx)
}

// Promote makes the standby a primary, which then waits for nobody, beside the one
// that still runs.
func (p *Pair) Promote(ctx context.Context) error {
	// Recovery can cancel the statement that asks for its end.
	return p.Standby.waitFor(ctx, "it is promoted", `SELECT CASE WHEN pg_is_in_recovery() THEN pg_promote() ELSE true END`)
}

// PauseReceiver stops the process of a standby that receives from its primary,
// until [Server.ResumeReceiver]. What the primary has sent by then may wait in
// the socket: it is received later, also if the primary has crashed meanwhile.
func (s *Server) PauseReceiver(ctx context.Context) error {
	db, err := sql.Open("pgx", s.dsn)
	if err != nil {
		return fmt.Errorf("pgtest: %w", err)
	}
	defer db.Close()
	var pid int
	if err := db.QueryRowContext(ctx, `SELECT pid FROM pg_stat_wal_receiver`).Scan(&pid); err != nil {
		return fmt.Errorf("pgtest: the WAL receiver: %w", err)
	}
	receiver, err := os.FindProcess(pid)
	if err != nil {
		return fmt.Errorf("pgtest: the WAL receiver: %w", err)
	}
	if err := receiver.Signal(syscall.SIGSTOP); err != nil {
		return fmt.Errorf("pgtest: the WAL receiver: %w", err)
	}
	s.paused = receiver
	return nil
}

// ResumeReceiver lets the receiver go on; it does nothing if none is paused.
func (s *Server) ResumeReceiver() error {
	if s.paused == nil {
		return nil
	}
	err := s.paused.Signal(syscall.SIGCONT)
	s.paused = nil
	if err != nil {
		return fmt.Errorf("pgtest: the WAL receiver: %w", err)
	}
	return nil
}

// WaitForCommit returns when a commit on s is waiting for the standby.
func (s *Server) WaitForCommit(ctx context.Context) error {
	return s.waitFor(ctx, "a commit waits for the standby", `
		SELECT EXISTS (SELECT FROM pg_stat_activity WHERE backend_type = 'client backend' AND wait_event = 'SyncRep')`)
}

// waitFor asks until the answer is true.
func (s *Server) waitFor(ctx context.Context, what, question string) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	db, err := sql.Open("pgx", s.dsn)
	if err != nil {
		return fmt.Errorf("pgtest: %w", err)
	}
	defer db.Close()
	for {
		var yes bool
		err := db.QueryRowContext(ctx, question).Scan(&yes)
		if yes {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("pgtest: waiting until %s: %w", what, errors.Join(ctx.Err(), err))
		case <-time.After(5 * time.Millisecond):
		}
	}
}
