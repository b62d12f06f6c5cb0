package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"example.com/devicetotp/credential/etcdstore/etcdtest"
	"example.com/devicetotp/credential/sqlstore"
	"example.com/devicetotp/credential/sqlstore/sqltest/mariadbtest"
	"example.com/devicetotp/credential/sqlstore/sqltest/pgtest"
)

// An engine is what can keep accounts.
type engine struct {
	name    string
	plants  []plant
	start   func(ctx context.Context, dir string) (*rig, error)
	onlyOne bool          // process, because the accounts are in it
	least   time.Duration // how long a run must be
}

// A rig is an engine that runs.
type rig struct {
	target target
	// hurt kills or pauses a server and mends what it broke, or returns "" if it
	// has nothing more to do. nil if there is no server.
	hurt func(ctx context.Context) (what string, err error)
	// seen is when a Load began to show what is kept only, by the clock of the
	// histories; nil if it always does. Before that, a Load shows what its database
	// has not kept yet, as the package documentation of sqlstore says, and no
	// answer may rest on it.
	seen func() int64
	// drive is the run that goes on.
	drive *drive
	// calm holds while no process may be killed.
	calm atomic.Bool
	// once: it cannot run again.
	once bool
	stop func() error
}

var engines = []engine{
	{name: "memory", start: startMemory, onlyOne: true},
	{name: "sqlite", start: startSQLite, plants: []plant{plantNoCompare, plantStale, plantHost}},
	{name: "postgres", start: startPostgres, plants: []plant{plantAsync}},
	{name: "standby", start: startPair, plants: []plant{plantCounter}, least: 10 * time.Second},
	{name: "mariadb", start: startMariaDB},
	{name: "galera", start: startGalera, plants: []plant{plantNoWait}},
	{name: "etcd", start: startEtcd},
	{name: "router", start: startRouter},
}

func nothingToStop() error { return nil }

const (
	hold = 50 * time.Millisecond
	// Where nothing outlives a server but what is stored, accounts change often.
	shortly = 400 * time.Millisecond
	// Elsewhere they must be seen before it is killed and after.
	accountsOfAServer = 4
	longer            = 700 * time.Millisecond
)

func startMemory(context.Context, string) (*rig, error) {
	return &rig{target: target{Epoch: shortly, Clients: 8, Timeout: time.Second, Hold: hold}, stop: nothingToStop}, nil
}

func sqliteDSN(path string) string {
	return "file:" + path + "?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)"
}

func startSQLite(_ context.Context, dir string) (*rig, error) {
	dsn := sqliteDSN(filepath.Join(dir, "accounts.db"))
	t := target{Driver: "sqlite", Dialect: sqlstore.DialectSQLite, Nodes: []string{dsn}, Epoch: shortly, Timeout: time.Second, Hold: hold}
	return &rig{target: t, stop: nothingToStop}, nil
}

func startPostgres(ctx context.Context, _ string) (*rig, error) {
	s, err := pgtest.Start(ctx)
	if err != nil {
		return nil, err
	}
	dsn, _, err := s.CreateDatabase(ctx)
	if err == nil {
		err = forgetful(ctx, dsn)
	}
	if err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return &rig{
		target: target{
			Driver: "pgx", Dialect: sqlstore.DialectPostgres, Nodes: []string{dsn}, Epoch: longer, Accounts: accountsOfAServer, Timeout: time.Second, Hold: hold,
			Spoiled: []string{pgtest.With(dsn, "synchronous_commit", "off")},
		},
		hurt: func(ctx context.Context) (string, error) { return "crashes of the server", s.Restart(ctx) },
		stop: s.Stop,
	}, nil
}

// forgetful makes the server keep a commit that need not be kept as late as it may.
func forgetful(ctx context.Context, dsn string) error {
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.ExecContext(ctx, `ALTER SYSTEM SET wal_writer_delay = '10s'`)
	if err == nil {
		_, err = db.ExecContext(ctx, `SELECT pg_reload_conf()`)
	}
	return err
}

func startMariaDB(ctx context.Context, _ string) (*rig, error) {
	s, err := mariadbtest.Start(ctx)
	if err != nil {
		return nil, err
	}
	dsn, _, err := s.CreateDatabase(ctx)
	if err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return &rig{
		target: target{Driver: "mysql", Dialect: sqlstore.DialectMySQL, Nodes: []string{dsn}, Epoch: longer, Accounts: accountsOfAServer, Timeout: time.Second, Hold: hold},
		hurt:   func(ctx context.Context) (string, error) { return "kills of the server", s.Restart(ctx) },
		stop:   s.Stop,
	}, nil
}

// longHold is how long a request may wait for a slow hash between its Load and
// its Save.
const longHold = 2500 * time.Millisecond

// startPair has a primary whose commits wait for a standby. It pauses the standby,
// so that Saves are cut off and yet seen, and then loses it and the primary. Some
// requests begin between the two losses and end after the fail-over, however long it
// takes.
func startPair(ctx context.Context, _ string) (*rig, error) {
	const pauses = 1
	p, err := pgtest.StartPair(ctx)
	if err != nil {
		return nil, err
	}
	var since atomic.Int64
	since.Store(1 << 62)
	times := 0
	r := &rig{stop: p.Stop, seen: since.Load, once: true}
	r.target = target{
		Driver: "pgx", Dialect: sqlstore.DialectPostgres, Nodes: []string{p.DSN()},
		Accounts: 100, Clients: 8, Across: 2, Timeout: 400 * time.Millisecond, Hold: longHold,
	}
	r.hurt = func(ctx context.Context) (string, error) {
		times++
		switch {
		case times <= pauses:
			if err := p.Standby.PauseReceiver(ctx); err != nil {
				return "", err
			}
			wait(ctx, 600*time.Millisecond)
			return "pauses of the standby", p.Standby.ResumeReceiver()
		case times == pauses+1:
			r.calm.Store(true) // the requests of before the fail-over must come after it
			if err := p.Standby.Crash(); err != nil {
				return "", err
			}
			r.drive.tell(away)
			wait(ctx, 2*time.Second)
			r.drive.holding(ctx)
			if err := p.FailOver(context.WithoutCancel(ctx)); err != nil {
				return "", err
			}
			since.Store(now())
			r.drive.tell(promoted)
			return "fail-overs", nil
		default:
			return "", nil
		}
	}
	return r, nil
}

func startGalera(ctx context.Context, _ string) (*rig, error) {
	c, err := mariadbtest.StartCluster(ctx)
	if err != nil {
		return nil, err
	}
	dsn, _, err := c.Nodes[0].CreateDatabase(ctx)
	if err != nil {
		return nil, errors.Join(err, c.Stop())
	}
	t := target{Driver: "mysql", Dialect: sqlstore.DialectMySQL, Epoch: longer, Accounts: accountsOfAServer, Timeout: time.Second, Hold: hold}
	for _, n := range c.Nodes {
		at, err := mariadbtest.WithDatabaseOf(n.DSN(), dsn)
		if err != nil {
			return nil, errors.Join(err, c.Stop())
		}
		t.Nodes = append(t.Nodes, mariadbtest.With(at, "wsrep_sync_wait", "7"))
		t.Spoiled = append(t.Spoiled, mariadbtest.With(at, "wsrep_sync_wait", "0"))
	}
	if err := t.everyNode(ctx); err != nil { // the others are given the database a little later
		return nil, errors.Join(err, c.Stop())
	}
	return &rig{target: t, stop: c.Stop, hurt: func(ctx context.Context) (string, error) {
		n := c.Nodes[rand.IntN(len(c.Nodes))]
		if rand.IntN(2) == 0 {
			return "kills of nodes", n.Restart(ctx)
		}
		return paused(ctx, n)
	}}, nil
}

func startEtcd(ctx context.Context, _ string) (*rig, error) {
	c, err := etcdtest.Start(ctx)
	if err != nil {
		return nil, err
	}
	t := target{Nodes: c.Endpoints(), Epoch: longer, Accounts: accountsOfAServer, Timeout: time.Second, Hold: hold}
	return &rig{target: t, stop: c.Stop, hurt: func(ctx context.Context) (string, error) {
		choose := c.Leader
		if rand.IntN(3) == 0 {
			choose = c.Follower
		}
		n, err := choose(ctx)
		if err != nil {
			return "", err
		}
		if rand.IntN(2) == 0 {
			return paused(ctx, n)
		}
		if err := n.Kill(); err != nil {
			return "", err
		}
		return "kills of nodes", n.StartAgain(context.WithoutCancel(ctx))
	}}, nil
}

// paused stops a server for long enough that others take over.
func paused(ctx context.Context, n interface {
	Pause() error
	Resume() error
}) (string, error) {
	if err := n.Pause(); err != nil {
		return "", err
	}
	wait(ctx, time.Duration(500+rand.IntN(1500))*time.Millisecond)
	return "pauses of nodes", n.Resume()
}

// wait returns after d, or when ctx ends.
func wait(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// everyNode returns when every node answers.
func (t target) everyNode(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for _, dsn := range t.Nodes {
		db, err := sql.Open(t.Driver, dsn)
		if err != nil {
			return err
		}
		defer db.Close()
		for err := db.PingContext(ctx); err != nil; err = db.PingContext(ctx) {
			if ctx.Err() != nil {
				return err
			}
			wait(ctx, 20*time.Millisecond)
		}
	}
	return nil
}

// migrate makes the table, where there is one.
func (t target) migrate(ctx context.Context) error {
	s, _, err := t.openStore(ctx, plantNothing)
	if err != nil {
		return err
	}
	if m, ok := s.(interface {
		Migrate(ctx context.Context) error
	}); ok {
		return m.Migrate(ctx)
	}
	return nil
}

func engineNamed(name string) (engine, error) {
	for _, e := range engines {
		if e.name == name {
			return e, nil
		}
	}
	return engine{}, fmt.Errorf("no engine %q", name)
}

// notInstalled reports whether an engine is simply not on this machine.
func notInstalled(err error) bool {
	return os.Getenv("CI") != "true" && (errors.Is(err, pgtest.ErrNotInstalled) || errors.Is(err, mariadbtest.ErrNotInstalled) ||
		errors.Is(err, mariadbtest.ErrNoGalera) || errors.Is(err, etcdtest.ErrNotBuilt))
}
