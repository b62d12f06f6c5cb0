package main

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// turns are the times and allocations of both sides in one run.
type turns struct{ ours, peer, oursAllocs, peerAllocs float64 }

func (t turns) ratio() float64 { return t.ours / t.peer }

// results are the runs by the benchmark's name, without the number of
// processors.
type results map[string][]turns

var processors = regexp.MustCompile(`-\d+$`)

// add takes a line of go test -bench: a name, a number of rounds, and then
// values with their units. Other lines are none of its business.
func (r results) add(line string) {
	fields := strings.Fields(line)
	if len(fields) < 4 || !strings.HasPrefix(fields[0], "Benchmark") {
		return
	}
	var t turns
	units := map[string]*float64{
		"ours-ns": &t.ours, "peer-ns": &t.peer, "ours-allocs": &t.oursAllocs, "peer-allocs": &t.peerAllocs,
	}
	for i := 2; i+1 < len(fields); i += 2 {
		value, err := strconv.ParseFloat(fields[i], 64)
		if err != nil {
			return
		}
		if place := units[fields[i+1]]; place != nil {
			*place = value
		}
	}
	if t.peer > 0 {
		name := processors.ReplaceAllString(strings.TrimPrefix(fields[0], "Benchmark"), "")
		r[name] = append(r[name], t)
	}
}

// middle is the run with the middle ratio: whatever else the machine does may
// disturb either side.
func (r results) middle(benchmark string) turns {
	sorted := slices.SortedFunc(slices.Values(r[benchmark]), func(a, b turns) int { return cmp.Compare(a.ratio(), b.ratio()) })
	return sorted[len(sorted)/2]
}
