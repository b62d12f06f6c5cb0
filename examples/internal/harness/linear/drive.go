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
	all    []*process     // those that were killed included
	live   []*process
	start  int64
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
	d.start, d.count = now(), map[string]int{}
	for range size {
		if err := d.add(); err != nil {
			return nil, err
		}
	}
	for _, p := range d.live {
		if err := p.begin(ctx); err != nil {
			return nil, errors.Join(err, d.end())
		}
	}
	timed, cancel := context.WithTimeout(ctx, length)
	defer cancel()
	var hurting sync.WaitGroup
	var hurtErr error
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

func (d *drive) add() error {
	p, err := startProcess(childConfig{Target: d.rig.target, Plant: d.plant, Seed: d.random.Uint64(), Start: d.start})
	if err != nil {
		return err
	}
	d.all, d.live = append(d.all, p), append(d.live, p)
	return nil
}

// hurtServers always mends what it broke.
func (d *drive) hurtServers(ctx, timed context.Context) error {
	random := rand.New(rand.NewPCG(d.seed, 1))
	for {
		if wait(timed, time.Duration(300+random.IntN(700))*time.Millisecond); isOver(timed) {
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
		i := d.random.IntN(len(d.live))
		if d.random.IntN(2) == 0 {
			if err := d.live[i].pause(timed, time.Duration(20+d.random.IntN(300))*time.Millisecond); err != nil {
				return err
			}
			pauses++
			continue
		}
		d.live[i].kill()
		kills++
		d.live = slices.Delete(d.live, i, i+1)
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
		if err := d.add(); err != nil {
			return err
		}
		p := d.live[len(d.live)-1]
		if p.begin(timed) == nil {
			return nil
		}
		p.kill()
		d.live = d.live[:len(d.live)-1]
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
	for i, p := range d.all {
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
