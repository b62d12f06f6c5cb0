package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// processes is how many there are of clients, at a time.
const processes = 4

// A drive is one run on one engine.
type drive struct {
	rig    *rig
	plant  plant
	seed   uint64
	random *rand.Rand
	count  map[string]int // of what was done to processes and servers
	start  int64

	mu   sync.Mutex
	all  []*process // those that were killed included
	live []*process
}

func newLines(r io.Reader) *bufio.Scanner {
	s := bufio.NewScanner(r)
	s.Buffer(nil, 1<<20)
	return s
}

// run has processes call for that long, while they and the servers are killed and
// paused, and returns what they called and got, in the order in which it was
// called.
func (d *drive) run(ctx context.Context, size int, length time.Duration) ([]operation, error) {
	d.start, d.count, d.rig.drive = now(), map[string]int{}, d
	for range size {
		if _, err := d.add(); err != nil {
			return nil, errors.Join(err, d.end())
		}
	}
	for _, p := range d.living() {
		if err := p.begin(ctx); err != nil {
			return nil, errors.Join(err, d.end())
		}
	}
	timed, cancel := context.WithTimeout(ctx, length)
	defer cancel()
	var hurting sync.WaitGroup
	var hurtErr error
	if d.plant != plantNothing {
		hurting.Go(func() { d.endWhenFound(timed, cancel) })
	}
	if d.rig.hurt != nil {
		hurting.Go(func() { hurtErr = d.hurtServers(ctx, timed) })
	}
	var killErr error
	if size > 1 {
		killErr = d.killProcesses(timed)
	} else {
		<-timed.Done()
	}
	hurting.Wait()
	err := errors.Join(killErr, hurtErr, d.end(), ctx.Err())
	return d.history(), err
}

// endWhenFound ends a run with a planted fault as soon as it has shown, so that one
// can be looked for long. What the processes have called until a moment is read a
// little later, and on a busy machine later still, so that it is checked twice.
func (d *drive) endWhenFound(timed context.Context, end func()) {
	wrong := func(moment int64) bool {
		wait(timed, time.Second)
		return isWrong(until(d.history(), moment))
	}
	for !isOver(timed) {
		moment := now()
		if !wrong(moment) {
			continue
		}
		if wrong(moment) {
			end()
		}
	}
}

func (d *drive) add() (*process, error) {
	p, err := startProcess(childConfig{Target: d.rig.target, Plant: d.plant, Seed: d.random.Uint64(), Start: d.start})
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.all, d.live = append(d.all, p), append(d.live, p)
	return p, nil
}

// remove forgets a process that was killed, but for what it called.
func (d *drive) remove(p *process) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.live = slices.DeleteFunc(d.live, func(other *process) bool { return other == p })
}

func (d *drive) living() []*process {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.live)
}

// tell says a line to every process. One that was killed meanwhile does not hear it.
func (d *drive) tell(line string) {
	for _, p := range d.living() {
		_ = p.tell(line)
	}
}

// holding returns when every process has the Saves that it is to send after the
// fail-over, or when a slow one has had time enough.
func (d *drive) holding(ctx context.Context) {
	const enough = 20 * time.Second
	ctx, cancel := context.WithTimeout(ctx, enough)
	defer cancel()
	waits := func(p *process) bool { return p.holds.Load() < int64(d.rig.target.Across) }
	for slices.ContainsFunc(d.living(), waits) && ctx.Err() == nil {
		wait(ctx, 10*time.Millisecond)
	}
}

// hurtServers always mends what it broke, and does all of what can be done once, even
// if a busy machine takes longer for it than the run is long.
func (d *drive) hurtServers(ctx, timed context.Context) error {
	random := rand.New(rand.NewPCG(d.seed, 1))
	for {
		if wait(timed, time.Duration(300+random.IntN(700))*time.Millisecond); isOver(timed) && !d.rig.once {
			return nil
		}
		what, err := d.rig.hurt(ctx)
		if err != nil {
			return err
		}
		if what == "" {
			return nil
		}
		d.count[what]++
	}
}

// killProcesses kills one process after another, or pauses it. A process with a
// fault that spoils its settings is let live: New would refuse them.
func (d *drive) killProcesses(timed context.Context) error {
	kills, pauses := 0, 0
	defer func() { d.count["kills of processes"], d.count["pauses of processes"] = kills, pauses }()
	for {
		if wait(timed, time.Duration(100+d.random.IntN(400))*time.Millisecond); isOver(timed) {
			return nil
		}
		if d.rig.calm.Load() {
			continue
		}
		live := d.living()
		p := live[d.random.IntN(len(live))]
		if d.random.IntN(2) == 0 {
			if err := p.pause(timed, time.Duration(20+d.random.IntN(300))*time.Millisecond); err != nil {
				return err
			}
			pauses++
			continue
		}
		p.kill()
		kills++
		d.remove(p)
		if err := d.replace(timed); err != nil {
			return err
		}
	}
}

// isOver reports whether the time of the run is over, which is no error.
func isOver(timed context.Context) bool { return timed.Err() != nil }

// replace starts another process. While its server is down it cannot.
func (d *drive) replace(timed context.Context) error {
	for timed.Err() == nil {
		p, err := d.add()
		if err != nil {
			return err
		}
		if p.begin(timed) == nil {
			return nil
		}
		p.kill()
		d.remove(p)
		wait(timed, 50*time.Millisecond)
	}
	return nil
}

func (d *drive) end() error {
	var errs []error
	for _, p := range d.live {
		errs = append(errs, p.end())
	}
	return errors.Join(errs...)
}

func (d *drive) history() []operation {
	var all []operation
	d.mu.Lock()
	processes := slices.Clone(d.all)
	d.mu.Unlock()
	for i, p := range processes {
		all = append(all, p.history(i)...)
	}
	if d.rig.seen != nil {
		all = slices.DeleteFunc(all, func(o operation) bool { return o.Call < d.rig.seen() && restsOnLoad(o) })
	}
	slices.SortFunc(all, func(a, b operation) int { return cmp.Compare(a.Call, b.Call) })
	return all
}

// restsOnLoad reports whether an operation returned what it had seen and not
// saved.
func restsOnLoad(o operation) bool {
	if !o.Output.settled() {
		return false
	}
	switch o.Input.Op {
	case opLoad, opLook:
		return true
	case opCreate:
		return o.Output.Result == "id-in-use"
	default:
		return o.Model == "store" && o.Output.Result != resultDone
	}
}
