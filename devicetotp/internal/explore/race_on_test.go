//go:build race

package explore

// underRace reports that the race detector watches: one goroutine runs at a time
// here, so that it finds nothing, and takes ten times as long.
const underRace = true
