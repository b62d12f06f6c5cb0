package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"
)

const (
	overloadCreates = 200
	// refusedCreates are more than may wait to hash, so that some must be refused.
	refusedCreates = 600
	overloadRate   = 250
	// memoryLimit is room for what lives, for one hash that is computed and one that
	// is not collected yet.
	memoryLimit = 48 << 20
)

// An overloadCase is one row. Goals that are 0 are none.
type overloadCase struct {
	overloadConfig
	mostSlower, mostMB float64
	runs               []overloadResult
}

func overloadCases() (all []*overloadCase) {
	for _, store := range []struct {
		name       string
		mostSlower float64
	}{{storeMemory, 2}, {storeSQLite, 0}, {storePostgres, 5}} {
		all = append(all,
			&overloadCase{overloadConfig: overloadConfig{Store: store.name, Creates: overloadCreates}, mostSlower: store.mostSlower, mostMB: 100},
			&overloadCase{overloadConfig: overloadConfig{Store: store.name, Creates: overloadCreates, MemoryLimit: memoryLimit}, mostSlower: store.mostSlower, mostMB: 100})
	}
	return append(all,
		&overloadCase{overloadConfig: overloadConfig{Store: storePostgres, Creates: overloadCreates, Bare: true}},
		&overloadCase{overloadConfig: overloadConfig{Store: storeMemory, Creates: refusedCreates, MemoryLimit: memoryLimit}})
}

func (c *overloadCase) name() string {
	switch {
	case c.Bare:
		return c.Store + ", without the library"
	case c.MemoryLimit > 0:
		return c.Store + ", GOMEMLIMIT"
	}
	return c.Store
}

// overload is many password creates at once beside a steady stream of
// verifications. Hashing must not eat the memory, nor starve the stream.
func (b *bench) overload(ctx context.Context) (err error) {
	b.heading("Overload")
	b.say("%d Create requests on a password arrive at once, beside %d Verify requests a second with right codes. One process with all defaults,", overloadCreates, overloadRate)
	b.say("and where it says so GOMEMLIMIT=%dMiB; PostgreSQL has the same cores. The rows take turns, and each is the run in the middle of %d. Without the library: bare", memoryLimit>>20, b.sizes.overloadRuns)
	b.say("statements at the same rate, beside a process of its own that computes as many hashes. From due: counted from the moment at which the request")
	b.say("should have been made, so that a process which cannot even ask is seen too.\n")
	pg, err := startPostgres(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pg.stop()) }()
	cases := overloadCases()
	for range b.sizes.overloadRuns {
		for _, c := range cases {
			r, err := b.overloadRun(ctx, pg, c.overloadConfig)
			if err != nil {
				return fmt.Errorf("%s: %w", c.name(), err)
			}
			c.runs = append(c.runs, r)
		}
	}
	b.tableOfOverload(cases)
	b.tableOfWaits(cases)
	return nil
}

// overloadRun lets a process of its own do it to itself.
func (b *bench) overloadRun(ctx context.Context, pg *postgres, c overloadConfig) (r overloadResult, err error) {
	c.Rate, c.Idle = overloadRate, b.sizes.idle
	// Enough until the last answer, which the verifiers' time limit of ten seconds
	// bounds.
	c.Stream = overloadRate * (int(b.sizes.idle/time.Second) + 14)
	switch c.Store {
	case storeSQLite:
		dir, err := os.MkdirTemp("", "devicetotp-bench-*")
		if err != nil {
			return r, err
		}
		defer func() { _ = os.RemoveAll(dir) }()
		c.DSN = sqliteTarget(dir, "overload.db").dsn
	case storePostgres:
		dsn, drop, err := pg.server.CreateDatabase(ctx)
		if err != nil {
			return r, err
		}
		defer func() { _ = drop(ctx) }() // the server goes away with all of them
		c.DSN = dsn
	}
	process, err := b.machine.startChild(ctx, "", "overload", c)
	if err != nil {
		return r, err
	}
	err = process.answer(&r)
	return r, errors.Join(err, process.stop())
}
