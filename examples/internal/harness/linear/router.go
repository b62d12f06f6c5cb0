package main

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"time"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/sqlstore"
	"example.com/devicetotp/examples/router"
)

// routed is a router with the one method that it does not have.
type routed struct{ *router.Router }

func (routed) Put(context.Context, credential.Account) error {
	return fmt.Errorf("a router has no Put: %w", credential.ErrSerialization) // nothing is done
}

func (t target) openRouter(ctx context.Context) (routed, error) {
	r, _, err := t.openShards(ctx)
	return routed{r}, err
}

func (t target) openShards(ctx context.Context) (*router.Router, []router.Shard, error) {
	var shards []router.Shard
	for _, dsn := range t.Nodes {
		db, err := sql.Open(t.Driver, dsn)
		if err != nil {
			return nil, nil, err
		}
		store, err := sqlstore.New(ctx, db, t.Dialect, sqlstore.Config{})
		if err != nil {
			return nil, nil, err
		}
		shards = append(shards, router.Shard{DB: db, Store: store})
	}
	r, err := router.New(shards...)
	return r, shards, err
}

// startRouter has two databases, and moves accounts between them.
func startRouter(ctx context.Context, dir string) (*rig, error) {
	t := target{
		Driver: "sqlite", Dialect: sqlstore.DialectSQLite, Sharded: true,
		Epoch: time.Second, Accounts: accountsOfAServer, Timeout: time.Second, Hold: hold,
	}
	for i := range 2 {
		t.Nodes = append(t.Nodes, sqliteDSN(filepath.Join(dir, fmt.Sprintf("shard%d.db", i))))
	}
	r, shards, err := t.openShards(ctx)
	if err != nil {
		return nil, err
	}
	return &rig{target: t, hurt: func(ctx context.Context) (string, error) { return moveSome(ctx, r, shards) }, stop: func() error {
		for _, s := range shards {
			if err := s.DB.Close(); err != nil {
				return err
			}
		}
		return nil
	}}, nil
}

// moveSome moves accounts that have not moved yet. One that is deleted or changed
// all the time stays.
func moveSome(ctx context.Context, r *router.Router, shards []router.Shard) (string, error) {
	const atATime, all = 6, 10_000
	home := rand.IntN(len(shards))
	ids, err := shards[home].Store.IDs(ctx, "", all)
	if err != nil {
		return "", err
	}
	rand.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
	moved := 0
	for _, id := range ids {
		if r.Home(id) == home && r.Move(ctx, id, 1-home) == nil {
			moved++
		}
		if moved == atATime {
			break
		}
	}
	return "rounds of moves", nil
}
