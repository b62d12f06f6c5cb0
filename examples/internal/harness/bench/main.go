// Command bench measures the library beside its peers with processes and
// databases, and prints each ratio beside its goal. Times differ from machine
// to machine; the ratios are of one run, in which both sides take turns.
//
//	go -C examples run ./internal/harness/bench
//
// It needs PostgreSQL's server programs, and pgbench for one of its tables. See
// BENCHMARKS.md for what came out and how to read it.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"example.com/devicetotp/examples/internal/harness/bench/page"
)

// bench is one run of the command.
type bench struct {
	out     io.Writer
	summary io.Writer // for the goals, which come first on the page
	machine machine
	sizes   sizes
	plot    string // file for the picture; "" is none
	profile string // file for the CPU profile; "" is none
	goals   []goal
}

// A section is one part of the run.
type section struct {
	name string
	run  func(*bench, context.Context) error
}

var sections = []section{
	{"throughput", (*bench).throughput},
	{"byhand", (*bench).byHand},
	{"http", (*bench).http},
	{"overload", (*bench).overload},
	{"burst", (*bench).burst},
	{"growth", (*bench).growth},
}

// enginesAlone is a section that runs only by itself: its servers would disturb the
// others, and its part of the page is its own.
var enginesAlone = section{"engines", (*bench).onEngines}

func main() {
	if name := os.Getenv(envChild); name != "" {
		exitOn(runChild(name, os.Stdin, os.Stdout))
		return
	}
	var printed, goals bytes.Buffer
	b := &bench{out: io.MultiWriter(os.Stdout, &printed), summary: io.MultiWriter(os.Stdout, &goals)}
	only := flag.String("only", "", "the sections to run, separated by commas (default all: "+strings.Join(names(), ",")+"), or engines")
	quick := flag.Bool("quick", false, "small sizes, to see that it runs; the numbers mean little")
	flag.StringVar(&b.plot, "plot", "", "write the picture of growth to this SVG file")
	flag.StringVar(&b.profile, "profile", "", "write a CPU profile of the throughput clients to this file; -tagfocus tells the loops apart")
	doc := flag.String("doc", "", "put the goals into this page, or what is printed of the engines")
	results := flag.String("results", "", "put what else is printed into this page")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	b.sizes = fullSizes
	if *quick {
		b.sizes = quickSizes
	}
	exitOn(b.run(ctx, *only))
	if *doc != "" && *only == enginesAlone.name {
		exitOn(page.Insert(*doc, "bench-engines", printed.String()))
	} else if *doc != "" {
		exitOn(page.Insert(*doc, "bench-load-goals", goals.String()))
	}
	if *results != "" {
		exitOn(page.Insert(*results, "bench-load", printed.String()))
	}
}

func exitOn(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func names() (all []string) {
	for _, s := range sections {
		all = append(all, s.name)
	}
	return all
}

func (b *bench) run(ctx context.Context, only string) error {
	chosen := sections
	if only == enginesAlone.name {
		chosen = []section{enginesAlone}
	} else if only != "" {
		wanted := strings.Split(only, ",")
		for _, name := range wanted {
			if !slices.Contains(names(), name) {
				return fmt.Errorf("there is no section %q; there are %s", name, strings.Join(names(), ", "))
			}
		}
		chosen = slices.DeleteFunc(slices.Clone(sections), func(s section) bool { return !slices.Contains(wanted, s.name) })
	}
	started := time.Now()
	b.machine = thisMachine()
	b.describeMachine()
	for _, s := range chosen {
		if err := s.run(b, ctx); err != nil {
			return errors.Join(ctx.Err(), fmt.Errorf("%s: %w", s.name, err))
		}
	}
	if _, err := fmt.Fprintf(b.out, "\nIt took %v.\n", time.Since(started).Round(time.Second)); err != nil {
		return err
	}
	return b.printGoals()
}
