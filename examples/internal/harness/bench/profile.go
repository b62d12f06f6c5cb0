package main

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A profile is where the time of a request goes, over one connection. Each time is the
// median of its own, so they add up only about.
type profile struct {
	statements []sent
	client     time.Duration // what is not waiting for a statement
	whole      time.Duration
}

// profileRequests are how many a profile is taken of.
const profileRequests = 1000

// profileOf makes requests that send the same statements each, through a driver that
// takes note.
func profileOf(ctx context.Context, noted *notes, requests int, do request) (profile, error) {
	var p profile
	var took [][]time.Duration
	var client, whole []time.Duration
	noted.take()
	for range requests {
		began := time.Now()
		if err := do(ctx); err != nil {
			return profile{}, err
		}
		all := time.Since(began)
		statements := noted.take()
		if p.statements == nil {
			p.statements, took = statements, make([][]time.Duration, len(statements))
		}
		if !slices.Equal(queries(statements), queries(p.statements)) {
			return profile{}, fmt.Errorf("one request sent %q, another one %q", queries(p.statements), queries(statements))
		}
		waited := time.Duration(0)
		for i, s := range statements {
			took[i] = append(took[i], s.took)
			waited += s.took
		}
		client, whole = append(client, all-waited), append(whole, all)
	}
	for i := range p.statements {
		p.statements[i].took = quantile(took[i], 0.5)
	}
	p.client, p.whole = quantile(client, 0.5), quantile(whole, 0.5)
	return p, nil
}

// String is a line for it.
func (p profile) String() string {
	var parts []string
	for _, s := range p.statements {
		parts = append(parts, fmt.Sprintf("%s %.0f", shortened(s.query), inMicros(s.took)))
	}
	return fmt.Sprintf("%s = %s + client %.0f", micros(p.whole), strings.Join(parts, " + "), inMicros(p.client))
}

// noted returns a handle whose statements are noted.
func (t target) noted() (*sql.DB, *notes, error) {
	plain, err := sql.Open(t.driver, t.dsn)
	if err != nil {
		return nil, nil, err
	}
	n := &notes{Connector: dsnConnector{plain.Driver(), t.dsn}}
	return sql.OpenDB(n), n, plain.Close()
}
