package main

import (
	"fmt"
	"io"
)

// A pair is the library and its peer, by the names of their benchmarks, and how
// many times as long as the peer the library may take. Without a peer's name one
// benchmark measures both in turns, as the metrics ours-ns and peer-ns.
type pair struct {
	what, ours, peer string
	goal             float64
}

var pairs = []pair{
	{"match a right device code; peer: pquerna/otp ValidateCustom", "Match/hit", "", 1.0},
	{"match a wrong device code", "Match/miss", "", 1.0},
	{"the same, right, with opening the sealed secret", "Match/sealed_hit", "", 1.4},
	{"the same, wrong, with opening the sealed secret", "Match/sealed_miss", "", 1.15},
	{"Create on grace; peer: pquerna/otp Generate, only a key", "Create/grace", "", 1.5},
	{"Create on an OTP; peer: the same", "Create/otp", "", 2.3},
	{"Create on a PIN, argon2id; peer: the bare hash", "CreateHashed/argon2id", "", 1.02},
	{"Create on a PIN, bcrypt; peer: the bare hash", "CreateHashed/bcrypt", "", 1.02},
	{"HTTP behind a server; peer: decode and encode only", "Server/jsonapi", "Server/plain", 1 / 0.65},
}

// printPairs prints them all, so that one which no longer runs is seen.
func printPairs(out io.Writer, r results) {
	fmt.Fprintf(out, "%-60s %12s %12s %8s %8s  %-8s %s\n",
		"time of ours against a peer", "ours", "peer", "ratio", "goal", "", "allocs")
	for _, p := range pairs {
		ours, peer, allocs, ok := r.compare(p)
		if !ok {
			fmt.Fprintf(out, "%-60s did not run\n", p.what)
			continue
		}
		ratio, verdict := ours/peer, "met"
		if ratio > p.goal {
			verdict = "missed"
		}
		fmt.Fprintf(out, "%-60s %12s %12s %8.3f %8.2f  %-8s %s\n", p.what,
			duration(ours), duration(peer), ratio, p.goal, verdict, allocs)
	}
}

// compare returns the times to compare: the least of all runs of both, or those
// of the run in the middle where both took turns.
func (r results) compare(p pair) (ours, peer float64, allocs string, ok bool) {
	a, b := r[p.ours], r[p.peer]
	switch {
	case p.peer == "" && a != nil && len(a.turns) > 0:
		t := a.middle()
		return t.ours, t.peer, fmt.Sprintf("%.0f, %.0f", t.oursAllocs, t.peerAllocs), true
	case p.peer != "" && a != nil && b != nil:
		return least(a.ns), least(b.ns), fmt.Sprintf("%.0f, %.0f", least(a.allocs), least(b.allocs)), true
	default:
		return 0, 0, "", false
	}
}

func duration(ns float64) string {
	switch {
	case ns >= 1e6:
		return fmt.Sprintf("%.2f ms", ns/1e6)
	case ns >= 1e3:
		return fmt.Sprintf("%.2f us", ns/1e3)
	default:
		return fmt.Sprintf("%.0f ns", ns)
	}
}
