package accounts

import (
	"fmt"
	"io"
	"os"
	"time"
)

// Progress shows how far a command is: on a terminal in one line that is written
// over, elsewhere in a line for every so many accounts.
type Progress struct {
	out      io.Writer
	terminal bool
	every    int
	started  time.Time
	first    int // done by earlier runs
	shown    int
}

// NewProgress returns a Progress to out, which is a terminal or not.
func NewProgress(out io.Writer, every int) *Progress {
	p := &Progress{out: out, every: every, started: time.Now(), first: -1}
	if file, ok := out.(*os.File); ok {
		info, err := file.Stat()
		p.terminal = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	return p
}

// Show shows that done things are done, with a word on what they came to.
func (p *Progress) Show(done int, what, more string) {
	if p.first < 0 {
		p.first = done
	}
	line := fmt.Sprintf("%d %s, %.0f a second%s", done, what, float64(done-p.first)/max(time.Since(p.started).Seconds(), 0.001), more)
	switch {
	case p.terminal:
		fmt.Fprintf(p.out, "\r\x1b[K%s", line)
	case done-p.shown >= p.every:
		p.shown = done
		fmt.Fprintln(p.out, line)
	}
}

// End ends the line on a terminal.
func (p *Progress) End() {
	if p.terminal {
		fmt.Fprint(p.out, "\r\x1b[K")
	}
}
