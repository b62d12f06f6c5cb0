package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"runtime/pprof"
	"time"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/sqlstore"
)

// throughputConfig tells the clients' process what there is.
type throughputConfig struct {
	DSN, Keys, Profile string
	Accounts           int
	Statements         map[string]statements // by operation
}

// throughputTurn asks it to be at work for a while.
type throughputTurn struct {
	Loop, Op string // "ours" or "bare"; an operation
	Conns    int
	For      time.Duration
}

type throughputDone struct {
	PerSecond float64
	CPU       time.Duration // of this process, a request
	Err       string
}

const (
	loopOurs = "ours"
	loopBare = "bare"
)

// throughputChild holds the connections of both loops.
func throughputChild(in *json.Decoder, out *json.Encoder) error {
	var c throughputConfig
	if err := in.Decode(&c); err != nil {
		return err
	}
	loops, err := c.loops()
	if err != nil {
		return err
	}
	if err := warmUp(loops); err != nil {
		return err
	}
	if c.Profile != "" {
		file, err := os.Create(c.Profile)
		if err != nil {
			return err
		}
		defer file.Close()
		if err := pprof.StartCPUProfile(file); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	for {
		var turn throughputTurn
		if err := in.Decode(&turn); err != nil {
			return err
		}
		var done throughputDone
		pprof.Do(context.Background(), pprof.Labels("loop", turn.Loop, "op", turn.Op), func(ctx context.Context) {
			used := cpuTime()
			var err error
			if done.PerSecond, err = drive(ctx, turn.Conns, turn.For, loops[turn.key()].do); err != nil {
				done.Err = err.Error()
				return
			}
			requests := done.PerSecond * turn.For.Seconds()
			done.CPU = time.Duration(float64(cpuTime()-used) / requests)
		})
		if err := out.Encode(done); err != nil {
			return err
		}
	}
}

// warmUp opens every connection and lets the driver prepare the statements on it.
func warmUp(loops map[string]loop) error {
	for name, l := range loops {
		if _, err := drive(context.Background(), l.conns, 200*time.Millisecond, l.do); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// A loop is requests over so many connections.
type loop struct {
	conns int
	do    request
}

func (t throughputTurn) key() string { return fmt.Sprint(t.Loop, t.Op, t.Conns) }

// loops returns the requests of each loop, operation and number of connections.
// Both loops of an operation share the handle and the turns.
func (c throughputConfig) loops() (map[string]loop, error) {
	keys, err := credential.ParseKeyring(c.Keys)
	if err != nil {
		return nil, err
	}
	all := map[string]loop{}
	for op, pass := range map[string]time.Duration{opCreate: createPass, opCreateOnOTP: createPass, opVerify: period} {
		shared := newTurns(c.Accounts, pass)
		for _, conns := range connections {
			db, err := target{sqlstore.DialectPostgres, "pgx", c.DSN}.open(conns)
			if err != nil {
				return nil, err
			}
			store, err := sqlstore.New(context.Background(), db, sqlstore.DialectPostgres, sqlstore.Config{Table: op})
			if err != nil {
				return nil, err
			}
			do, err := makers[op](store, keys, shared, 1)
			if err != nil {
				return nil, err
			}
			all[throughputTurn{Loop: loopOurs, Op: op, Conns: conns}.key()] = loop{conns, do}
			all[throughputTurn{Loop: loopBare, Op: op, Conns: conns}.key()] = loop{conns, bare(db, c.Statements[op], shared)}
		}
	}
	return all, nil
}
