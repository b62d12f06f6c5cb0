package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"time"
)

const (
	// patience is how long something may take that must come: a dying server,
	// or the next answers.
	patience = 2 * time.Minute
	// A server lives for fewer than so many requests, or up to so many devices.
	maxRequests = 24
	maxDevices  = 6
)

// play starts the clients, kills and restarts under them, lets them end in
// peace, and compares.
func (s *stage) play(ctx context.Context, o options) (*report, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	r := &report{}
	c := newClients(s, &r.counts)
	var working sync.WaitGroup
	for i := range o.workers {
		working.Go(func() {
			if err := c.work(ctx, i); err != nil {
				cancel(err)
			}
		})
	}
	err := s.violence(ctx, o, r)
	if err == nil {
		err = s.inPeace(ctx, func() {
			c.enough.Store(true)
			working.Wait()
		})
	}
	if err != nil {
		cancel(err)
		working.Wait()
		return r, context.Cause(ctx)
	}
	r.violations, err = s.compare(ctx, c.results())
	return r, err
}

// compare uses new connections: the others may be cut by a restart without
// knowing it yet.
func (s *stage) compare(ctx context.Context, results []result) ([]string, error) {
	db, store, err := s.engine.Open(ctx, s.dsn)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	return check(ctx, store, s.keys, results)
}

// violence is all the kills, with the restarts evenly between them.
func (s *stage) violence(ctx context.Context, o options, r *report) error {
	for i := range o.kills {
		restart := (i+1)*o.restarts/o.kills > i*o.restarts/o.kills
		devices := 0
		if i%2 == 0 {
			devices = 1 + rand.N(maxDevices)
		}
		if err := s.oneLife(ctx, r, devices, restart); err != nil {
			return fmt.Errorf("life %d: %w", i+1, err)
		}
	}
	return nil
}

// oneLife starts a server and sees it die: by itself after so many devices, or
// else by SIGKILL from here.
func (s *stage) oneLife(ctx context.Context, r *report, devices int, restart bool) error {
	p, err := s.start(ctx, devices)
	if err != nil {
		return err
	}
	if restart {
		if err := p.afterRequests(ctx, &r.counts); err != nil {
			return errors.Join(err, p.kill())
		}
		if err := s.server.Restart(ctx); err != nil {
			return errors.Join(err, p.kill())
		}
		r.restarts++
	}
	if devices > 0 {
		if err := p.died(ctx); err != nil {
			return errors.Join(err, p.kill())
		}
		r.killsAfterSave++
	} else {
		err := p.afterRequests(ctx, &r.counts)
		time.Sleep(rand.N(5 * time.Millisecond)) // and somewhere within the next ones
		if err := errors.Join(err, p.kill()); err != nil {
			return err
		}
	}
	r.kills++
	return p.wasKilled()
}

// inPeace runs a server that nobody kills until meanwhile is done.
func (s *stage) inPeace(ctx context.Context, meanwhile func()) error {
	p, err := s.start(ctx, 0)
	if err != nil {
		return err
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		meanwhile()
	}()
	select {
	case <-done:
		return p.kill()
	case <-p.ended:
		return fmt.Errorf("the last server ended: %s", p.log())
	case <-ctx.Done():
		return errors.Join(ctx.Err(), p.kill())
	}
}

// A process is one life of the server.
type process struct {
	cmd    *exec.Cmd
	stderr bytes.Buffer // read after it has ended
	ended  chan struct{}
}

func (s *stage) start(ctx context.Context, devices int) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &process{ended: make(chan struct{})}
	p.cmd = exec.CommandContext(ctx, self, serve, "-engine", s.engine.Name, "-dsn", s.dsn, "-keys", s.keyFile, "-die-after", strconv.Itoa(devices))
	p.cmd.ExtraFiles = append(p.cmd.ExtraFiles, s.file)
	p.cmd.Stderr = &p.stderr
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(p.ended)
		_ = p.cmd.Wait() // wasKilled looks at how it ended
	}()
	return p, nil
}

// kill sends SIGKILL and waits.
func (p *process) kill() error {
	err := p.cmd.Process.Kill()
	<-p.ended
	if errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	return err
}

// died waits for a server that ends itself.
func (p *process) died(ctx context.Context) error {
	select {
	case <-p.ended:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(patience):
		return errors.New("the server does not die")
	}
}

// afterRequests returns when some more requests have come to an end, or the
// server has.
func (p *process) afterRequests(ctx context.Context, c *counts) error {
	target := c.requests.Load() + rand.N[int64](maxRequests)
	deadline := time.Now().Add(patience)
	for c.requests.Load() < target {
		select {
		case <-p.ended:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Millisecond):
		}
		if time.Now().After(deadline) {
			return errors.New("nobody is answered")
		}
	}
	return nil
}

// wasKilled is an error if the server ended in any other way.
func (p *process) wasKilled() error {
	if state := p.cmd.ProcessState.String(); state != "signal: killed" {
		return fmt.Errorf("the server ended with %s: %s", state, p.log())
	}
	return nil
}

func (p *process) log() string {
	text := p.stderr.String()
	return text[max(0, len(text)-2000):]
}
