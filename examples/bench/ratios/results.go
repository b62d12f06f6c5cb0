package main

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A result is what a benchmark showed, run by run.
type result struct {
	ns     []float64
	allocs []float64
	turns  []turns
}

// turns are the times and allocations of both, measured in turns.
type turns struct{ ours, peer, oursAllocs, peerAllocs float64 }

// middle is the run with the middle ratio.
func (r *result) middle() turns {
	sorted := slices.SortedFunc(slices.Values(r.turns), func(a, b turns) int {
		return cmp.Compare(a.ours/a.peer, b.ours/b.peer)
	})
	return sorted[len(sorted)/2]
}

// results are by the benchmark's name, without the number of processors.
type results map[string]*result

var processors = regexp.MustCompile(`-\d+$`)

// add takes a line of go test -bench: a name, a number of rounds, and then
// values with their units. Other lines are none of its business.
func (r results) add(line string) {
	fields := strings.Fields(line)
	if len(fields) < 4 || !strings.HasPrefix(fields[0], "Benchmark") {
		return
	}
	if _, err := strconv.Atoi(fields[1]); err != nil {
		return
	}
	name := processors.ReplaceAllString(strings.TrimPrefix(fields[0], "Benchmark"), "")
	if r[name] == nil {
		r[name] = &result{}
	}
	var both turns
	for i := 2; i+1 < len(fields); i += 2 {
		value, err := strconv.ParseFloat(fields[i], 64)
		if err != nil {
			return
		}
		switch fields[i+1] {
		case "ns/op":
			r[name].ns = append(r[name].ns, value)
		case "allocs/op":
			r[name].allocs = append(r[name].allocs, value)
		case "ours-ns":
			both.ours = value
		case "peer-ns":
			both.peer = value
		case "ours-allocs":
			both.oursAllocs = value
		case "peer-allocs":
			both.peerAllocs = value
		}
	}
	if both.peer > 0 {
		r[name].turns = append(r[name].turns, both)
	}
}

// least is the value of the run that was disturbed the least: whatever else the
// machine does only makes a run longer.
func least(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	return slices.Min(values)
}
