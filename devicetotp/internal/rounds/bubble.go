package rounds

import (
	"bytes"
	"runtime"
	"time"
)

// bubblesEnd is a time that has passed everywhere but in a bubble of
// testing/synctest, where the clock starts at the beginning of the year 2000.
var bubblesEnd = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)

// bubble returns the number of the bubble of testing/synctest that the caller
// runs in, or "" outside. Only the header of a stack trace has it; where that is
// spelled otherwise, all bubbles are one. Outside of bubbles it costs a look at
// the time.
func bubble() string {
	if !time.Now().Before(bubblesEnd) {
		return ""
	}
	var stack [256]byte
	header, _, _ := bytes.Cut(stack[:runtime.Stack(stack[:], false)], []byte("\n"))
	_, id, _ := bytes.Cut(header, []byte("synctest bubble "))
	digits := 0
	for digits < len(id) && id[digits] >= '0' && id[digits] <= '9' {
		digits++
	}
	return string(id[:digits])
}
