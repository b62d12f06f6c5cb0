package main

import (
	"context"
	"os"
	"path/filepath"
	"runtime/metrics"
	"slices"
	"strconv"
	"strings"
	"time"
)

// waits are what requests can wait for, besides what they ask for.
type waits struct {
	Requests int
	// ForConnection is how many requests waited for a connection of the pool, and
	// ForConnectionLong how long all of them did.
	ForConnection     int64
	ForConnectionLong time.Duration
	// Goroutine and Pause are the 99th percentiles of how long a goroutine that could
	// run waited for one of the processors of Go's scheduler, and of how long the
	// garbage collector stopped the world.
	Goroutine, Pause time.Duration
	// Collections is how many times the garbage was collected.
	Collections uint64
	// Core and ServerCore are how long threads of this process, and processes of
	// PostgreSQL that serve it, could run and waited for a core of the machine.
	Core, ServerCore time.Duration
}

const (
	metricGoroutine   = "/sched/latencies:seconds"
	metricPause       = "/sched/pauses/total/gc:seconds"
	metricCollections = "/gc/cycles/total:gc-cycles"
)

// waitsDuring lets s run as s.run does, and watches it.
func (w overloadWorld) waitsDuring(ctx context.Context, s *stream, long time.Duration, ended <-chan struct{}) (seen waits, err error) {
	backends, err := w.backends(ctx)
	if err != nil {
		return seen, err
	}
	before, core, serverCore := readMetrics(), waitedForCore("self"), waitedForCore(backends...)
	pool := w.pool()
	if err := s.run(ctx, long, ended); err != nil {
		return seen, err
	}
	after, poolAfter := readMetrics(), w.pool()
	return waits{
		Requests:          len(s.took),
		ForConnection:     poolAfter.count - pool.count,
		ForConnectionLong: poolAfter.long - pool.long,
		Goroutine:         p99Between(before[0], after[0]),
		Pause:             p99Between(before[1], after[1]),
		Collections:       after[2].Value.Uint64() - before[2].Value.Uint64(),
		Core:              waitedForCore("self").since(core),
		ServerCore:        waitedForCore(backends...).since(serverCore),
	}, nil
}

func readMetrics() []metrics.Sample {
	samples := []metrics.Sample{{Name: metricGoroutine}, {Name: metricPause}, {Name: metricCollections}}
	metrics.Read(samples)
	for _, s := range samples[:2] { // the runtime may use the slices again
		h := s.Value.Float64Histogram()
		h.Counts = slices.Clone(h.Counts)
	}
	return samples
}

// p99Between returns the upper end of the bucket that the 99th percentile of what
// came between two samples is in.
func p99Between(before, after metrics.Sample) time.Duration {
	a, b := before.Value.Float64Histogram(), after.Value.Float64Histogram()
	var all, sum float64
	came := make([]float64, len(b.Counts))
	for i := range came {
		came[i] = float64(b.Counts[i] - a.Counts[i])
		all += came[i]
	}
	for i := range came {
		if sum += came[i]; all > 0 && sum >= 0.99*all {
			return time.Duration(b.Buckets[i+1] * float64(time.Second))
		}
	}
	return 0
}

type poolWaits struct {
	count int64
	long  time.Duration
}

func (w overloadWorld) pool() poolWaits {
	if w.db == nil {
		return poolWaits{}
	}
	stats := w.db.Stats()
	return poolWaits{stats.WaitCount, stats.WaitDuration}
}

// backends returns the processes of PostgreSQL that serve the connections of the
// pool. They need not be on this machine.
func (w overloadWorld) backends(ctx context.Context) (pids []string, err error) {
	if !w.onPostgres {
		return nil, nil
	}
	rows, err := w.db.QueryContext(ctx, `SELECT pid FROM pg_stat_activity WHERE datname = current_database()`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var pid int
		if err := rows.Scan(&pid); err != nil {
			return nil, err
		}
		pids = append(pids, strconv.Itoa(pid))
	}
	return pids, rows.Err()
}

// coreWaits is how long each thread was ready to run and did not.
type coreWaits map[string]time.Duration

// waitedForCore asks Linux for the threads of processes. Elsewhere there are none.
func waitedForCore(pids ...string) coreWaits {
	all := coreWaits{}
	for _, pid := range pids {
		threads, _ := filepath.Glob("/proc/" + pid + "/task/*/schedstat")
		for _, thread := range threads {
			text, err := os.ReadFile(thread)
			if fields := strings.Fields(string(text)); err == nil && len(fields) > 1 {
				ns, _ := strconv.ParseInt(fields[1], 10, 64)
				all[thread] = time.Duration(ns)
			}
		}
	}
	return all
}

// since adds up what the threads that are still there have waited since before.
func (c coreWaits) since(before coreWaits) (sum time.Duration) {
	for thread, waited := range c {
		sum += waited - before[thread]
	}
	return sum
}
