package engines

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/sqlstore/sqltest/pgtest"
	"example.com/devicetotp/examples/router"
)

// shards are databases of one PostgreSQL, which restarts with all of them.
type shards struct{ *pgtest.Server }

const shardCount = 2

// shardSeparator is between the DSNs of the databases.
const shardSeparator = "|"

func startShards(ctx context.Context) (Server, error) {
	s, err := pgtest.Start(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := ours(s); err != nil {
		return nil, err
	}
	return shards{s}, nil
}

func (s shards) CreateDatabase(ctx context.Context) (dsn string, drop func(context.Context) error, err error) {
	var dsns []string
	var drops []func(context.Context) error
	for range shardCount {
		dsn, drop, err := s.Server.CreateDatabase(ctx)
		if err != nil {
			return "", nil, err
		}
		dsns, drops = append(dsns, dsn), append(drops, drop)
	}
	return strings.Join(dsns, shardSeparator), func(ctx context.Context) error {
		var errs []error
		for _, drop := range drops {
			errs = append(errs, drop(ctx))
		}
		return errors.Join(errs...)
	}, nil
}

// A moving router moves each account that it was given, a moment later, while
// others work on it.
type moving struct {
	*router.Router
	open   []io.Closer
	shards []credential.Store
	moves  chan string
	ctx    context.Context // ends when the router is closed
	cancel context.CancelFunc
	ended  sync.WaitGroup
}

func openRouter(ctx context.Context, dsn string) (io.Closer, Store, error) {
	m := &moving{moves: make(chan string, 1000)}
	var parts []router.Shard
	for dsn := range strings.SplitSeq(dsn, shardSeparator) {
		db, store, err := SQL[0].OpenSQL(ctx, dsn)
		if err != nil {
			return nil, nil, errors.Join(err, m.closeAll())
		}
		m.open, m.shards, parts = append(m.open, db), append(m.shards, store), append(parts, router.Shard{DB: db, Store: store})
	}
	var err error
	if m.Router, err = router.New(parts...); err != nil {
		return nil, nil, errors.Join(err, m.closeAll())
	}
	m.ctx, m.cancel = context.WithCancel(context.WithoutCancel(ctx))
	m.ended.Go(m.move)
	return m, m, nil
}

// Put adds an account. One that is there is left as it is: the call is a retry.
func (m *moving) Put(ctx context.Context, a credential.Account) error {
	_, err := m.Insert(ctx, a)
	if err == nil {
		m.moves <- a.ID
	}
	return err
}

// move goes on with an account until it has moved: the server may be down.
func (m *moving) move() {
	const pause = 20 * time.Millisecond
	for {
		select {
		case <-m.ctx.Done():
			return
		case id := <-m.moves:
			time.Sleep(rand.N(pause))
			for m.Move(m.ctx, id, 1-m.Home(id)) != nil && m.ctx.Err() == nil {
				time.Sleep(pause)
			}
		}
	}
}

// Close leaves accounts that have not moved yet where they are.
func (m *moving) Close() error {
	m.cancel()
	m.ended.Wait()
	return m.closeAll()
}

func (m *moving) closeAll() error {
	var errs []error
	for _, db := range m.open {
		errs = append(errs, db.Close())
	}
	return errors.Join(errs...)
}
