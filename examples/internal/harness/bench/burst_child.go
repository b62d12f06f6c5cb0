package main

import (
	"context"
	"encoding/json"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/memstore"
	"example.com/devicetotp/credential/sqlstore"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/verifier"
)

// burstConfig tells a process what to attack.
type burstConfig struct {
	DSN      string // "" is memory
	Keys     string
	PINHash  string
	Requests int
}

const burstID = "victim"

// account is sent in parts: as a whole it would leave out the hash.
func (c burstConfig) account() credential.Account {
	return credential.Account{ID: burstID, PINHash: c.PINHash}
}

type burstResult struct {
	Hashes    int
	Wall, CPU time.Duration
	Answers   map[string]int // by code
}

func burstChild(in *json.Decoder, out *json.Encoder) error {
	var c burstConfig
	if err := in.Decode(&c); err != nil {
		return err
	}
	ctx := context.Background()
	var hashes atomic.Int64
	issuer, err := c.issuer(ctx, &hashes)
	if err != nil {
		return err
	}
	if err := out.Encode(struct{}{}); err != nil {
		return err
	}
	if err := in.Decode(&struct{}{}); err != nil { // all others are ready too
		return err
	}
	r := c.attack(ctx, issuer)
	r.Hashes = int(hashes.Load())
	return out.Encode(r)
}

// issuer counts the PINs that are hashed.
func (c burstConfig) issuer(ctx context.Context, hashes *atomic.Int64) (*devicetotp.Issuer, error) {
	keys, err := credential.ParseKeyring(c.Keys)
	if err != nil {
		return nil, err
	}
	pin := verifier.PIN(keys, nil)
	counting := verifier.Func(func(ctx context.Context, q verifier.Query) (verifier.Verdict, error) {
		hashes.Add(1)
		return pin.Verify(ctx, q)
	})
	store, err := c.store(ctx)
	if err != nil {
		return nil, err
	}
	return devicetotp.NewIssuer(store, keys, devicetotp.Config{PIN: counting})
}

func (c burstConfig) store(ctx context.Context) (credential.Store, error) {
	if c.DSN == "" {
		memory := memstore.New()
		return memory, memory.Put(ctx, c.account())
	}
	db, err := target{sqlstore.DialectPostgres, "pgx", c.DSN}.open(streamConns)
	if err != nil {
		return nil, err
	}
	return sqlstore.New(ctx, db, sqlstore.DialectPostgres, sqlstore.Config{})
}

// attack makes all requests at once.
func (c burstConfig) attack(ctx context.Context, issuer *devicetotp.Issuer) burstResult {
	r := burstResult{Answers: map[string]int{}}
	var mu sync.Mutex
	var all sync.WaitGroup
	begin := make(chan struct{})
	for range c.Requests {
		all.Go(func() {
			<-begin
			_, err := issuer.Create(ctx, devicetotp.CreateRequest{AccountID: burstID, PIN: credential.NewSecret("0000")})
			mu.Lock()
			defer mu.Unlock()
			r.Answers[string(devicetotp.CodeOf(err))]++
		})
	}
	started, used := time.Now(), cpuTime()
	close(begin)
	all.Wait()
	r.Wall, r.CPU = time.Since(started), cpuTime()-used
	return r
}

// cpuTime is what this process has used.
func cpuTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
