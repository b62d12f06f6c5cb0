package main

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/go-sql-driver/mysql"   // and the driver "mysql"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/etcdstore"
	"example.com/devicetotp/credential/memstore"
	"example.com/devicetotp/credential/sqlstore"
)

// target is how a process reaches the store.
type target struct {
	Driver  string // of database/sql; "" for etcd, or memory without Nodes
	Dialect sqlstore.Dialect
	Nodes   []string // DSNs or endpoints; connections go to one after another
	Sharded bool     // Nodes are databases behind a router
	Spoiled []string // the same with a setting that New refuses, for planted faults

	Epoch    time.Duration // how long accounts are used; 0: all the time
	Accounts int           // how many at a time; 0: a few
	Clients  int           // of a process, for each model; 0: two
	Across   int           // clients of a process beside them, each of which keeps a Save back until after a fail-over
	Timeout  time.Duration // of a call
	Hold     time.Duration // the longest time between a Load and its Save
}

func (t target) timeout() time.Duration { return max(t.Timeout, time.Millisecond) }

func (t target) clients() int { return max(t.Clients, 2) }

func (t target) hold() time.Duration { return max(t.Hold, time.Millisecond) }

// hostStore is a credential.Store with the host's side.
type hostStore interface {
	credential.Store
	Put(ctx context.Context, a credential.Account) error
	Insert(ctx context.Context, a credential.Account) (inserted bool, err error)
	Delete(ctx context.Context, id string) (deleted bool, err error)
	SetLocked(ctx context.Context, id string, locked bool) error
	RotateHash(ctx context.Context, id string, f credential.Factor, from, to string) error
}

// opened is a store, and what spoils the settings that New has checked.
type opened struct {
	hostStore
	spoil func()
}

func (t target) open(ctx context.Context, p plant) (*opened, error) {
	s, spoil, err := t.openStore(ctx, p)
	if err != nil {
		return nil, err
	}
	return &opened{p.in(s), spoil}, nil
}

func (t target) openStore(ctx context.Context, p plant) (s hostStore, spoil func(), err error) {
	nothing := func() {}
	switch {
	case len(t.Nodes) == 0:
		return memstore.New(), nothing, nil
	case t.Driver == "":
		config := etcdstore.ClientConfig(t.Nodes...)
		config.Logger = zap.NewNop()
		client, err := clientv3.New(config)
		if err != nil {
			return nil, nil, err
		}
		s, err := etcdstore.New(ctx, client, etcdstore.Config{})
		return s, nothing, err
	}
	if err := mysql.SetLogger(&mysql.NopLogger{}); err != nil { // it says so of each connection that a kill cuts
		return nil, nil, err
	}
	if t.Sharded {
		s, err := t.openRouter(ctx)
		return s, nothing, err
	}
	known, err := sql.Open(t.Driver, t.Nodes[0])
	if err != nil {
		return nil, nil, err
	}
	c := &byTurns{driver: known.Driver()}
	c.nodes.Store(&t.Nodes)
	db := sql.OpenDB(c)
	db.SetMaxIdleConns(2 * t.clients())
	if p == plantAsync || p == plantNoWait {
		spoil = func() {
			c.nodes.Store(&t.Spoiled)
			db.SetMaxIdleConns(-1) // those that are open have the right settings
			db.SetMaxIdleConns(2 * t.clients())
		}
	} else {
		spoil = nothing
	}
	s, err = sqlstore.New(ctx, db, t.Dialect, sqlstore.Config{})
	return s, spoil, err
}

// byTurns connects to one node after another.
type byTurns struct {
	driver driver.Driver
	nodes  atomic.Pointer[[]string]
	next   atomic.Int64
}

func (b *byTurns) Driver() driver.Driver { return b.driver }

func (b *byTurns) Connect(ctx context.Context) (driver.Conn, error) {
	nodes := *b.nodes.Load()
	dsn := nodes[int(b.next.Add(1))%len(nodes)]
	d, ok := b.driver.(driver.DriverContext)
	if !ok {
		return b.driver.Open(dsn)
	}
	connector, err := d.OpenConnector(dsn)
	if err != nil {
		return nil, fmt.Errorf("a node: %w", err)
	}
	return connector.Connect(ctx)
}
