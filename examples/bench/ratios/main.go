// Command ratios reads the output of go test -bench from its input, passes it
// on, and prints the library beside its peers: the ratio of the least times of
// both, beside its goal. Run the benchmarks several times, so that each has a
// run that nothing disturbed.
//
//	go test -run '^$' -bench . ./... | go -C examples run ./bench/ratios
//
// What it passes on is what benchstat reads.
package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"
)

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "ratios:", err)
		os.Exit(1)
	}
}

func run(in io.Reader, out io.Writer) error {
	results := results{}
	failed := false
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		fmt.Fprintln(out, lines.Text())
		results.add(lines.Text())
		failed = failed || strings.HasPrefix(lines.Text(), "FAIL") || strings.HasPrefix(lines.Text(), "--- FAIL")
	}
	if err := lines.Err(); err != nil {
		return err
	}
	printPairs(out, results)
	if failed {
		return fmt.Errorf("a benchmark failed; see above")
	}
	return nil
}
