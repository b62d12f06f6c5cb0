// Package clock gives the library the time.
//
// Use [System] in production and [example.com/devicetotp/clock/clocktest.Fake]
// in tests. A host with a time service of its own implements [Clock], or wraps
// a function with [Func].
//
// Every decision reads the clock exactly once, so one request never sees two
// different times. Processes that share accounts should keep their clocks
// within the clock tolerance of the policy (30 seconds by default).
package clock

import "time"

// A Clock returns the current time. Now must be safe for concurrent use. The zero
// time, or any other that is not after the beginning of 1970, is refused by the
// library as an internal error.
type Clock interface {
	Now() time.Time
}

// Func makes a function a [Clock].
type Func func() time.Time

// Now calls f.
func (f Func) Now() time.Time { return f() }

// System returns the operating system's clock.
func System() Clock { return Func(time.Now) }
