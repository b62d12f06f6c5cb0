package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

const (
	overloadCreates = 200
	// refusedCreates are more than may wait to hash, so that some must be refused.
	refusedCreates = 600
	overloadRate   = 250
)

// overload is many password creates at once beside a steady stream of
// verifications. Hashing must not eat the memory, nor starve the stream.
func (b *bench) overload(ctx context.Context) (err error) {
	b.heading("Overload")
	b.say("%d Create requests on a password arrive at once, beside %d Verify requests a second with right codes. One process with all defaults;", overloadCreates, overloadRate)
	b.say("the database of the second row has the same cores. Each row is the run in the middle of %d. From due: counted from the moment at which", b.sizes.overloadRuns)
	b.say("the request should have been made, so that a process which cannot even ask is seen too.\n")
	pg, err := startPostgres(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pg.stop()) }()
	rows := [][]string{{"store", "creates", "answers", "after", "verified, lost", "p99 alone", "p99 beside", "ratio", "goal", "", "from due", "ratio", "peak RSS before, in all", "goal", ""}}
	for _, c := range []struct {
		store   string
		creates int
		most    float64
	}{{"memory", overloadCreates, 3}, {"PostgreSQL", overloadCreates, 5}, {"memory", refusedCreates, 0}} {
		r, err := b.overloadMedian(ctx, pg, c.store, c.creates)
		if err != nil {
			return err
		}
		slower := float64(r.BusyP99) / float64(r.IdleP99)
		row := []string{
			c.store, count(c.creates), answers(r.Answers), r.Wall.Round(10 * time.Millisecond).String(),
			fmt.Sprintf("%s, %d", count(r.StreamSent), r.StreamFailed), millis(r.IdleP99), millis(r.BusyP99),
		}
		what := fmt.Sprintf("overload on %s", c.store)
		if c.most > 0 {
			row = append(row, b.atMost(c.most, slower, "", what+": p99 of the stream, against alone")...)
		} else {
			row = append(row, fmt.Sprintf("%.2f", slower), "none", "")
		}
		row = append(row, fmt.Sprintf("%s, %s", millis(r.IdleDueP99), millis(r.BusyDueP99)), fmt.Sprintf("%.2f", float64(r.BusyDueP99)/float64(r.IdleDueP99)))
		before := fmt.Sprintf("%.0f MB, ", megabytes(r.IdleKiB))
		if c.most > 0 {
			cells := b.atMost(100, megabytes(r.PeakKiB), " MB", what+": peak memory")
			row = append(row, before+cells[0], cells[1], cells[2])
		} else {
			row = append(row, fmt.Sprintf("%s%.2f MB", before, megabytes(r.PeakKiB)), "none", "")
		}
		rows = append(rows, row)
		if r.FirstRefusal != "" {
			defer b.say("\nA refusal, in full: `%s`.", r.FirstRefusal)
		}
	}
	b.table(rows)
	return nil
}

// overloadMedian is the run with the middle ratio.
func (b *bench) overloadMedian(ctx context.Context, pg *postgres, store string, creates int) (overloadResult, error) {
	var runs []overloadResult
	for range b.sizes.overloadRuns {
		c := overloadConfig{Creates: creates, Rate: overloadRate, Idle: b.sizes.idle}
		// Enough until the last answer, which the verifiers' time limit of ten
		// seconds bounds.
		c.Stream = overloadRate * (int(b.sizes.idle/time.Second) + 14)
		if store != "memory" {
			dsn, drop, err := pg.server.CreateDatabase(ctx)
			if err != nil {
				return overloadResult{}, err
			}
			defer func() { _ = drop(ctx) }() // the server goes away with all of them
			c.DSN = dsn
		}
		r, err := b.overloadRun(ctx, c)
		if err != nil {
			return overloadResult{}, err
		}
		runs = append(runs, r)
	}
	slices.SortFunc(runs, func(x, y overloadResult) int {
		return int(float64(x.BusyP99)/float64(x.IdleP99)*1000) - int(float64(y.BusyP99)/float64(y.IdleP99)*1000)
	})
	return runs[len(runs)/2], nil
}

func (b *bench) overloadRun(ctx context.Context, c overloadConfig) (r overloadResult, err error) {
	process, err := b.machine.startChild(ctx, "", "overload", c)
	if err != nil {
		return r, err
	}
	err = process.answer(&r)
	return r, errors.Join(err, process.stop())
}

// answers tells how often each code was answered.
func answers(by map[string]int) string {
	var parts []string
	for code, n := range by {
		if code == "" {
			code = "device"
		}
		parts = append(parts, fmt.Sprintf("%s %s", count(n), code))
	}
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}

func megabytes(kib int) float64 { return float64(kib) * 1024 / 1e6 }
