package main

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A result is what a benchmark showed, run by run.
type result struct {
	ns     []float64
	allocs []float64
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
		}
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
