package main

import (
	"context"
	"errors"
)

const httpConns = 8

// http is the served endpoint beside a handler that only decodes the same body
// and encodes the same answer.
func (b *bench) http(ctx context.Context) error {
	b.heading("HTTP")
	b.say("Create on grace with accounts in memory, behind net/http, over %d connections. The plain handler decodes the same body and", httpConns)
	b.say("encodes the same answer: no authentication, no negotiation, no decision.\n")
	rows := [][]string{{"cores", "ours, requests/s", "plain", "ratio", "goal", ""}}
	if b.machine.canPin() {
		cpus := b.machine.cpus
		row, err := b.httpContest(ctx, "one each", cpus[len(cpus)-1], cpus[0])
		if err != nil {
			return err
		}
		rows = append(rows, row)
	}
	row, err := b.httpContest(ctx, "any", "", "")
	if err != nil {
		return err
	}
	b.table(append(rows, row))
	return nil
}

// httpContest measures with the server and the clients on the cores named.
func (b *bench) httpContest(ctx context.Context, where, serverCPU, clientCPU string) (row []string, err error) {
	server, err := b.machine.startChild(ctx, serverCPU, "http-server", httpServerConfig{Accounts: b.sizes.accounts})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, server.stop()) }()
	var at httpAddresses
	if err := server.answer(&at); err != nil {
		return nil, err
	}
	// The first turn is to warm up; its result is not used.
	client, err := b.machine.startChild(ctx, clientCPU, "http-client", httpTurn{at.Ours, httpConns, b.sizes.slice})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, client.stop()) }()
	if err := client.answer(&httpDone{}); err != nil {
		return nil, err
	}
	turn := func(address string) func() (float64, error) {
		return func() (float64, error) {
			var done httpDone
			err := client.ask(httpTurn{address, httpConns, b.sizes.slice}, &done)
			if err == nil && done.Err != "" {
				err = errors.New(done.Err)
			}
			return done.PerSecond, err
		}
	}
	var ours, peer []float64
	for round := range b.sizes.httpRounds {
		if err := takeTurns([]side{{&ours, turn(at.Ours)}, {&peer, turn(at.Plain)}}, round); err != nil {
			return nil, err
		}
	}
	row = []string{where, perSecond(medianOf(ours)), perSecond(medianOf(peer))}
	return append(row, b.atLeast(0.65, ratio(ours, peer), "HTTP, 8 connections, cores: "+where+", against a plain handler")...), nil
}
