package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/sqlstore"
	"example.com/devicetotp/examples/internal/harness/engines"
)

// opened is a store on one engine, and what its requests reached, round by round and
// by number of connections.
type opened struct {
	title    string
	db       *sql.DB
	requests request
	rates    map[int][]float64
	close    func() error
}

// onEngines is Verify on every database, which take turns.
func (b *bench) onEngines(ctx context.Context) (err error) {
	b.say(`
All of them are on this machine at the same time, with three nodes where there is a cluster, and take turns; each connection to the cluster leads to
another node than the one before. %s accounts. Beside PostgreSQL: the median of each round's ratio.
`, count(b.sizes.engineAccounts))
	keys, _, err := newKeys()
	if err != nil {
		return err
	}
	var all []*opened
	defer func() {
		for _, o := range all {
			err = errors.Join(err, o.db.Close(), o.close())
		}
	}()
	for _, e := range engines.SQL {
		o, err := b.startEngine(ctx, e, keys)
		if engines.IsMissing(err) {
			b.say("There is no %s here, so it is left out: %v.\n", e.Name, err)
			continue
		}
		if err != nil {
			return fmt.Errorf("%s: %w", e.Name, err)
		}
		all = append(all, o)
	}
	o, err := b.startSQLite(ctx, keys)
	if err != nil {
		return err
	}
	all = append(all, o)
	if err := b.engineRounds(ctx, all); err != nil {
		return err
	}
	b.tableOfEngines(all)
	return nil
}

// engineConnections are how many the engines are compared with.
var engineConnections = []int{1, 8}

func (b *bench) engineRounds(ctx context.Context, all []*opened) error {
	for round := range b.sizes.engineRounds {
		for _, conns := range engineConnections {
			var sides []side
			results := make([][]float64, len(all))
			for i, o := range all {
				sides = append(sides, side{&results[i], func() (float64, error) {
					return drive(ctx, conns, b.sizes.engineSlice, o.requests)
				}})
			}
			if err := takeTurns(sides, round); err != nil {
				return err
			}
			for i, o := range all {
				o.rates[conns] = append(o.rates[conns], results[i]...)
			}
		}
	}
	return nil
}

func (b *bench) tableOfEngines(all []*opened) {
	rows := [][]string{{"database", "1 connection, requests/s", "beside the first", "8 connections, requests/s", "beside the first"}}
	for _, o := range all {
		row := []string{o.title}
		for _, conns := range engineConnections {
			row = append(row, perSecond(medianOf(o.rates[conns])), fmt.Sprintf("%.2f", ratio(o.rates[conns], all[0].rates[conns])))
		}
		rows = append(rows, row)
	}
	b.table(rows)
}

func (b *bench) startEngine(ctx context.Context, e *engines.Engine, keys *credential.Keyring) (*opened, error) {
	server, err := e.Start(ctx)
	if err != nil {
		return nil, err
	}
	dsn, _, err := server.CreateDatabase(ctx)
	if err != nil {
		return nil, errors.Join(err, server.Stop())
	}
	db, store, err := e.OpenSQL(ctx, dsn)
	if err != nil {
		return nil, errors.Join(err, server.Stop())
	}
	o, err := b.filled(ctx, e.Title, db, store, keys)
	if err != nil {
		return nil, errors.Join(err, db.Close(), server.Stop())
	}
	o.close = server.Stop
	return o, nil
}

func (b *bench) startSQLite(ctx context.Context, keys *credential.Keyring) (*opened, error) {
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return nil, err
	}
	on := sqliteTarget(dir, "engines.db")
	db, err := on.open(16)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	store, err := sqlstore.New(ctx, db, on.dialect, sqlstore.Config{})
	if err != nil {
		return nil, errors.Join(err, db.Close(), os.RemoveAll(dir))
	}
	o, err := b.filled(ctx, "SQLite", db, store, keys)
	if err != nil {
		return nil, errors.Join(err, db.Close(), os.RemoveAll(dir))
	}
	o.close = func() error { return os.RemoveAll(dir) }
	return o, nil
}

// filled makes the accounts, one device each, and warms up.
func (b *bench) filled(ctx context.Context, title string, db *sql.DB, store *sqlstore.Store, keys *credential.Keyring) (*opened, error) {
	if err := store.Migrate(ctx); err != nil {
		return nil, err
	}
	pinHash, err := keys.SealPINHash("any", passwordHash)
	if err != nil {
		return nil, err
	}
	for i := range b.sizes.engineAccounts {
		a, err := newAccount(keys, pinHash, i, 1)
		if err != nil {
			return nil, err
		}
		if _, err := store.Insert(ctx, a); err != nil {
			return nil, err
		}
	}
	do, err := verifying(store, keys, newTurns(b.sizes.engineAccounts, period), 1)
	if err != nil {
		return nil, err
	}
	for _, conns := range engineConnections {
		if _, err := drive(ctx, conns, b.sizes.engineSlice/4, do); err != nil {
			return nil, err
		}
	}
	return &opened{title: title, db: db, requests: do, rates: map[int][]float64{}}, nil
}
