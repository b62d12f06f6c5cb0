//go:build race

package main

// raceAllocs is what the race detector may add: it keeps small functions from
// being inlined, so that some values escape.
const raceAllocs = 1.25
