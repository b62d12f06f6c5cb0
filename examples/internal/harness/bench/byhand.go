package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"example.com/devicetotp/credential/sqlstore/sqltest/mariadbtest"
	"example.com/devicetotp/examples/internal/harness/bench/byhand"
)

const opCreateOTP = "create on an OTP"

// byHand is the library beside what services write themselves.
func (b *bench) byHand(ctx context.Context) error {
	b.heading("Beside what people write by hand")
	b.say(`The usual way is one transaction that locks the user's row; the other one has the fewest statements that we found, each a transaction of its own.
Their code is in examples/internal/harness/bench/byhand, with what they do not do that the library does. Each request is for another one of %s
accounts, and the tables are made again before each turn. More than 1.00 means that ours answers more requests.`, count(b.sizes.handAccounts))
	pg, err := startPostgres(ctx)
	if err != nil {
		return err
	}
	if err := errors.Join(b.byHandOn(ctx, "PostgreSQL", pg.target()), pg.stop()); err != nil {
		return err
	}
	maria, err := mariadbtest.Start(ctx)
	if errors.Is(err, mariadbtest.ErrNotInstalled) {
		b.say("\nThere is no MariaDB here, so it is left out.")
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(b.byHandOnMariaDB(ctx, maria), maria.Stop())
}

func (b *bench) byHandOnMariaDB(ctx context.Context, server *mariadbtest.Server) error {
	dsn, _, err := server.CreateDatabase(ctx)
	if err != nil {
		return err
	}
	return b.byHandOn(ctx, "MariaDB", mariaTarget(dsn))
}

// A rivalry is what the three reached with one operation and number of
// connections, round by round.
type rivalry struct {
	op                  string
	conns               int
	ours, usual, fewest []float64
	cpu                 map[string][]float64 // of this process, a request, in microseconds
}

func (b *bench) byHandOn(ctx context.Context, engine string, on target) (err error) {
	stage, err := newStage(ctx, on, b.sizes.handAccounts)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stage.close()) }()
	var all []*rivalry
	for _, op := range []string{opCreateOTP, opCreate, opVerify} {
		for _, conns := range connections {
			all = append(all, &rivalry{op: op, conns: conns, cpu: map[string][]float64{}})
		}
	}
	for round := range b.sizes.handRounds {
		for _, r := range all {
			turn := func(who string) func() (float64, error) {
				return func() (float64, error) {
					rate, cpu, err := stage.turn(ctx, who, r.op, r.conns, b.sizes.handSlice)
					r.cpu[who] = append(r.cpu[who], inMicros(cpu))
					return rate, err
				}
			}
			sides := []side{{&r.ours, turn(loopOurs)}, {&r.usual, turn(byUsual)}, {&r.fewest, turn(byFewest)}}
			if err := takeTurns(sides, round); err != nil {
				return fmt.Errorf("%s, %s, %d connections: %w", engine, r.op, r.conns, err)
			}
		}
	}
	b.tableOfRivalries(engine, all)
	return b.profiles(ctx, stage)
}

func (b *bench) tableOfRivalries(engine string, all []*rivalry) {
	b.say("\n%s:\n", engine)
	rows := [][]string{{"operation", "connections", "ours, requests/s", "usual", "ours / usual", "goal", "", "fewest", "ours / fewest", "goal", "", "clients' CPU of each"}}
	for _, r := range all {
		what := fmt.Sprintf("%s on %s, %d connections", r.op, engine, r.conns)
		row := append([]string{r.op, count(r.conns), perSecond(medianOf(r.ours)), perSecond(medianOf(r.usual))},
			b.atLeast(2, ratio(r.ours, r.usual), what+", against the usual transaction")...)
		row = append(row, perSecond(medianOf(r.fewest)))
		if against := ratio(r.ours, r.fewest); r.op == opVerify {
			row = append(row, b.atLeast(0.85, against, what+", against the fewest statements")...)
		} else {
			row = append(row, fmt.Sprintf("%.2f", against), "none", "")
		}
		row = append(row, fmt.Sprintf("%.0f, %.0f, %.0f us", medianOf(r.cpu[loopOurs]), medianOf(r.cpu[byUsual]), medianOf(r.cpu[byFewest])))
		rows = append(rows, row)
	}
	b.table(rows)
}

// profiles shows what each sends for one request, and how long that takes.
func (b *bench) profiles(ctx context.Context, stage *stage) error {
	b.say("\nOne request over one connection: how long each statement takes until its answer is there, in microseconds, and the client's own time.\n\n```text")
	for _, op := range []string{opCreateOTP, opCreate, opVerify} {
		for _, who := range []string{loopOurs, byUsual, byFewest} {
			p, err := stage.profile(ctx, who, op)
			if err != nil {
				return fmt.Errorf("%s, %s: %w", op, who, err)
			}
			b.say("%-17s %-7s %s", op, who, p)
		}
	}
	b.say("```")
	return nil
}

// shortened is the verb and the table, or the verb alone.
func shortened(query string) string {
	words := strings.Fields(query)
	for i, word := range words {
		if i+1 < len(words) && (word == "FROM" || word == "INTO" || word == "UPDATE") {
			short := words[0] + " " + strings.Trim(words[i+1], "\"`")
			if strings.Contains(query, "FOR UPDATE") {
				short += " FOR UPDATE"
			}
			return short
		}
	}
	return words[0]
}

// exhaust lets so many workers make requests, each for another account, until
// that long is over or every account had its turn. It returns how many there were
// a second, and the time of this process that each took.
func exhaust(
	ctx context.Context, workers, accounts int, long time.Duration, do func(ctx context.Context, account int) error,
) (rate float64, cpu time.Duration, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next, done atomic.Int64
	var all sync.WaitGroup
	started, before := time.Now(), cpuTime()
	for range workers {
		all.Go(func() {
			for time.Since(started) < long && ctx.Err() == nil {
				n := int(next.Add(1)) - 1
				if n >= accounts {
					return
				}
				if err := do(ctx, inTurn(n, accounts)); err != nil {
					cancel(fmt.Errorf("a request failed: %w", err))
					return
				}
				done.Add(1)
			}
		})
	}
	all.Wait()
	elapsed, used := time.Since(started), cpuTime()-before
	if err := context.Cause(ctx); err != nil {
		return 0, 0, err
	}
	n := done.Load()
	if n == 0 {
		return 0, 0, errors.New("no request was made")
	}
	return float64(n) / elapsed.Seconds(), used / time.Duration(n), nil
}

// inTurn is the account of request n: neighbours in time are not neighbours in the table.
func inTurn(n, accounts int) int {
	const stride = 7919 // a prime that divides no power of ten
	return n * stride % accounts
}

// service returns the peer of that name.
func service(who string, d byhand.Database) byhand.Service {
	if who == byUsual {
		return byhand.NewUsual(d)
	}
	return byhand.NewFewest(d)
}

func (t target) mysql() bool { return t.driver == "mysql" }

// handle is a database/sql handle whose connections are open and stay so.
func (t target) handle(ctx context.Context, conns int) (*sql.DB, error) {
	db, err := t.open(conns)
	if err != nil {
		return nil, err
	}
	var held []*sql.Conn
	for range conns {
		conn, openErr := db.Conn(ctx)
		if openErr != nil {
			err = openErr
			break
		}
		held = append(held, conn)
	}
	for _, conn := range held {
		err = errors.Join(err, conn.Close()) // back into the pool
	}
	return db, err
}
