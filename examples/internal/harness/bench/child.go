package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
)

// envChild names the part that a process of this program plays. Processes of
// its own make it possible to give a core to each side, to measure memory from
// the start, and to show what several do to one database.
const envChild = "DEVICETOTP_BENCH_CHILD"

// A part reads questions and writes answers until there is no more to read.
type part func(in *json.Decoder, out *json.Encoder) error

var parts = map[string]part{
	"throughput":  throughputChild,
	"http-server": httpServerChild,
	"http-client": httpClientChild,
	"overload":    overloadChild,
	"hashes":      hashesChild,
	"burst":       burstChild,
}

func runChild(name string, stdin io.Reader, stdout io.Writer) error {
	play, ok := parts[name]
	if !ok {
		return fmt.Errorf("%s=%q is not a part", envChild, name)
	}
	err := play(json.NewDecoder(stdin), json.NewEncoder(stdout))
	if errors.Is(err, io.EOF) {
		return nil // the parent is done
	}
	return err
}

// child is such a process, as its parent sees it.
type child struct {
	cmd   *exec.Cmd
	stdin io.WriteCloser
	in    *json.Encoder
	out   *json.Decoder
}

// startChild starts a process and gives it config as the first question. cpu is
// the core that it may run on, "" for any.
func (m machine) startChild(ctx context.Context, cpu, name string, config any) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	argv := []string{self}
	if cpu != "" {
		argv = []string{m.taskset, "-c", cpu, self}
	}
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), envChild+"="+name)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	c := &child{cmd: cmd, stdin: stdin, in: json.NewEncoder(stdin), out: json.NewDecoder(stdout)}
	if err := c.in.Encode(config); err != nil {
		return nil, errors.Join(err, c.stop())
	}
	return c, nil
}

// ask sends a question and waits for the answer.
func (c *child) ask(question, answer any) error {
	if err := c.in.Encode(question); err != nil {
		return fmt.Errorf("child: %w", err)
	}
	return c.answer(answer)
}

func (c *child) answer(answer any) error {
	if err := c.out.Decode(answer); err != nil {
		return fmt.Errorf("child: %w", err)
	}
	return nil
}

// stop lets the process end and waits for that.
func (c *child) stop() error {
	return errors.Join(c.stdin.Close(), c.cmd.Wait())
}
