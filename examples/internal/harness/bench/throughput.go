package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// throughput is Create and Verify on PostgreSQL, beside the same two statements
// in a bare loop and in pgbench.
func (b *bench) throughput(ctx context.Context) (err error) {
	pg, err := startPostgres(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pg.stop()) }()
	version, err := pg.version(ctx)
	if err != nil {
		return err
	}
	b.heading("Create and Verify on PostgreSQL")
	b.say("%s; database/sql with pgx; %s accounts. A request is one SELECT and one UPDATE.", version, count(b.sizes.accounts))
	if findPgbench() == "" {
		b.say("There is no pgbench here, so nothing is compared with it.")
	}
	if err := b.throughputPinned(ctx, pg); err != nil {
		return err
	}
	b.say("\nOn any core:\n")
	return b.throughputRounds(ctx, pg, "", b.sizes.unpinnedRounds)
}

func (b *bench) throughputPinned(ctx context.Context, pg *postgres) error {
	if !b.machine.canPin() {
		b.say("\nThere is no taskset here or only one core, so that the database and the clients share what there is.")
		return nil
	}
	cpus := b.machine.cpus
	if err := pg.pin(ctx, b.machine, cpus[len(cpus)-1]); err != nil {
		b.say("\nThe database cannot be given a core of its own: %v.", err)
		return nil
	}
	b.say("\nThe database on one core, the clients on another:\n")
	if err := b.throughputRounds(ctx, pg, cpus[0], b.sizes.pinnedRounds); err != nil {
		return err
	}
	return pg.pin(ctx, b.machine, cpus...)
}

// contest is what the sides reached with one operation and number of
// connections, round by round.
type contest struct {
	op                 string
	conns              int
	ours, bare, limits []float64
	cpu                map[string][]float64 // of a request, by loop, in nanoseconds
}

// throughputRounds lets the sides take turns. cpu is the clients' core, "" for
// any.
func (b *bench) throughputRounds(ctx context.Context, pg *postgres, cpu string, rounds int) (err error) {
	client, limit, scripts, err := b.throughputSides(ctx, pg, cpu)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, client.stop()) }()
	var contests []*contest
	for _, op := range []string{opCreate, opVerify} {
		for _, conns := range connections {
			contests = append(contests, &contest{op: op, conns: conns, cpu: map[string][]float64{}})
		}
	}
	contests = append(contests, &contest{op: opCreateOnOTP, conns: otpConnections, cpu: map[string][]float64{}})
	loop := func(c *contest, name string) func() (float64, error) {
		return func() (float64, error) {
			var done throughputDone
			err := client.ask(throughputTurn{Loop: name, Op: c.op, Conns: c.conns, For: b.sizes.slice}, &done)
			if err == nil && done.Err != "" {
				err = errors.New(done.Err)
			}
			c.cpu[name] = append(c.cpu[name], float64(done.CPU))
			return done.PerSecond, err
		}
	}
	for round := range rounds {
		for _, c := range contests {
			sides := []side{{&c.ours, loop(c, loopOurs)}, {&c.bare, loop(c, loopBare)}}
			if limit.program != "" {
				sides = append(sides, side{&c.limits, func() (float64, error) {
					return limit.run(ctx, cpu, scripts[c.op], c.conns, b.sizes.slice)
				}})
			}
			if err := takeTurns(sides, round); err != nil {
				return fmt.Errorf("%s, %d connections: %w", c.op, c.conns, err)
			}
		}
	}
	b.tableOfContests(contests, cpu != "")
	return nil
}

// throughputSides fills two fresh tables and starts the clients.
func (b *bench) throughputSides(ctx context.Context, pg *postgres, cpu string) (*child, pgbench, map[string]string, error) {
	fail := func(err error) (*child, pgbench, map[string]string, error) { return nil, pgbench{}, nil, err }
	dsn, _, err := pg.server.CreateDatabase(ctx)
	if err != nil {
		return fail(err)
	}
	keys, text, err := newKeys()
	if err != nil {
		return fail(err)
	}
	config := throughputConfig{DSN: dsn, Keys: text, Accounts: b.sizes.accounts, Statements: map[string]statements{}}
	scripts := map[string]string{}
	for _, op := range []string{opCreate, opCreateOnOTP, opVerify} {
		if err := (&postgres{pg.server, dsn}).target().fill(ctx, keys, op, b.sizes.accounts, 1); err != nil {
			return fail(err)
		}
		if config.Statements[op], err = statementsOf(ctx, dsn, op); err != nil {
			return fail(err)
		}
		if scripts[op], err = config.Statements[op].script(b.sizes.accounts); err != nil {
			return fail(err)
		}
	}
	if cpu != "" || !b.machine.canPin() {
		config.Profile = b.profile
	}
	client, err := b.machine.startChild(ctx, cpu, "throughput", config)
	return client, pgbench{findPgbench(), dsn, b.machine}, scripts, err
}

// A side is one of those that are compared, and where its result goes.
type side struct {
	to  *[]float64
	run func() (float64, error)
}

// takeTurns lets each side run once. Who is first changes with the round, so
// that nobody always has the warmer machine.
func takeTurns(sides []side, round int) error {
	first := round % len(sides)
	for _, s := range append(slices.Clone(sides[first:]), sides[:first]...) {
		v, err := s.run()
		if err != nil {
			return err
		}
		*s.to = append(*s.to, v)
	}
	return nil
}

// ratio is the median of the rounds' ratios: what disturbs a round disturbs
// both sides of it.
func ratio(ours, theirs []float64) float64 {
	var each []float64
	for i := range ours {
		each = append(each, ours[i]/theirs[i])
	}
	return medianOf(each)
}

// mostOfPgbench is what ours should reach of it, where the client has a core of its own.
const mostOfPgbench = 0.9

// alsoMissed says so where the bare loop does not reach it either: then it is out of
// reach of whoever uses database/sql and this driver.
func alsoMissed(bare float64) string {
	if bare >= mostOfPgbench {
		return ""
	}
	return fmt.Sprintf(", as by the bare loop: %.2f", bare)
}

func (b *bench) tableOfContests(contests []*contest, pinned bool) {
	rows := [][]string{{"operation", "connections", "ours, requests/s", "bare Go loop", "CPU, ours and bare", "ours / bare", "goal", "", "pgbench", "ours / pgbench", "goal", "", "bare / pgbench"}}
	where := "any core"
	if pinned {
		where = "a core each"
	}
	for _, c := range contests {
		what := fmt.Sprintf("%s on PostgreSQL, %d connections, %s", c.op, c.conns, where)
		row := []string{
			c.op, count(c.conns), perSecond(medianOf(c.ours)), perSecond(medianOf(c.bare)),
			fmt.Sprintf("%.0f, %.0f us", medianOf(c.cpu[loopOurs])/1e3, medianOf(c.cpu[loopBare])/1e3),
		}
		row = append(row, b.atLeast(0.87, ratio(c.ours, c.bare), what+", against a bare loop")...)
		if len(c.limits) > 0 {
			row = append(row, perSecond(medianOf(c.limits)))
			against, bare := ratio(c.ours, c.limits), ratio(c.bare, c.limits)
			if pinned {
				row = append(row, b.note(goal{
					what: what + ", against pgbench", have: against, atLeast: true, want: mostOfPgbench, but: alsoMissed(bare),
				})...)
			} else {
				row = append(row, fmt.Sprintf("%.2f", against), "none", "")
			}
			row = append(row, fmt.Sprintf("%.2f", bare))
		}
		rows = append(rows, row)
	}
	b.table(rows)
}
