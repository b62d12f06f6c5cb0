package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/sqlstore"
	"example.com/devicetotp/credential/sqlstore/sqltest/mariadbtest"
)

// growthPoint is what an operation costs in a database of that size.
type growthPoint struct {
	store             string
	accounts, devices int
	stateBytes        int
	rates             map[string][]float64 // by operation: requests a second over one connection
	requests          map[string]request
	noted             map[string]request // the same, through notes
	notes             *notes
}

// each is how long a request takes.
func (p growthPoint) each(op string) time.Duration {
	return time.Duration(float64(time.Second) / medianOf(p.rates[op]))
}

// growth is the cost of an operation as accounts and devices grow. All tables
// are there from the beginning and take turns, so that what disturbs the machine
// for a while disturbs them all.
func (b *bench) growth(ctx context.Context) (err error) {
	b.heading("Growth")
	b.say("The time of one request over one connection, so that what it waits for is in it. Requests are spread over the table; every State has")
	b.say("the %d write ids that it keeps at most. A Verify is with the code of the last device, a Create on grace takes the place of the oldest.\n", credential.MaxWrites)
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
	targets := []target{pg.target(), sqliteTarget(dir, "accounts.db")}
	maria, stop, err := b.startMariaDB(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	targets = append(targets, maria...)

	var byAccounts, byDevices []*growthPoint
	for _, t := range targets {
		on, err := t.handles()
		if err != nil {
			return err
		}
		defer on.close()
		for i, accounts := range b.sizes.growth {
			p, err := newGrowthPoint(ctx, t, on, fmt.Sprint("accounts", i), accounts, 1)
			if err != nil {
				return err
			}
			byAccounts = append(byAccounts, p)
		}
		for _, n := range devices {
			p, err := newGrowthPoint(ctx, t, on, fmt.Sprint("devices", n), b.sizes.growthTable, n)
			if err != nil {
				return err
			}
			byDevices = append(byDevices, p)
		}
	}
	if err := b.growthRounds(ctx, append(slices.Clone(byAccounts), byDevices...)); err != nil {
		return err
	}
	b.growthTable(byAccounts)
	b.say("")
	b.growthTable(byDevices)
	b.say("\nThe largest beside the smallest:\n")
	b.growthGoals(targets, byAccounts, byDevices)
	if err := b.growthProfiles(ctx, targets, byAccounts, byDevices); err != nil {
		return err
	}
	if err := b.sayWritten(ctx, pg, byAccounts, byDevices); err != nil {
		return err
	}
	return b.drawGrowth(byAccounts, byDevices)
}

// handles are two on one database, of which one takes note of what is sent.
type handles struct {
	plain, noted *sql.DB
	notes        *notes
}

func (t target) handles() (h handles, err error) {
	if h.plain, err = t.open(2); err != nil { // SQLite's settings are checked on two
		return handles{}, err
	}
	if h.noted, h.notes, err = t.noted(); err != nil {
		return handles{}, errors.Join(err, h.plain.Close())
	}
	return h, nil
}

func (h handles) close() { _ = errors.Join(h.plain.Close(), h.noted.Close()) }

// newGrowthPoint fills a table: the accounts of even numbers are for Verify,
// those of odd numbers for Create, which needs devices that were never used.
func newGrowthPoint(ctx context.Context, t target, on handles, table string, accounts, devices int) (*growthPoint, error) {
	keys, _, err := newKeys()
	if err != nil {
		return nil, err
	}
	if err := t.fill(ctx, keys, table, accounts, devices); err != nil {
		return nil, err
	}
	half := func(first int, pass time.Duration) *turns {
		return &turns{accounts: accounts / 2, pass: pass, every: 2, first: first}
	}
	of := map[string]*turns{opVerify: half(0, period), opCreate: half(1, createPass)}
	requests := func(db *sql.DB) (map[string]request, error) {
		store, err := sqlstore.New(ctx, db, t.dialect, sqlstore.Config{Table: table})
		if err != nil {
			return nil, err
		}
		all := map[string]request{}
		for op, turns := range of {
			if all[op], err = makers[op](store, keys, turns, devices); err != nil {
				return nil, err
			}
		}
		return all, nil
	}
	p := &growthPoint{store: t.name(), accounts: accounts, devices: devices, rates: map[string][]float64{}, notes: on.notes}
	if p.requests, err = requests(on.plain); err != nil {
		return nil, err
	}
	if p.noted, err = requests(on.noted); err != nil {
		return nil, err
	}
	p.stateBytes, err = stateBytes(keys, devices)
	return p, err
}

// growthRounds measures all points again and again. The first round is to warm
// up.
func (b *bench) growthRounds(ctx context.Context, points []*growthPoint) error {
	for round := range b.sizes.growthRounds + 1 {
		for _, p := range points {
			for op, do := range p.requests {
				rate, err := drive(ctx, 1, b.sizes.growthSlice, do)
				if err != nil {
					return fmt.Errorf("%s, %d accounts, %d devices: %s: %w", p.store, p.accounts, p.devices, op, err)
				}
				if round > 0 {
					p.rates[op] = append(p.rates[op], rate)
				}
			}
		}
	}
	return nil
}

func (b *bench) growthTable(points []*growthPoint) {
	rows := [][]string{{"store", "accounts", "devices each", "State, bytes", "Verify", "Create"}}
	for _, p := range points {
		rows = append(rows, []string{
			p.store, count(p.accounts), count(p.devices), count(p.stateBytes), micros(p.each(opVerify)), micros(p.each(opCreate)),
		})
	}
	b.table(rows)
}

// startMariaDB returns a database of it, or none where it is not installed.
func (b *bench) startMariaDB(ctx context.Context) (_ []target, stop func() error, err error) {
	server, err := mariadbtest.Start(ctx)
	if errors.Is(err, mariadbtest.ErrNotInstalled) {
		b.say("There is no MariaDB here, so it is left out.\n")
		return nil, func() error { return nil }, nil
	}
	if err != nil {
		return nil, nil, err
	}
	dsn, _, err := server.CreateDatabase(ctx)
	if err != nil {
		return nil, nil, errors.Join(err, server.Stop())
	}
	return []target{mariaTarget(dsn)}, server.Stop, nil
}

func (t target) name() string {
	switch t.dialect {
	case sqlstore.DialectSQLite:
		return "SQLite"
	case sqlstore.DialectMySQL:
		return "MariaDB"
	default:
		return "PostgreSQL"
	}
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
