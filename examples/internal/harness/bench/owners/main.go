// Command owners reads what go tool pprof -traces prints of a CPU profile, and
// prints whose the time is: each sample belongs to the innermost function that is
// not the Go runtime's or a standard package that serves everybody.
package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
)

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "owners:", err)
		os.Exit(1)
	}
}

// A share is the time of one owner.
type share struct {
	owner string
	time  time.Duration
}

func run(in io.Reader, out io.Writer) error {
	shares, err := read(in)
	if err != nil {
		return err
	}
	var all time.Duration
	for _, s := range shares {
		all += s.time
	}
	if all == 0 {
		return fmt.Errorf("there are no samples")
	}
	for _, s := range shares {
		if _, err := fmt.Fprintf(out, "%5.1f%%  %s\n", 100*float64(s.time)/float64(all), s.owner); err != nil {
			return err
		}
	}
	return nil
}

// read adds up the samples by owner; the largest share is first.
func read(in io.Reader) (shares []share, err error) {
	times := map[string]time.Duration{}
	var stack []string // innermost first
	var took time.Duration
	end := func() {
		if len(stack) > 0 {
			times[owner(stack)] += took
		}
		stack = nil
	}
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		switch {
		case strings.HasPrefix(lines.Text(), "-----------+"):
			end()
		case len(fields) > 1 && len(stack) == 0: // the innermost function, behind how long
			if took, err = time.ParseDuration(fields[0]); err != nil {
				continue // a label
			}
			stack = append(stack, fields[1])
		case len(fields) > 0 && len(stack) > 0:
			stack = append(stack, fields[0])
		}
	}
	end()
	for name, t := range times {
		shares = append(shares, share{name, t})
	}
	slices.SortFunc(shares, func(a, b share) int { return int(b.time - a.time) })
	return shares, lines.Err()
}

// owners are whose functions begin with what, the first that fits.
var owners = []struct{ prefix, owner string }{
	{"main.", "the benchmark"},
	{"example.com/devicetotp/examples/", "the benchmark"},
	{"example.com/devicetotp/credential/sqlstore.", "ours: sqlstore"},
	{"example.com/devicetotp/credential.(*State)", "ours: State"},
	{"example.com/devicetotp/credential.State", "ours: State"},
	{"example.com/devicetotp/credential.(*Device)", "ours: State"},
	{"example.com/devicetotp/credential.(*reader)", "ours: State"},
	{"example.com/devicetotp/credential.(*writer)", "ours: State"},
	{"example.com/devicetotp/credential.(*Attempts)", "ours: State"},
	{"example.com/devicetotp/credential", "ours: sealing and digests"},
	{"example.com/devicetotp/devicetotp/internal/deadline.", "ours: deadlines"},
	{"example.com/devicetotp/", "ours: deciding"},
	{"database/sql.", "database/sql"},
	{"github.com/jackc/", "pgx"},
}

func owner(stack []string) string {
	// The scheduler's own calls into the system do not go through package syscall.
	if slices.ContainsFunc(stack, func(f string) bool { return strings.HasPrefix(f, "syscall.") }) {
		return "the system: sockets"
	}
	for _, function := range stack {
		for _, o := range owners {
			if strings.HasPrefix(function, o.prefix) {
				return o.owner
			}
		}
	}
	return "the Go runtime: scheduling, collecting"
}
