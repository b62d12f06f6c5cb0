package main

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// A goal is a number beside what it should be.
type goal struct {
	what    string
	have    float64
	atLeast bool // otherwise at most
	want    float64
	unit    string
	but     string // what is said beside it, where it is missed
}

func (g goal) met() bool {
	if g.atLeast {
		return g.have >= g.want
	}
	return g.have <= g.want
}

func (g goal) limit() string {
	bound := "at most"
	if g.atLeast {
		bound = "at least"
	}
	return fmt.Sprintf("%s %g%s", bound, g.want, g.unit)
}

func (g goal) verdict() string {
	if g.met() {
		return "met"
	}
	return "**missed**" + g.but
}

// atLeast notes a goal for the end of the report and returns its cells.
func (b *bench) atLeast(want, have float64, what string) []string {
	return b.note(goal{what: what, have: have, atLeast: true, want: want})
}

// atMost does the same for a number that should be small.
func (b *bench) atMost(want, have float64, unit, what string) []string {
	return b.note(goal{what: what, have: have, want: want, unit: unit})
}

func (b *bench) note(g goal) []string {
	b.goals = append(b.goals, g)
	return []string{fmt.Sprintf("%.2f%s", g.have, g.unit), g.limit(), g.verdict()}
}

// printGoals prints them all, and how many were missed.
func (b *bench) printGoals() error {
	if len(b.goals) == 0 {
		return nil
	}
	missed := 0
	rows := [][]string{{"what", "have", "goal", ""}}
	for _, g := range b.goals {
		rows = append(rows, []string{g.what, fmt.Sprintf("%.2f%s", g.have, g.unit), g.limit(), g.verdict()})
		if !g.met() {
			missed++
		}
	}
	_, err := fmt.Fprintf(b.summary, "\n%s\nOf %d goals %d are missed.\n", asTable(rows), len(b.goals), missed)
	return err
}

func (b *bench) heading(text string) { fmt.Fprintf(b.out, "\n## %s\n\n", text) }

func (b *bench) say(format string, args ...any) { fmt.Fprintf(b.out, format+"\n", args...) }

func (b *bench) table(rows [][]string) { fmt.Fprint(b.out, asTable(rows)) }

// asTable returns rows as Markdown; the first one is the heading.
func asTable(rows [][]string) string {
	var table strings.Builder
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], len([]rune(cell)))
		}
	}
	for n, row := range rows {
		var line strings.Builder
		for i, width := range widths {
			cell := ""
			if i < len(row) {
				cell = row[i]
			}
			fmt.Fprintf(&line, "| %-*s ", width, cell)
		}
		table.WriteString(line.String() + "|\n")
		if n == 0 {
			for i, width := range widths {
				widths[i] = max(3, width)
			}
			table.WriteString(rule(widths) + "\n")
		}
	}
	return table.String()
}

func rule(widths []int) string {
	var line strings.Builder
	for _, width := range widths {
		line.WriteString("|" + strings.Repeat("-", width+2))
	}
	return line.String() + "|"
}

// median returns the middle of values, or the mean of the two middle ones; 0
// of none.
func median[T cmp.Ordered](values []T, mean func(a, b T) T) T {
	var zero T
	if len(values) == 0 {
		return zero
	}
	sorted := slices.Sorted(slices.Values(values))
	if n := len(sorted); n%2 == 0 {
		return mean(sorted[n/2-1], sorted[n/2])
	}
	return sorted[len(sorted)/2]
}

func medianOf(values []float64) float64 {
	return median(values, func(a, b float64) float64 { return (a + b) / 2 })
}

// quantile returns the smallest value that is not below the share q of values.
func quantile(values []time.Duration, q float64) time.Duration {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[max(0, int(math.Ceil(q*float64(len(sorted))))-1)]
}

func count(n int) string { return group(fmt.Sprint(n)) }

func perSecond(v float64) string { return group(fmt.Sprintf("%.0f", v)) }

// group puts commas into a whole number.
func group(digits string) string {
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

func micros(d time.Duration) string { return fmt.Sprintf("%.0f us", inMicros(d)) }

func inMicros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

func millis(d time.Duration) string {
	return fmt.Sprintf("%.2f ms", float64(d)/float64(time.Millisecond))
}
