package main

import (
	"errors"
	"fmt"
	"io"
	"sync/atomic"
)

// counts are what the clients see.
type counts struct {
	requests atomic.Int64 // sent
	lost     atomic.Int64 // without an answer
	unclear  atomic.Int64 // answered 500
	codes    atomic.Int64 // settled
	created  atomic.Int64 // clients that were given their device
	refused  atomic.Int64 // clients that were not
	replayed atomic.Int64 // of created: by a retry, because the first response was lost
	asked    atomic.Int64 // of created: given the same device when they asked once more
}

// A report is what a run came to.
type report struct {
	counts
	kills, killsAfterSave, restarts int
	violations                      []string
}

// print writes the report, and returns why the run failed.
func (r *report) print(out io.Writer, o options) error {
	for _, line := range []struct {
		what  string
		count int64
	}{
		{"kills of the server", int64(r.kills)},
		{"  right after the Save of a device", int64(r.killsAfterSave)},
		{"restarts of " + o.engine.Title, int64(r.restarts)},
		{"requests", r.requests.Load()},
		{"  without an answer", r.lost.Load()},
		{"  answered 500", r.unclear.Load()},
		{"codes, each presented by two clients", r.codes.Load()},
		{"clients that were given their device", r.created.Load()},
		{"  by repeating a request whose answer was lost", r.replayed.Load()},
		{"  and the same one when they asked once more", r.asked.Load()},
		{"clients that were refused", r.refused.Load()},
		{"violations", int64(len(r.violations))},
	} {
		if _, err := fmt.Fprintf(out, "%-50s %6d\n", line.what, line.count); err != nil {
			return err
		}
	}
	return r.verdict(o)
}

func (r *report) verdict(o options) error {
	var errs []error
	for _, v := range r.violations {
		errs = append(errs, errors.New(v))
	}
	if r.kills != o.kills || r.restarts != o.restarts {
		errs = append(errs, fmt.Errorf("%d kills and %d restarts, want %d and %d", r.kills, r.restarts, o.kills, o.restarts))
	}
	if r.replayed.Load() == 0 {
		errs = append(errs, errors.New("no lost response was repeated: nothing has been shown"))
	}
	if n := r.replayed.Load(); n < int64(r.killsAfterSave) {
		errs = append(errs, fmt.Errorf("%d answers were lost right after a Save, and %d were given again", r.killsAfterSave, n))
	}
	return errors.Join(errs...)
}
