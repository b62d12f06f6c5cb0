// Package pairbench measures the library beside its peers, for benchmarks only.
package pairbench

import (
	"slices"
	"testing"
	"time"
)

// A Pair runs the library and its peer in turns of so many calls each:
// machines change their speed from one second to the next, and so both sides see
// the same.
type Pair struct {
	// Calls is how many are made in one turn.
	Calls int
	// Before runs before each turn of ours, and is not measured; nil for nothing.
	Before func()
	// Ours and Peer are one call each.
	Ours, Peer func()
}

// Run is the benchmark. Its metrics ours-ns and peer-ns are the time of one call
// in the turn in the middle; ours-allocs and peer-allocs are counted apart.
func (p Pair) Run(b *testing.B) {
	b.Helper()
	var ours, peer []time.Duration
	turnOfOurs := func() {
		if p.Before != nil {
			p.Before()
		}
		ours = append(ours, p.turn(p.Ours))
	}
	turnOfPeer := func() { peer = append(peer, p.turn(p.Peer)) }
	for b.Loop() {
		// Whoever is second in one round is first in the next: it makes a difference
		// where the memory is that the other one left to be collected.
		first, second := turnOfOurs, turnOfPeer
		if len(ours)%2 == 1 {
			first, second = second, first
		}
		first()
		second()
	}
	b.ReportMetric(0, "ns/op") // of both together, which means nothing
	b.ReportMetric(p.middle(ours), "ours-ns")
	b.ReportMetric(p.middle(peer), "peer-ns")
	if p.Before != nil {
		p.Before()
	}
	b.ReportMetric(testing.AllocsPerRun(min(p.Calls, 10), p.Ours), "ours-allocs")
	b.ReportMetric(testing.AllocsPerRun(min(p.Calls, 10), p.Peer), "peer-allocs")
}

func (p Pair) turn(call func()) time.Duration {
	started := time.Now()
	for range p.Calls {
		call()
	}
	return time.Since(started)
}

func (p Pair) middle(turns []time.Duration) float64 {
	slices.Sort(turns)
	return float64(turns[len(turns)/2]) / float64(p.Calls)
}
