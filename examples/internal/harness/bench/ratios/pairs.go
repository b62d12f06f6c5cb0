package main

import (
	"fmt"
	"io"
)

// A pair is the library and its peer: the benchmark that measures both in turns,
// and how many times as long as the peer the library may take; 0 where the peer is a
// limit that cannot be reached, and only shows what is left.
type pair struct {
	what, benchmark string
	goal            float64
}

var pairs = []pair{
	{"match a right device code; peer: pquerna/otp ValidateCustom", "Match/hit", 0.65},
	{"match a wrong device code", "Match/miss", 0.35},
	{"the same, right, with opening the sealed secret", "Match/sealed_hit", 0.9},
	{"the same, wrong, with opening the sealed secret", "Match/sealed_miss", 0.5},
	{"the same, right; peer: opening and one HMAC, and nothing else", "Match/sealed_hit_alone", 0},
	{"the same, wrong; peer: opening and three HMACs", "Match/sealed_miss_alone", 0},
	{"Verify, 20 devices, none named; peer: pquerna/otp, 60 codes", "VerifyTwentyDevices/pquerna", 0.35},
	{"the same; peer: opening 20 and 60 HMACs, and nothing else", "VerifyTwentyDevices/alone", 0},
	{"Create on grace; peer: pquerna/otp Generate, only a key", "Create/grace", 1.5},
	{"Create on an OTP; peer: the same", "Create/otp", 2.3},
	{"Create on a PIN, argon2id; peer: the bare hash", "CreateHashed/argon2id", 1.01},
	{"Create on a PIN, bcrypt; peer: the bare hash", "CreateHashed/bcrypt", 1.01},
	{"HTTP behind a server; peer: decode and encode only", "Server", 1 / 0.65},
}

// printPairs prints them all, so that one which no longer runs is seen.
func printPairs(out io.Writer, r results) {
	fmt.Fprintf(out, "%-60s %12s %12s %8s %8s  %-8s %s\n",
		"time of ours against a peer", "ours", "peer", "ratio", "goal", "", "allocs")
	for _, p := range pairs {
		if len(r[p.benchmark]) == 0 {
			fmt.Fprintf(out, "%-60s did not run\n", p.what)
			continue
		}
		t := r.middle(p.benchmark)
		goal, verdict := fmt.Sprintf("%.2f", p.goal), "met"
		switch {
		case p.goal == 0:
			goal, verdict = "none", ""
		case t.ratio() > p.goal:
			verdict = "missed"
		}
		fmt.Fprintf(out, "%-60s %12s %12s %8.3f %8s  %-8s %.0f, %.0f\n", p.what,
			duration(t.ours), duration(t.peer), t.ratio(), goal, verdict, t.oursAllocs, t.peerAllocs)
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
