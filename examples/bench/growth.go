package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/sqlstore"
)

// growthPoint is what an operation costs in a database of that size.
type growthPoint struct {
	store             string
	accounts, devices int
	stateBytes        int
	verify, create    time.Duration // over one connection
}

// growth is the cost of an operation as accounts and devices grow.
func (b *bench) growth(ctx context.Context) (err error) {
	b.heading("Growth")
	b.say("The time of one request over one connection, so that what it waits for is in it. The rows of a request are spread over the table;")
	b.say("every State has the %d write ids that it keeps at most. A Verify is with the code of the last device.\n", credential.MaxWrites)
	pg, err := startPostgres(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pg.stop()) }()
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()

	var byAccounts, byDevices []growthPoint
	for _, t := range []target{pg.target(), sqliteTarget(dir, "accounts.db")} {
		for i, accounts := range b.sizes.growth {
			p, err := b.growthPoint(ctx, t, fmt.Sprint("accounts", i), accounts, 1)
			if err != nil {
				return err
			}
			byAccounts = append(byAccounts, p)
		}
		for _, n := range devices {
			p, err := b.growthPoint(ctx, t, fmt.Sprint("devices", n), b.sizes.growthTable, n)
			if err != nil {
				return err
			}
			byDevices = append(byDevices, p)
		}
	}
	b.growthTable(byAccounts)
	b.say("")
	b.growthTable(byDevices)
	return b.drawGrowth(byAccounts, byDevices)
}

func (b *bench) growthTable(points []growthPoint) {
	rows := [][]string{{"store", "accounts", "devices each", "State, bytes", "Verify", "Create"}}
	for _, p := range points {
		rows = append(rows, []string{
			p.store, count(p.accounts), count(p.devices), count(p.stateBytes), micros(p.verify), micros(p.create),
		})
	}
	b.table(rows)
}

// growthPoint fills a table for each operation, measures, and takes it away.
func (b *bench) growthPoint(ctx context.Context, t target, table string, accounts, devices int) (p growthPoint, err error) {
	p = growthPoint{store: t.name(), accounts: accounts, devices: devices}
	keys, _, err := newKeys()
	if err != nil {
		return p, err
	}
	if p.stateBytes, err = stateBytes(keys, devices); err != nil {
		return p, err
	}
	for _, op := range []struct {
		name string
		pass time.Duration
		do   func(credential.Store, *credential.Keyring, *turns, int) (request, error)
		to   *time.Duration
	}{{opVerify, period, verifying, &p.verify}, {opCreate, createPass, creating, &p.create}} {
		if err := t.fill(ctx, keys, table+op.name, accounts, devices); err != nil {
			return p, err
		}
		do := func(store credential.Store) (request, error) {
			return op.do(store, keys, newTurns(accounts, op.pass), devices)
		}
		if *op.to, err = b.perRequest(ctx, t, table+op.name, do); err != nil {
			return p, fmt.Errorf("%s, %d accounts, %d devices: %s: %w", t.name(), accounts, devices, op.name, err)
		}
	}
	return p, nil
}

// perRequest is the median of the rounds.
func (b *bench) perRequest(ctx context.Context, t target, table string, make func(credential.Store) (request, error)) (each time.Duration, err error) {
	db, err := t.open(1)
	if err != nil {
		return 0, err
	}
	defer func() {
		_, dropErr := db.ExecContext(ctx, `DROP TABLE "`+table+`"`)
		err = errors.Join(err, dropErr, db.Close())
	}()
	store, err := sqlstore.New(ctx, db, t.dialect, sqlstore.Options{Table: table})
	if err != nil {
		return 0, err
	}
	do, err := make(store)
	if err != nil {
		return 0, err
	}
	var rates []float64
	for range b.sizes.growthRounds + 1 {
		rate, err := drive(ctx, 1, b.sizes.slice/2, do)
		if err != nil {
			return 0, err
		}
		rates = append(rates, rate)
	}
	return time.Duration(float64(time.Second) / medianOf(rates[1:])), nil // the first one was to warm up
}

func (t target) name() string {
	if t.dialect == sqlstore.SQLite {
		return "SQLite"
	}
	return "PostgreSQL"
}

// stateBytes is how long the State of such an account is.
func stateBytes(keys *credential.Keyring, devices int) (int, error) {
	a, err := newAccount(keys, "", 0, devices)
	if err != nil {
		return 0, err
	}
	encoded, err := a.State.MarshalBinary()
	return len(encoded), err
}
