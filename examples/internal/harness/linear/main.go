// Command linear checks that stores and the library are linearizable: that what
// their clients called and got can be explained by one order of the calls, in which
// each took effect at one moment between its beginning and its end.
//
//	go -C examples run ./internal/harness/linear -time 10s -engine sqlite,etcd
//
// Four processes with four clients each call a store, and the library over it,
// while processes are killed and paused, and the servers under them too. Each
// writes down what it calls before it does, and then what it got. What never
// returned, or returned an error that does not say what became of it, may have
// taken effect at any later moment, or not at all. What was never sent is left out.
// The checker is github.com/anishathalye/porcupine. There are two models:
//
//   - the store: a register with compare-and-set on everything that Load returns,
//     and with the host's side: Put, Insert, Delete, SetLocked, RotateHash;
//   - the library: a one-time code is used once, and there is a device if, and only
//     if, its proof is spent.
//
// On PostgreSQL with a standby, what a Load shows before the fail-over may not be
// kept. There the history has the operations that rest on a Save, and every one
// from the fail-over on. Some requests there Load what will be lost, and Save on it
// after the fail-over.
//
// Then it plants faults, which must be found: no compare-and-set, stale Loads, a
// Save that ignores the host's changes, synchronous_commit off, Galera without
// sync wait, and a counter as version over a fail-over. A run with a fault takes ten
// seconds or more, but ends as soon as the fault shows.
//
// A history that no order explains is left as a picture, with the command that
// repeats the run. The seed repeats what clients do and when they are killed, as far
// as the machine lets it.
//
// operation.go is what is written down, storemodel.go and issuermodel.go are the
// models, check.go asks the checker, engines.go has the databases, drive.go kills
// and pauses, child.go is a process of clients, and across.go has those that wait for
// a fail-over.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"
)

func main() {
	if len(os.Args) > 2 && os.Args[1] == childArg {
		if err := runChild(os.Args[2:], os.Stdin, os.Stdout); err != nil {
			os.Exit(1) // the server may be down; the command starts another
		}
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "linear:", err)
		os.Exit(1)
	}
}

// options are the flags.
type options struct {
	engines  []engine
	length   time.Duration
	seed     uint64
	attempts int
	plant    plant
	planted  bool
}

func parseFlags(args []string) (options, error) {
	o := options{engines: engines}
	flags := flag.NewFlagSet("linear", flag.ContinueOnError)
	flags.DurationVar(&o.length, "time", 10*time.Second, "how long to call each engine")
	flags.Uint64Var(&o.seed, "seed", rand.Uint64N(1_000_000), "what random choices begin with")
	flags.IntVar(&o.attempts, "attempts", 10, "how often to look for a planted fault")
	flags.Func("engine", "names, separated by commas (default all: "+names()+")", func(list string) (err error) {
		o.engines = nil
		for name := range strings.SplitSeq(list, ",") {
			e, err := engineNamed(name)
			if err != nil {
				return err
			}
			o.engines = append(o.engines, e)
		}
		return nil
	})
	flags.BoolVar(&o.planted, "planted", true, "plant faults too")
	flags.Func("plant", "plant this fault only, and fail as it makes the run fail", func(name string) error {
		o.plant = plant(name)
		return nil
	})
	err := flags.Parse(args)
	return o, err
}

func names() string {
	var all []string
	for _, e := range engines {
		all = append(all, e.name)
	}
	return strings.Join(all, ", ")
}

func run(ctx context.Context, args []string, out io.Writer) error {
	o, err := parseFlags(args)
	if err != nil {
		return err
	}
	for _, e := range o.engines {
		if err := o.try(ctx, e, out); notInstalled(err) {
			fmt.Fprintf(out, "%s: skipped: %v\n", e.name, err)
		} else if err != nil {
			return fmt.Errorf("%s: %w", e.name, err)
		}
	}
	return nil
}

// try runs an engine as it is, and then with each fault.
func (o options) try(ctx context.Context, e engine, out io.Writer) error {
	s := &session{options: o, engine: e, out: out}
	defer s.close()
	found, err := s.once(ctx, o.plant, o.seed)
	if err != nil {
		return err
	}
	if found != nil {
		return fmt.Errorf("%s is not linearizable: see %s, and repeat it with\n\t%s", found.model, found.picture, o.command(e, o.plant, o.seed))
	}
	if !o.planted || o.plant != plantNothing {
		return nil
	}
	for _, p := range e.plants {
		if err := s.find(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

func (o options) command(e engine, p plant, seed uint64) string {
	line := fmt.Sprintf("go -C examples run ./internal/harness/linear -engine %s -time %s -seed %d -planted=false", e.name, o.length, seed)
	if p != plantNothing {
		line += " -plant " + string(p)
	}
	return line
}

// session is one engine, which runs as long as it can be used again.
type session struct {
	options
	engine engine
	out    io.Writer
	rig    *rig
	dir    string
}

func (s *session) close() {
	if s.rig != nil {
		if err := s.rig.stop(); err != nil {
			fmt.Fprintln(s.out, err)
		}
		_ = os.RemoveAll(s.dir)
		s.rig = nil
	}
}

// find plants a fault until it is found.
func (s *session) find(ctx context.Context, p plant) error {
	for attempt := range s.attempts {
		seed := s.seed + uint64(attempt)
		found, err := s.once(ctx, p, seed)
		if err != nil {
			return err
		}
		if found != nil {
			_, err := fmt.Fprintf(s.out, "%s with %s: found in run %d by the model of the %s, see %s\n\t%s\n",
				s.engine.name, p, attempt+1, found.model, found.picture, s.command(s.engine, p, seed))
			return err
		}
	}
	return fmt.Errorf("%s was planted, and not found in %d runs", p, s.attempts)
}

// plantedLeast is how long a run with a planted fault must be. It ends when the fault
// is found.
const plantedLeast = 10 * time.Second

func (s *session) once(ctx context.Context, p plant, seed uint64) (*violation, error) {
	if s.rig != nil && s.rig.once {
		s.close()
	}
	if s.rig == nil {
		if err := s.begin(ctx); err != nil {
			return nil, err
		}
	}
	d := &drive{rig: s.rig, plant: p, seed: seed, random: rand.New(rand.NewPCG(seed, 0))}
	size := processes
	if s.engine.onlyOne {
		size = 1
	}
	length := max(s.length, s.engine.least)
	if p != plantNothing {
		length = max(length, plantedLeast)
	}
	history, err := d.run(ctx, size, length)
	if err != nil {
		return nil, err
	}
	began := now()
	found, err := check(history)
	if err != nil || found != nil || p != plantNothing {
		return found, err
	}
	_, err = fmt.Fprintf(s.out, "%s: linearizable: %s, checked in %s\n", s.engine.name, summary(history, d.count),
		time.Duration(now()-began).Round(time.Millisecond))
	return nil, err
}

func (s *session) begin(ctx context.Context) (err error) {
	if s.dir, err = os.MkdirTemp("", "linear"); err != nil {
		return err
	}
	if s.rig, err = s.engine.start(ctx, s.dir); err != nil {
		return err
	}
	return s.rig.target.migrate(ctx)
}

func summary(history []operation, count map[string]int) string {
	unknown, told := 0, 0
	for _, o := range history {
		if tells(o) {
			told++
			if !o.Output.settled() {
				unknown++
			}
		}
	}
	text := fmt.Sprintf("%d operations, %d of them with an unknown outcome", told, unknown)
	for _, what := range slices.Sorted(maps.Keys(count)) {
		text += fmt.Sprintf(", %d %s", count[what], what)
	}
	return text
}
