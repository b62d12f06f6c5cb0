//go:build race

package main

// raceAllocs is what the race detector may add: it keeps small functions from
// being inlined, and lets each sync.Pool drop a quarter of what it is given, at
// random. .ci/run runs the test without it, too.
const raceAllocs = 2
