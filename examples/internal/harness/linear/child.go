package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"sync"
	"time"
)

// childArg is the first argument of the command as a process of clients.
const childArg = "clients"

// childConfig is the second argument, as JSON.
type childConfig struct {
	Target target
	Plant  plant
	Seed   uint64
	Start  int64 // of the run, by the clock that all processes share
}

// runChild opens the store, waits for the word to begin, and calls until its
// input ends.
func runChild(args []string, in io.Reader, out io.Writer) error {
	var c childConfig
	if err := json.Unmarshal([]byte(args[0]), &c); err != nil {
		return err
	}
	s, err := c.Target.open(context.Background(), c.Plant)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(out, ready); err != nil {
		return err
	}
	told, f := bufio.NewScanner(in), newFailOver()
	for told.Text() != begin {
		if !told.Scan() {
			return nil
		}
		f.hear(told.Text())
	}
	s.spoil()
	ctx, end := context.WithCancel(context.Background())
	go func() {
		for told.Scan() {
			f.hear(told.Text())
		}
		end()
	}()
	log := &log{out: out}
	var calling sync.WaitGroup
	for i := range c.Target.Across {
		number := 2*c.Target.clients() + i
		one := client{
			number: number, model: "store", log: log, store: s, config: c,
			random: rand.New(rand.NewPCG(c.Seed, uint64(number))),
		}
		calling.Go(func() { one.saveAcross(ctx, f) })
	}
	for i := range c.Target.clients() {
		for j, model := range []string{"store", "issuer"} {
			one := client{
				number: 2*i + j, model: model, log: log, store: s, config: c,
				random: rand.New(rand.NewPCG(c.Seed, uint64(2*i+j))),
			}
			act := one.actOnStore
			if model == "issuer" {
				if act, err = one.actOnIssuer(); err != nil {
					end()
					return err
				}
			}
			calling.Go(func() { one.run(ctx, act) })
		}
	}
	calling.Wait()
	return nil
}

// log writes what is called before it is called, so that a process which is killed
// leaves a call without a return.
type log struct {
	mu  sync.Mutex
	out io.Writer
	ids int
}

func (l *log) write(o *operation) { orExit(l.encode(o)) }

// say writes a line that is no operation.
func (l *log) say(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, err := fmt.Fprintln(l.out, line)
	orExit(err)
}

func orExit(err error) {
	if err != nil {
		os.Exit(1) // nobody listens any more
	}
}

func (l *log) encode(o *operation) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if o.ID == 0 {
		l.ids++
		o.ID = l.ids
	}
	return json.NewEncoder(l.out).Encode(o)
}

// client calls one thing after another.
type client struct {
	number int
	model  string
	log    *log
	store  *opened
	config childConfig
	random *rand.Rand
}

// think is the longest pause between two calls of a client. Without any, no
// process ever gets to read what another has written.
const think = 4 * time.Millisecond

func (c *client) run(ctx context.Context, act func(context.Context)) {
	for ctx.Err() == nil {
		act(context.WithoutCancel(ctx)) // what was begun is ended
		time.Sleep(time.Duration(c.random.Int64N(int64(think))))
	}
}

// call writes down one operation. What is known not to have been sent makes the
// client wait, because the next one will not be sent either.
func (c *client) call(ctx context.Context, account string, in input, send func(context.Context) output) output {
	o := operation{Client: c.number, Model: c.model, Account: account, Input: in, Call: now()}
	c.log.write(&o)
	ctx, cancel := context.WithTimeout(ctx, c.config.Target.timeout())
	defer cancel()
	out := send(ctx)
	o.Output, o.Return = &out, now()
	c.log.write(&o)
	if !out.settled() || out.Result == resultNotSent {
		time.Sleep(time.Duration(c.random.Int64N(int64(50 * time.Millisecond))))
	}
	return out
}

// account names one of the few accounts that all clients use at this moment.
func (c *client) account() string { return c.accountOf(0) }

// earlier names one that was used some time ago: what was stored before a server
// was killed must be there afterwards.
func (c *client) earlier() string { return c.accountOf(1 + c.random.Int64N(6)) }

func (c *client) accountOf(ago int64) string {
	const few = 3
	t, epoch := c.config.Target, int64(0)
	if t.Epoch > 0 {
		epoch = max(0, (now()-c.config.Start)/int64(t.Epoch)-ago)
	}
	return fmt.Sprintf("%s-%d-%d-%d", c.model, c.config.Start, epoch, c.random.IntN(max(few, t.Accounts)))
}
