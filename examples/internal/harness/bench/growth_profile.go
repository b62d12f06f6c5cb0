package main

import (
	"context"
	"fmt"
)

// growthProfiles shows where the time of the largest and of the smallest goes.
func (b *bench) growthProfiles(ctx context.Context, targets []target, byAccounts, byDevices []*growthPoint) error {
	b.say("\nWhere it goes: how long each statement takes until its answer is there, in microseconds, and the client's own time.\n\n```text")
	for _, t := range targets {
		for _, points := range [][]*growthPoint{byAccounts, byDevices} {
			for _, op := range []string{opVerify, opCreate} {
				first, last := ends(points, t.name())
				for _, p := range []*growthPoint{first, last} {
					where, err := profileOf(ctx, p.notes, profileRequests, p.noted[op])
					if err != nil {
						return fmt.Errorf("%s, %d accounts, %d devices: %s: %w", p.store, p.accounts, p.devices, op, err)
					}
					b.say("%-10s  %-6s  %9s accounts of %2d  %s", p.store, op, count(p.accounts), p.devices, where)
				}
			}
		}
	}
	b.say("```")
	return nil
}

// sayWritten tells what a row and a request take on PostgreSQL's disk. The log
// is what a standby has to be sent.
func (b *bench) sayWritten(ctx context.Context, pg *postgres, byAccounts, byDevices []*growthPoint) error {
	last := len(b.sizes.growth) - 1 // the largest table
	var size int64
	if err := pg.query(ctx, fmt.Sprintf(`SELECT pg_total_relation_size('accounts%d')`, last), &size); err != nil {
		return err
	}
	few, many := ends(byDevices, pg.target().name())
	little, err := pg.written(ctx, few)
	if err != nil {
		return err
	}
	much, err := pg.written(ctx, many)
	if err != nil {
		return err
	}
	b.say("\nOn PostgreSQL an account of one device takes %s bytes of disk, index and room for updates included. A Verify writes %s bytes of log,",
		count(int(size)/byAccounts[last].accounts), count(little))
	b.say("and %s for an account of %d devices, not counting pages that are logged whole when they are first changed after a checkpoint.", count(much), many.devices)
	return nil
}

// written returns how many bytes of log a Verify writes.
func (p *postgres) written(ctx context.Context, point *growthPoint) (int, error) {
	pass := max(1000, point.accounts/2)
	var before, after int64
	// The first of the two passes goes where the log must still hold pages whole.
	for _, to := range []*int64{&before, &after} {
		for range pass {
			if err := point.requests[opVerify](ctx); err != nil {
				return 0, err
			}
		}
		if err := p.query(ctx, `SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint`, to); err != nil {
			return 0, err
		}
	}
	return int(after-before) / pass, nil
}
