package main

import "fmt"

// growthGoals holds what the largest point of each store takes against its smallest.
func (b *bench) growthGoals(targets []target, byAccounts, byDevices []*growthPoint) {
	rows := [][]string{{"store", "operation", "accounts", "goal", "", "devices", "goal", ""}}
	for _, t := range targets {
		for _, op := range []string{opVerify, opCreate} {
			row := []string{t.name(), op}
			for _, g := range []struct {
				points []*growthPoint
				most   float64
				what   string
			}{{byAccounts, 1.2, "the most accounts against the fewest"}, {byDevices, 1.3, "20 devices against one"}} {
				first, last := ends(g.points, t.name())
				grown := float64(last.each(op)) / float64(first.each(op))
				row = append(row, b.atMost(g.most, grown, "", fmt.Sprintf("%s on %s, %s", op, t.name(), g.what))...)
			}
			rows = append(rows, row)
		}
	}
	b.table(rows)
}

// ends returns the smallest and the largest point of a store.
func ends(points []*growthPoint, store string) (first, last *growthPoint) {
	for _, p := range points {
		if p.store != store {
			continue
		}
		if first == nil {
			first = p
		}
		last = p
	}
	return first, last
}
