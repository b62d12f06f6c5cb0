package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// build builds examples/reseal, to run it as a process of its own.
func (s *stage) build(ctx context.Context) error {
	s.command = filepath.Join(s.dir, "reseal")
	out, err := exec.CommandContext(ctx, "go", "build", "-o", s.command, "example.com/devicetotp/examples/reseal").CombinedOutput()
	if err != nil {
		return fmt.Errorf("build examples/reseal: %w\n%s", err, out)
	}
	return nil
}

// resealAll runs the command three times: it is killed, interrupted, and comes to
// its end, about which it returns what the command said.
func (s *stage) resealAll(ctx context.Context) (said string, err error) {
	// So slow that it is not at its end when it is stopped.
	slowly := strconv.Itoa(len(s.accounts) / 10)
	for _, signal := range []syscall.Signal{syscall.SIGKILL, syscall.SIGINT} {
		if err := s.stopped(ctx, signal, "-rate", slowly); err != nil {
			return "", fmt.Errorf("the command that gets %v: %w", signal, err)
		}
		if _, err := os.Stat(s.stateAt); err != nil {
			return "", fmt.Errorf("%v left no state behind: %w", signal, err)
		}
	}
	var stderr bytes.Buffer
	last := s.newCommand(ctx, "-rate", "0")
	last.Stderr = &stderr
	out, err := last.Output()
	if err != nil {
		return "", fmt.Errorf("the last run of the command: %w\n%s%s", err, out, &stderr)
	}
	if !strings.Contains(string(out), "no account needs: "+oldKey+"\n") || !strings.Contains(string(out), fmt.Sprintf("%d accounts done", len(s.accounts))) {
		return "", fmt.Errorf("the last run of the command said\n%s", out)
	}
	return string(out), nil
}

func (s *stage) newCommand(ctx context.Context, args ...string) *exec.Cmd {
	args = append(args, "-key-file", s.keyFile, "-state", s.stateAt, "-page", strconv.Itoa(max(1, min(100, len(s.accounts)/100))), "-report", strconv.Itoa(len(s.accounts)/20))
	c := exec.CommandContext(ctx, s.command, args...)
	c.Env = append(os.Environ(), "DEVICETOTP_STORE="+s.dsn)
	return c
}

// stopped runs the command until it has said twice how far it is, and then stops
// it.
func (s *stage) stopped(ctx context.Context, signal syscall.Signal, args ...string) error {
	c := s.newCommand(ctx, args...)
	progress, err := c.StderrPipe()
	if err != nil {
		return err
	}
	if err := c.Start(); err != nil {
		return err
	}
	lines := bufio.NewScanner(progress)
	for range 2 {
		if !lines.Scan() {
			return errors.Join(errors.New("it ended by itself"), c.Wait())
		}
	}
	if err := c.Process.Signal(signal); err != nil {
		return err
	}
	for lines.Scan() {
	}
	if err := c.Wait(); err == nil {
		return errors.New("it ended well")
	}
	return nil
}
