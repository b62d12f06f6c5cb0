package main

import (
	"time"

	"golang.org/x/sys/unix"
)

// now reads a clock that all processes of this machine share and that nobody sets.
func now() int64 {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &t); err != nil {
		return time.Now().UnixNano()
	}
	return t.Nano()
}
