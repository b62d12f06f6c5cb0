package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// pgbench is PostgreSQL's own client, the limit of what any client can reach.
type pgbench struct {
	program string
	dsn     string
	machine machine
}

// findPgbench returns its path, "" if there is none.
func findPgbench() string {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/pgbench") // the pattern is well formed
	if len(found) > 0 {
		return slices.Max(found)
	}
	path, err := exec.LookPath("pgbench")
	if err != nil {
		return ""
	}
	return path
}

// saveArgs are the parameters of the store's UPDATE, in order, by the names of
// the columns that its SELECT gives, and a next version that the script makes.
var saveArgs = []string{"state", "next", "id", "version", "registered_sec", "registered_ns", "password_hash", "pin_hash", "locked"}

// script is the two statements in pgbench's language: \gset keeps the row that
// was read, to be written back.
func (s statements) script(accounts int) (string, error) {
	load, err := named(s.Load, []string{"id"})
	if err != nil {
		return "", err
	}
	save, err := named(s.Save, saveArgs)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("\\set id random(%d, %d)\n%s \\gset\n\\set next :version + 1\n%s;\n", firstID, firstID+accounts-1, load, save), nil
}

var placeholder = regexp.MustCompile(`\$(\d+)`)

// named replaces $1 by :name of the first name, and so on.
func named(query string, names []string) (string, error) {
	var err error
	query = placeholder.ReplaceAllStringFunc(query, func(mark string) string {
		n, _ := strconv.Atoi(mark[1:]) // digits, as the pattern says
		if n < 1 || n > len(names) {
			err = fmt.Errorf("there is no name for %s in %q", mark, query)
			return mark
		}
		return ":" + names[n-1]
	})
	return query, err
}

// run returns the transactions a second. It runs for whole seconds, of which
// connecting takes a part, so at least two.
func (p pgbench) run(ctx context.Context, cpu, script string, clients int, long time.Duration) (float64, error) {
	file, err := os.CreateTemp("", "bench-*.sql")
	if err != nil {
		return 0, err
	}
	defer os.Remove(file.Name())
	if _, err := file.WriteString(script); err != nil {
		return 0, err
	}
	if err := file.Close(); err != nil {
		return 0, err
	}
	seconds := max(2, int(math.Round(long.Seconds())))
	argv := []string{p.program, "-n", "-M", "prepared", "-c", strconv.Itoa(clients), "-j", "1",
		"-T", strconv.Itoa(seconds), "-f", file.Name(), p.dsn}
	if cpu != "" {
		argv = append([]string{p.machine.taskset, "-c", cpu}, argv...)
	}
	out, err := exec.CommandContext(ctx, argv[0], argv[1:]...).CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("pgbench: %w\n%s", err, out)
	}
	return parseTPS(string(out))
}

func parseTPS(out string) (float64, error) {
	for line := range strings.Lines(out) {
		if rest, ok := strings.CutPrefix(line, "tps = "); ok {
			number, _, _ := strings.Cut(rest, " ")
			return strconv.ParseFloat(number, 64)
		}
	}
	return 0, fmt.Errorf("pgbench did not tell its tps:\n%s", out)
}
