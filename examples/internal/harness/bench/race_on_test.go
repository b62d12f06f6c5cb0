//go:build race

package main

// raceAllocs is what the race detector may add: it keeps small functions from
// being inlined, and lets each sync.Pool drop a quarter of what it is given, at
// random: matching a code then takes up to 12 allocations for 3. .ci/run runs the
// test without it, too.
const raceAllocs = 4
