package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/sqlstore"
	"example.com/devicetotp/verifier"
)

const (
	burstRequests  = 1000
	burstProcesses = 8
)

// burst is many wrong PINs on one account at once: what an attacker with a
// session would do, and what it costs.
func (b *bench) burst(ctx context.Context) (err error) {
	b.heading("A burst on one account")
	b.say("%s Create requests with a wrong PIN in parallel. After the fifth failure the account has to wait, so no more than five hashes need be", count(burstRequests))
	b.say("computed; over several processes, a hash that was begun before the others' failures were saved is lost work. All defaults: in one process 64")
	b.say("requests for an account may wait, the others are refused as unavailable.\n")
	pg, err := startPostgres(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pg.stop()) }()
	rows := [][]string{{"processes", "store", "hashes computed", "wall", "CPU of the clients", "answers"}}
	for _, c := range []struct {
		processes int
		store     string
	}{{1, "memory"}, {1, "PostgreSQL"}, {burstProcesses, "PostgreSQL"}} {
		r, err := b.burstOn(ctx, pg, c.store, c.processes)
		if err != nil {
			return err
		}
		rows = append(rows, []string{
			count(c.processes), c.store, count(r.Hashes), r.Wall.Round(time.Millisecond).String(), r.CPU.Round(time.Millisecond).String(), answers(r.Answers),
		})
		if verdicts := r.Answers["invalid-credentials"]; verdicts != 5 {
			return fmt.Errorf("%d verdicts left the library, must be 5: %v", verdicts, r.Answers)
		}
	}
	b.table(rows)
	return nil
}

// burstOn makes the account and lets all processes begin at once.
func (b *bench) burstOn(ctx context.Context, pg *postgres, store string, processes int) (sum burstResult, err error) {
	config := burstConfig{Requests: burstRequests / processes}
	if config.PINHash, config.Keys, err = burstPIN(ctx); err != nil {
		return sum, err
	}
	if store != "memory" {
		if config.DSN, _, err = pg.server.CreateDatabase(ctx); err != nil {
			return sum, err
		}
		if err := config.prepare(ctx); err != nil {
			return sum, err
		}
	}
	var all []*child
	defer func() {
		for _, c := range all {
			err = errors.Join(err, c.stop())
		}
	}()
	for range processes {
		c, err := b.machine.startChild(ctx, "", "burst", config)
		if err != nil {
			return sum, err
		}
		all = append(all, c)
		if err := c.answer(&struct{}{}); err != nil { // it is ready
			return sum, err
		}
	}
	started := time.Now()
	for _, c := range all {
		if err := c.in.Encode(struct{}{}); err != nil {
			return sum, err
		}
	}
	sum.Answers = map[string]int{}
	for _, c := range all {
		var r burstResult
		if err := c.answer(&r); err != nil {
			return sum, err
		}
		sum.Hashes += r.Hashes
		sum.CPU += r.CPU
		for code, n := range r.Answers {
			sum.Answers[code] += n
		}
	}
	sum.Wall = time.Since(started)
	return sum, nil
}

// burstPIN makes a PIN's hash, sealed as it should be.
func burstPIN(ctx context.Context) (sealed, keyText string, err error) {
	keys, keyText, err := newKeys()
	if err != nil {
		return "", "", err
	}
	hash, err := verifier.DefaultHasher().Hash(ctx, credential.NewSecret("8299"))
	if err != nil {
		return "", "", err
	}
	sealed, err = keys.SealPINHash(burstID, hash)
	return sealed, keyText, err
}

// prepare makes the table with the account in it.
func (c burstConfig) prepare(ctx context.Context) error {
	db, err := target{sqlstore.DialectPostgres, "pgx", c.DSN}.open(1)
	if err != nil {
		return err
	}
	defer db.Close()
	table, err := sqlstore.New(ctx, db, sqlstore.DialectPostgres, sqlstore.Config{})
	if err != nil {
		return err
	}
	return errors.Join(table.Migrate(ctx), table.Put(ctx, c.account()))
}
