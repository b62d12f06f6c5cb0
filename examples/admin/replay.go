package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/examples/operations"
)

// A replaying is one replay: what it has seen so far, and what is left for the end.
type replaying struct {
	*admin
	o       options
	locks   map[string]bool // at the end: a locked account refuses some of the rest
	moved   map[string]bool // the new ids
	said    map[string]bool
	refused int

	before, between, later int // how many Events, by their time
	firstLater             time.Time
}

// replay repeats what was logged between the backup and its return.
func replay(ctx context.Context, a *admin, o options) error {
	in := io.Reader(os.Stdin)
	if o.args[0] != "-" {
		file, err := os.Open(o.args[0])
		if err != nil {
			return err
		}
		defer file.Close()
		in = file
	}
	r := &replaying{admin: a, o: o, locks: map[string]bool{}, moved: map[string]bool{}, said: map[string]bool{}}
	lines := bufio.NewReader(in)
	for number := 1; ; number++ {
		line, readErr := lines.ReadBytes('\n')
		if err := ctx.Err(); err != nil {
			return err
		}
		if line = bytes.TrimSpace(line); len(line) > 0 {
			if err := r.line(ctx, line); err != nil && !isRefusal(err) {
				return fmt.Errorf("line %d: %w", number, err)
			} else if err != nil {
				r.refused++
				fmt.Fprintf(a.out, "line %d: %v\n", number, err)
			}
		}
		if errors.Is(readErr, io.EOF) {
			return r.end(ctx)
		}
		if readErr != nil {
			return readErr
		}
	}
}

func (r *replaying) line(ctx context.Context, line []byte) error {
	e, ok, err := operations.Logged(line)
	if err != nil {
		return fmt.Errorf("%w: %w", errRefused, err)
	}
	if !ok {
		return nil
	}
	if err := hasTime(e); err != nil {
		return err
	}
	if !r.isBetween(e.At) {
		if _, known := r.locks[e.AccountID]; known && !e.At.Before(r.o.restored) {
			r.noteLock(e) // a second run must not undo it
		}
		return nil
	}
	if err := canRepeat(e); err != nil {
		return err
	}
	if e.Code == devicetotp.CodeUnavailable && spends(e.Op) {
		r.say("to be checked, because a request ended as unavailable", e.AccountID)
	}
	err = r.repeat(ctx, e, line)
	var internal *devicetotp.Error
	switch {
	case errors.Is(err, credential.ErrNotFound): // it registered since, or is deleted again
		return nil
	case errors.As(err, &internal) && internal.Code == devicetotp.CodeInternal: // of this account, and of no other
		return fmt.Errorf("%w: account %q: %w", errRefused, e.AccountID, err)
	}
	return err
}

// isBetween reports whether an Event is from between the backup and its return. It
// also counts the Event, because with a wrong time nothing is repeated and nobody
// would notice.
func (r *replaying) isBetween(at time.Time) bool {
	switch {
	case at.Before(r.o.backedUp):
		r.before++
		return false
	case at.Before(r.o.restored):
		r.between++
		return true
	}
	if r.later++; r.firstLater.IsZero() {
		r.firstLater = at
	}
	return false
}

func (r *replaying) repeat(ctx context.Context, e devicetotp.Event, line []byte) error {
	if len(e.RotationsConfirmed) > 0 { // whatever became of the request
		r.say("to be set up again", e.AccountID)
	}
	if e.Code == "" {
		switch e.Op {
		case opLock, opUnlock:
			r.noteLock(e)
			return nil
		case opDelete:
			_, err := r.store.Delete(ctx, e.AccountID)
			return err
		case opRenameAccount:
			return r.move(ctx, e.AccountID, line)
		case devicetotp.OpCreate, devicetotp.OpImport, devicetotp.OpRotate:
			r.say("to be set up again", e.AccountID)
		}
	}
	newCodes, err := operations.Again(ctx, r.issuer, r.o.restored, e)
	if locked, known := r.locks[e.AccountID]; known && !locked && devicetotp.CodeOf(err) == devicetotp.CodeAccountLocked {
		if err = r.store.SetLocked(ctx, e.AccountID, false); err == nil { // it was locked when it was backed up
			newCodes, err = operations.Again(ctx, r.issuer, r.o.restored, e)
		}
	}
	if newCodes {
		r.say("needs new recovery codes", e.AccountID)
	}
	return err
}

// move moves an account, with its lock. Inspect comes first, because an account that
// cannot be read must not end the replay.
func (r *replaying) move(ctx context.Context, from string, line []byte) error {
	var l struct{ To string }
	if err := json.Unmarshal(line, &l); err != nil {
		return fmt.Errorf("%w: %w", errRefused, err)
	}
	_, err := r.issuer.Inspect(ctx, from)
	if err == nil {
		_, err = operations.Move(ctx, r.store, r.keys, from, l.To)
	}
	if err != nil && !errors.Is(err, credential.ErrNotFound) {
		return err
	}
	r.moved[l.To] = true // by this run or an earlier one
	if locked, known := r.locks[from]; known {
		delete(r.locks, from)
		r.locks[l.To] = locked
	}
	return err
}

func (r *replaying) noteLock(e devicetotp.Event) {
	if e.Code == "" && (e.Op == opLock || e.Op == opUnlock) {
		r.locks[e.AccountID] = e.Op == opLock
	}
}

// say says something of an account once, however many Events say it.
func (r *replaying) say(what, account string) {
	text := fmt.Sprintf("%s: %q\n", what, account)
	if !r.said[text] {
		r.said[text] = true
		fmt.Fprint(r.out, text)
	}
}

// end locks and unlocks, and says how many Events were repeated. A move locks an
// account, and so nobody knows of one that is locked whether it was before a run that
// ended within its move.
func (r *replaying) end(ctx context.Context) error {
	for id, locked := range r.locks {
		if err := r.store.SetLocked(ctx, id, locked); err != nil && !errors.Is(err, credential.ErrNotFound) {
			return err
		}
	}
	for id := range r.moved {
		if _, known := r.locks[id]; known {
			continue
		}
		a, err := r.store.Load(ctx, id)
		if err != nil && !errors.Is(err, credential.ErrNotFound) {
			return err
		}
		if a.Locked {
			r.say("is locked, perhaps by a replay that was interrupted", id)
		}
	}
	fmt.Fprintf(r.out, "%d Events between the two times; left out: %d before", r.between, r.before)
	if r.later > 0 {
		fmt.Fprintf(r.out, " and %d after, the first at %s", r.later, r.firstLater.Format(time.RFC3339))
	}
	fmt.Fprintln(r.out)
	if r.refused > 0 {
		return fmt.Errorf("%w: %d lines, which are named", errRefused, r.refused)
	}
	return nil
}
