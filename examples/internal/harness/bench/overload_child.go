package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"time"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
)

// overloadConfig tells the process what to do to itself.
type overloadConfig struct {
	Store   string // storeMemory or another
	DSN     string
	Bare    bool // the same without the library: see bareStream and hashElsewhere
	Creates int  // on a password, all at once
	Rate    int  // verifications a second
	Stream  int  // accounts of the stream; each has one turn
	Idle    time.Duration
	// MemoryLimit is GOMEMLIMIT in bytes; 0 is none.
	MemoryLimit int64
}

// overloadResult is what it saw.
type overloadResult struct {
	IdleP99, BusyP99         time.Duration // of an answer, from the moment it was asked for
	IdleDueP99, BusyDueP99   time.Duration // from the moment it should have been asked for
	StreamSent, StreamFailed int
	Answers                  map[string]int // of the creates, by code; "" is a device
	Wall                     time.Duration  // until the last create was answered
	FirstRefusal             string         // in the words of the error
	FloodFailed              string         // why the process that hashes failed
	IdleKiB, PeakKiB         int            // VmHWM before the creates, and at the end
	Idle, Busy               waits
}

const (
	storeMemory   = "memory"
	storeSQLite   = "SQLite"
	storePostgres = "PostgreSQL"
)

const overloadPassword = "correct horse battery staple"

// streamConns is the size of the pool on PostgreSQL.
const streamConns = 16

func overloadChild(in *json.Decoder, out *json.Encoder) error {
	var c overloadConfig
	if err := in.Decode(&c); err != nil {
		return err
	}
	if c.MemoryLimit > 0 {
		debug.SetMemoryLimit(c.MemoryLimit)
	}
	ctx := context.Background()
	w, err := c.world(ctx)
	if err != nil {
		return err
	}
	do := verifyingNow(w.issuer)
	if c.Bare {
		if do, err = w.bareStream(ctx, c.DSN); err != nil {
			return err
		}
	}
	var r overloadResult
	s := &stream{do: do, rate: c.Rate}
	if r.Idle, err = w.waitsDuring(ctx, s, c.Idle, nil); err != nil {
		return err
	}
	r.IdleP99, r.IdleDueP99 = s.p99()
	if r.IdleKiB, err = peakKiB(); err != nil {
		return err
	}
	var flood <-chan struct{}
	if !c.Bare {
		flood = c.createAll(ctx, w.issuer, &r)
	} else if flood, err = c.hashElsewhere(ctx, &r); err != nil {
		return err
	}
	if r.Busy, err = w.waitsDuring(ctx, s, c.Idle, flood); err != nil {
		return err
	}
	if r.FloodFailed != "" {
		return errors.New(r.FloodFailed)
	}
	r.BusyP99, r.BusyDueP99 = s.p99()
	r.StreamSent, r.StreamFailed = s.sent, s.failed
	if r.PeakKiB, err = peakKiB(); err != nil {
		return err
	}
	return out.Encode(r)
}

// createAll asks for all devices at once. The channel is closed when the last
// answer has come.
func (c overloadConfig) createAll(ctx context.Context, issuer *devicetotp.Issuer, r *overloadResult) <-chan struct{} {
	r.Answers = map[string]int{}
	var mu sync.Mutex
	var all sync.WaitGroup
	started := time.Now()
	for i := range c.Creates {
		all.Go(func() {
			_, err := issuer.Create(ctx, devicetotp.CreateRequest{
				AccountID: accountID(c.Stream + i), Password: credential.NewSecret(overloadPassword),
			})
			mu.Lock()
			defer mu.Unlock()
			r.Answers[string(devicetotp.CodeOf(err))]++
			if err != nil && r.FirstRefusal == "" {
				r.FirstRefusal = err.Error()
			}
		})
	}
	done := make(chan struct{})
	go func() {
		all.Wait()
		r.Wall = time.Since(started)
		close(done)
	}()
	return done
}

// peakKiB is the most memory that this process ever had.
func peakKiB() (int, error) {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	kib, err := strconv.Atoi(strings.TrimSuffix(field(string(text), "VmHWM"), " kB"))
	if err != nil {
		return 0, errors.Join(errors.New("/proc/self/status has no VmHWM"), err)
	}
	return kib, nil
}
