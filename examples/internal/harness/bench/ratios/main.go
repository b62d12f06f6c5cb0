// Command ratios reads the output of go test -bench from its input, passes it
// on, and prints the library beside its peers: the ratio of the times of both,
// beside its goal. Run the benchmarks several times; the run in the middle counts.
//
//	go test -run '^$' -bench . ./... | go -C examples run ./internal/harness/bench/ratios
//
// What it passes on is what benchstat reads.
package main

import (
	"bufio"
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"example.com/devicetotp/examples/internal/harness/bench/page"
)

func main() {
	doc := flag.String("doc", "", "put the ratios into this page too")
	flag.Parse()
	if err := run(os.Stdin, os.Stdout, *doc); err != nil {
		fmt.Fprintln(os.Stderr, "ratios:", err)
		os.Exit(1)
	}
}

func run(in io.Reader, out io.Writer, doc string) error {
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
	var table bytes.Buffer
	printPairs(&table, results)
	fmt.Fprint(out, "\n", table.String())
	if failed {
		return errors.New("a benchmark failed; see above")
	}
	if doc == "" {
		return nil
	}
	return page.Insert(doc, "bench", "```text\n"+table.String()+"```")
}
