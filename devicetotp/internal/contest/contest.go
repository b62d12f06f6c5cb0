// Package contest measures the library beside its peers, for benchmarks only.
package contest

import (
	"slices"
	"testing"
	"time"
)

// A Contest runs the library and its peer in turns of so many calls each:
// machines change their speed from one second to the next, and so both sides see
// the same.
type Contest struct {
	// Calls is how many are made in one turn.
	Calls int
	// Before runs before each turn of ours, and is not measured; nil for nothing.
	Before func()
	// Ours and Peer are one call each.
	Ours, Peer func()
}

// Run is the benchmark. Its metrics ours-ns and peer-ns are the time of one call
// in the turn in the middle; ours-allocs and peer-allocs are counted apart.
func (c Contest) Run(b *testing.B) {
	b.Helper()
	var ours, peer []time.Duration
	for b.Loop() {
		if c.Before != nil {
			c.Before()
		}
		ours, peer = append(ours, c.turn(c.Ours)), append(peer, c.turn(c.Peer))
	}
	b.ReportMetric(0, "ns/op") // of both together, which means nothing
	b.ReportMetric(c.middle(ours), "ours-ns")
	b.ReportMetric(c.middle(peer), "peer-ns")
	if c.Before != nil {
		c.Before()
	}
	b.ReportMetric(testing.AllocsPerRun(min(c.Calls, 10), c.Ours), "ours-allocs")
	b.ReportMetric(testing.AllocsPerRun(min(c.Calls, 10), c.Peer), "peer-allocs")
}

func (c Contest) turn(call func()) time.Duration {
	started := time.Now()
	for range c.Calls {
		call()
	}
	return time.Since(started)
}

func (c Contest) middle(turns []time.Duration) float64 {
	slices.Sort(turns)
	return float64(turns[len(turns)/2]) / float64(c.Calls)
}
