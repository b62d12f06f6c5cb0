package main

import (
	"cmp"
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
	// memoryLimit is what GOMEMLIMIT would be for a process that is to stay below
	// 100 MB: room for what the garbage collector does not count.
	memoryLimit = 72 << 20
)

// overload is many password creates at once beside a steady stream of
// verifications. Hashing must not eat the memory, nor starve the stream.
func (b *bench) overload(ctx context.Context) (err error) {
	b.heading("Overload")
	b.say("%d Create requests on a password arrive at once, beside %d Verify requests a second with right codes. One process with all defaults,", overloadCreates, overloadRate)
	b.say("and where it says so GOMEMLIMIT=%dMiB; PostgreSQL has the same cores. Each row is the run in the middle of %d. From due: counted from the moment at which", memoryLimit>>20, b.sizes.overloadRuns)
	b.say("the request should have been made, so that a process which cannot even ask is seen too.\n")
	pg, err := startPostgres(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pg.stop()) }()
	rows := [][]string{{"store", "creates", "answers", "after", "verified, lost", "p99 alone", "p99 beside", "ratio", "goal", "", "from due", "ratio", "peak RSS before, in all", "goal", ""}}
	var refusal string
	for _, c := range []struct {
		store   string
		limit   int64
		creates int
		most    float64
	}{
		{"memory", 0, overloadCreates, 3},
		{"memory", memoryLimit, overloadCreates, 3},
		{"PostgreSQL", 0, overloadCreates, 5},
		{"memory", memoryLimit, refusedCreates, 0},
	} {
		r, err := b.overloadMedian(ctx, pg, c.store, overloadConfig{Creates: c.creates, MemoryLimit: c.limit})
		if err != nil {
			return err
		}
		slower := float64(r.BusyP99) / float64(r.IdleP99)
		name := c.store
		if c.limit > 0 {
			name += ", GOMEMLIMIT"
		}
		row := []string{
			name, count(c.creates), answers(r.Answers), r.Wall.Round(10 * time.Millisecond).String(),
			fmt.Sprintf("%s, %d", count(r.StreamSent), r.StreamFailed), millis(r.IdleP99), millis(r.BusyP99),
		}
		what := fmt.Sprintf("overload on %s", name)
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
		refusal = cmp.Or(refusal, r.FirstRefusal)
	}
	b.table(rows)
	if refusal != "" {
		b.say("\nA refusal, in full: `%s`.", refusal)
	}
	return nil
}

// overloadMedian is the run with the middle ratio.
func (b *bench) overloadMedian(ctx context.Context, pg *postgres, store string, c overloadConfig) (overloadResult, error) {
	var runs []overloadResult
	c.Rate, c.Idle = overloadRate, b.sizes.idle
	for range b.sizes.overloadRuns {
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
