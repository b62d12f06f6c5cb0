package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// middle is the run with the middle ratio.
func (c *overloadCase) middle() overloadResult {
	runs := slices.Clone(c.runs)
	slices.SortFunc(runs, func(x, y overloadResult) int { return cmp.Compare(x.slower(), y.slower()) })
	return runs[len(runs)/2]
}

// slower is how many times as long the slow requests of the stream took beside the
// flood.
func (r overloadResult) slower() float64 { return float64(r.BusyP99) / float64(r.IdleP99) }

func (b *bench) tableOfOverload(cases []*overloadCase) {
	rows := [][]string{{"store", "creates", "answers", "after", "verified, lost", "p99 alone", "p99 beside", "ratio", "goal", "", "from due", "ratio", "peak RSS before, in all", "goal", ""}}
	var refusal string
	for _, c := range cases {
		r, what := c.middle(), "overload on "+c.name()
		row := []string{
			c.name(), count(c.Creates), answers(r.Answers), r.Wall.Round(10 * time.Millisecond).String(),
			fmt.Sprintf("%s, %d", count(r.StreamSent), r.StreamFailed), millis(r.IdleP99), millis(r.BusyP99),
		}
		row = append(row, b.atMostIf(c.mostSlower, r.slower(), "", what+": p99 of the stream, against alone")...)
		row = append(row, fmt.Sprintf("%s, %s", millis(r.IdleDueP99), millis(r.BusyDueP99)), fmt.Sprintf("%.2f", float64(r.BusyDueP99)/float64(r.IdleDueP99)))
		peak := b.atMostIf(c.mostMB, megabytes(r.PeakKiB), " MB", what+": peak memory")
		peak[0] = fmt.Sprintf("%.0f MB, %s", megabytes(r.IdleKiB), peak[0])
		rows = append(rows, append(row, peak...))
		refusal = cmp.Or(refusal, r.FirstRefusal)
	}
	b.table(rows)
	if refusal != "" {
		b.say("\nA refusal, in full: `%s`.", refusal)
	}
}

// atMostIf is atMost where there is a goal.
func (b *bench) atMostIf(want, have float64, unit, what string) []string {
	if want > 0 {
		return b.atMost(want, have, unit, what)
	}
	return []string{fmt.Sprintf("%.2f%s", have, unit), "none", ""}
}

func (b *bench) tableOfWaits(cases []*overloadCase) {
	b.say("\nWhat waited in the same runs, alone and beside: requests for a connection of the pool (of %d), and how long together; the 99th percentiles of how long", streamConns)
	b.say("goroutines waited for Go's scheduler, and of how long the garbage collector stopped the process; how long its threads, and PostgreSQL's processes, were ready to")
	b.say("run and waited for a core, divided by the requests of the stream. Threads that hash are among them.\n")
	rows := [][]string{{"store", "for a connection", "goroutines, p99", "collector's pauses, p99", "collections", "threads for a core", "PostgreSQL for a core"}}
	for _, c := range cases {
		r := c.middle()
		of := func(cell func(w waits) string) string { return cell(r.Idle) + ", " + cell(r.Busy) }
		rows = append(rows, []string{
			c.name(),
			of(func(w waits) string {
				return fmt.Sprintf("%s (%s)", count(int(w.ForConnection)), w.ForConnectionLong.Round(time.Millisecond))
			}),
			of(func(w waits) string { return millis(w.Goroutine) }),
			of(func(w waits) string { return millis(w.Pause) }),
			of(func(w waits) string { return count(int(w.Collections)) }),
			of(func(w waits) string { return millis(w.Core / time.Duration(w.Requests)) }),
			of(func(w waits) string { return millis(w.ServerCore / time.Duration(w.Requests)) }),
		})
	}
	b.table(rows)
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
