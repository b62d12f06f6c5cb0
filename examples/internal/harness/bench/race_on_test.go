//go:build race

package main

// raceAllocs is what the race detector may add: it keeps small functions from
// being inlined, so that some values escape, and empties pools at random.
// make bench runs without it and so holds the counts themselves.
const raceAllocs = 1.4
