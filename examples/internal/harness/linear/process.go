package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// A process has clients of its own, and can be killed and paused.
type process struct {
	cmd   *exec.Cmd
	stdin io.WriteCloser
	ready chan struct{} // closed when its store is open
	ended chan struct{} // closed when all that it wrote was read
	holds atomic.Int64  // how many of its clients have a Save to send after the fail-over

	mu   sync.Mutex
	done map[int]operation
}

func startProcess(c childConfig) (*process, error) {
	config, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self, childArg, string(config)) //nolint:noctx // it ends with its input, or is killed
	p := &process{cmd: cmd, ready: make(chan struct{}), ended: make(chan struct{}), done: map[int]operation{}}
	p.cmd.Stderr = os.Stderr
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go p.read(stdout)
	return p, nil
}

// read takes down what the process calls and gets. The last line of one that was
// killed may be cut short: that call never returned.
func (p *process) read(stdout io.Reader) {
	defer close(p.ended)
	lines := newLines(stdout)
	first := true
	for lines.Scan() {
		if first {
			first = false
			if lines.Text() != ready {
				return
			}
			close(p.ready)
			continue
		}
		if lines.Text() == holds {
			p.holds.Add(1)
			continue
		}
		var o operation
		if json.Unmarshal(lines.Bytes(), &o) != nil {
			continue
		}
		p.mu.Lock()
		p.done[o.ID] = o
		p.mu.Unlock()
	}
}

// begin lets the clients call, once the store is open.
func (p *process) begin(ctx context.Context) error {
	select {
	case <-p.ready:
	case <-p.ended:
		return errors.New("a process of clients ended at its start")
	case <-ctx.Done():
		return ctx.Err()
	}
	return p.tell(begin)
}

func (p *process) tell(line string) error {
	_, err := fmt.Fprintln(p.stdin, line)
	return err
}

func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.ended
	_ = p.cmd.Wait() // killed
}

func (p *process) pause(ctx context.Context, d time.Duration) error {
	if err := p.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	wait(ctx, d)
	return p.cmd.Process.Signal(syscall.SIGCONT)
}

// end lets every call that was begun return.
func (p *process) end() error {
	_ = p.stdin.Close()
	select {
	case <-p.ended:
		return p.cmd.Wait()
	case <-time.After(patience):
		p.kill()
		return errors.New("a process of clients does not end")
	}
}

// history is all that the process has called, under numbers of clients that no
// other process has.
func (p *process) history(number int) []operation {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []operation
	for _, o := range p.done {
		o.Client += number * 1000
		all = append(all, o)
	}
	return all
}
