package etcdtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// Node is one server of a [Cluster].
type Node struct {
	binary, dir, name, client, peer, members string

	cmd    *exec.Cmd // nil if it does not run
	exited chan struct{}
	paused bool
}

// Endpoint is the address at which the node answers clients.
func (n *Node) Endpoint() string { return n.client }

// Kill ends the node as a crash would, and keeps its data. It does nothing if the
// node does not run.
func (n *Node) Kill() error {
	if n.cmd == nil {
		return nil
	}
	_ = n.cmd.Process.Kill() // an error means that it has ended
	<-n.exited
	n.cmd, n.paused = nil, false
	return nil
}

// StartAgain starts a node that was killed. It returns when the node answers.
func (n *Node) StartAgain(ctx context.Context) error {
	if n.cmd != nil {
		return fmt.Errorf("etcdtest: %s runs already", n.name)
	}
	if err := n.launch(); err != nil {
		return err
	}
	return n.ready(ctx)
}

// Pause stops the node where it is, until [Node.Resume]: its connections stay
// open, and nothing is answered.
func (n *Node) Pause() error { return n.signal(syscall.SIGSTOP, true) }

// Resume lets a paused node go on.
func (n *Node) Resume() error { return n.signal(syscall.SIGCONT, false) }

func (n *Node) signal(s syscall.Signal, paused bool) error {
	if n.cmd == nil {
		return fmt.Errorf("etcdtest: %s does not run", n.name)
	}
	if err := n.cmd.Process.Signal(s); err != nil {
		return fmt.Errorf("etcdtest: %w", err)
	}
	n.paused = paused
	return nil
}

func (n *Node) runs() bool { return n.cmd != nil && !n.paused }

// leads asks the node only if it can answer.
func (n *Node) leads(ctx context.Context) bool {
	if !n.runs() {
		return false
	}
	s, err := status(ctx, n.client)
	return err == nil && s.Leader == s.Header.MemberId
}

// launch starts the server as a child, so that it can be waited for.
func (n *Node) launch() error {
	if err := os.MkdirAll(n.dir, 0o700); err != nil {
		return fmt.Errorf("etcdtest: %w", err)
	}
	logFile, err := os.OpenFile(n.logFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("etcdtest: %w", err)
	}
	defer logFile.Close()
	//nolint:gosec,noctx // G204: the program is one that build made; and it ends with Kill
	cmd := exec.Command(n.binary, "--name", n.name, "--data-dir", filepath.Join(n.dir, "data"),
		"--listen-client-urls", "http://"+n.client, "--advertise-client-urls", "http://"+n.client,
		"--listen-peer-urls", "http://"+n.peer, "--initial-advertise-peer-urls", "http://"+n.peer,
		"--initial-cluster", n.members, "--initial-cluster-state", "new", "--log-level", "warn")
	cmd.Dir, cmd.Stdout, cmd.Stderr = n.dir, logFile, logFile
	endWithParent(cmd)
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("etcdtest: %w", err)
	}
	exited := make(chan struct{})
	go func() {
		defer close(exited)
		_ = cmd.Wait() // killed
	}()
	n.cmd, n.exited, n.paused = cmd, exited, false
	return nil
}

// ready returns when the node answers and knows a leader.
func (n *Node) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		s, err := status(ctx, n.client)
		if err == nil && s.Leader != 0 {
			return nil
		}
		select {
		case <-n.exited:
			return fmt.Errorf("etcdtest: %s ended\n%s", n.name, n.logTail())
		case <-ctx.Done():
			return fmt.Errorf("etcdtest: %s is not ready: %w\n%s", n.name, errors.Join(ctx.Err(), err), n.logTail())
		case <-time.After(askAgain):
		}
	}
}

func (n *Node) logFile() string { return filepath.Join(n.dir, "log") }

func (n *Node) logTail() string {
	const most = 4000
	text, err := os.ReadFile(n.logFile())
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-most):])
}
