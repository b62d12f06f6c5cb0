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
	"example.com/devicetotp/credential/memstore"
	"example.com/devicetotp/credential/sqlstore"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/verifier"
)

// overloadConfig tells the process what to do to itself.
type overloadConfig struct {
	DSN     string // "" is memory
	Creates int    // on a password, all at once
	Rate    int    // verifications a second
	Stream  int    // accounts of the stream; each has one turn
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
	IdleKiB, PeakKiB         int            // VmHWM before the creates, and at the end
}

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
	issuer, err := c.world(ctx)
	if err != nil {
		return err
	}
	var r overloadResult
	s := newStream(issuer, c.Rate)
	if err := s.run(ctx, c.Idle, nil); err != nil {
		return err
	}
	r.IdleP99, r.IdleDueP99 = s.p99()
	if r.IdleKiB, err = peakKiB(); err != nil {
		return err
	}
	creates := c.createAll(ctx, issuer, &r)
	if err := s.run(ctx, c.Idle, creates); err != nil {
		return err
	}
	r.BusyP99, r.BusyDueP99 = s.p99()
	r.StreamSent, r.StreamFailed = s.sent, s.failed
	if r.PeakKiB, err = peakKiB(); err != nil {
		return err
	}
	return out.Encode(r)
}

// world is an issuer with all defaults, accounts for the stream and, behind
// them, accounts with a password.
func (c overloadConfig) world(ctx context.Context) (*devicetotp.Issuer, error) {
	keys, _, err := newKeys()
	if err != nil {
		return nil, err
	}
	hash, err := verifier.DefaultHasher().Hash(ctx, credential.NewSecret(overloadPassword))
	if err != nil {
		return nil, err
	}
	var store credential.Store
	var put func(context.Context, credential.Account) error
	if c.DSN == "" {
		memory := memstore.New()
		store, put = memory, memory.Replace
	} else {
		db, err := target{sqlstore.DialectPostgres, "pgx", c.DSN}.open(streamConns)
		if err != nil {
			return nil, err
		}
		table, err := sqlstore.New(ctx, db, sqlstore.DialectPostgres, sqlstore.Config{})
		if err != nil {
			return nil, err
		}
		if err := table.Migrate(ctx); err != nil {
			return nil, err
		}
		store, put = table, func(ctx context.Context, a credential.Account) error {
			_, err := table.Insert(ctx, a)
			return err
		}
	}
	for i := range c.Stream + c.Creates {
		a, err := newAccount(keys, "", i, 1)
		if err != nil {
			return nil, err
		}
		a.PasswordHash = hash
		if err := put(ctx, a); err != nil {
			return nil, err
		}
	}
	return devicetotp.NewIssuer(store, keys, devicetotp.Config{})
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
