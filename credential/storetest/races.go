package storetest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"example.com/devicetotp/credential"
)

const (
	racers     = 32   // handles that save one version at once
	counters   = 8    // handles that increment one counter
	increments = 1000 // by all of them together
	rounds     = 4    // races, because a broken store can be lucky

	maxWay = 100 * time.Millisecond // the longest pause of SQLite between two looks at its lock
)

func oneWinner(e env) error {
	handles, id, err := e.handles(racers)
	if err != nil {
		return err
	}
	for range rounds {
		if err := e.race(handles, id); err != nil {
			return err
		}
	}
	return nil
}

// handles opens n handles and makes an account.
func (e env) handles(n int) ([]credential.Store, string, error) {
	handles := make([]credential.Store, n)
	for i := range handles {
		var err error
		if handles[i], err = e.open(); err != nil {
			return nil, "", err
		}
	}
	id, err := e.account()
	return handles, id, err
}

// race lets every handle load the account, and then all save it at once. What
// is stored afterwards must be what the one winner saved.
func (e env) race(handles []credential.Store, id string) error {
	loaded := make([]credential.Account, len(handles))
	for i, s := range handles {
		var err error
		if loaded[i], err = e.load(s, id); err != nil {
			return err
		}
		mark(i + 1)(&loaded[i].State)
		loaded[i].Next = newVersion()
	}
	answers := make([]error, len(handles))
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i, s := range handles {
		wg.Go(func() {
			<-start
			answers[i] = s.Save(e.ctx, loaded[i])
		})
	}
	close(start)
	wg.Wait()

	var winners []int
	for i, err := range answers {
		switch {
		case err == nil:
			winners = append(winners, i)
		case !refused(err):
			return fmt.Errorf("a Save that lost the race: want credential.ErrConflict or credential.ErrSerialization, got: %w", err)
		}
	}
	if len(winners) != 1 {
		return fmt.Errorf("%d of %d racing saves of one version succeeded", len(winners), len(handles))
	}
	want := loaded[winners[0]]
	want.Version = want.Next
	return e.wantStored(handles[0], want, "after the race")
}

func noLostUpdate(e env) error {
	handles, id, err := e.handles(counters)
	if err != nil {
		return err
	}
	answers := make([]error, counters)
	var wg sync.WaitGroup
	for i, s := range handles {
		wg.Go(func() {
			for range increments / counters {
				if answers[i] = e.increment(s, id); answers[i] != nil {
					return
				}
			}
		})
	}
	wg.Wait()
	if err := errors.Join(answers...); err != nil {
		return err
	}
	a, err := e.load(handles[0], id)
	if err != nil {
		return err
	}
	if a.State.OTP.Failures != increments {
		return fmt.Errorf("after %d increments the counter is %d", increments, a.State.OTP.Failures)
	}
	return nil
}

// refused reports whether err promises that nothing has happened, so that a race
// may go on.
func refused(err error) bool {
	return errors.Is(err, credential.ErrConflict) || errors.Is(err, credential.ErrSerialization)
}

// increment does what the library does: load, decide, save, and again after a
// conflict, with a pause of random length that grows. After a save it makes way:
// a store whose handles poll for a lock, as SQLite's do, would give it to the
// same handle again and again, and on a slow disk the others would run out of
// their patience.
func (e env) increment(s credential.Store, id string) error {
	for pause := time.Millisecond; ; pause = min(2*pause, 32*time.Millisecond) {
		started := time.Now()
		a, err := e.load(s, id)
		if err == nil {
			a.State.OTP.Failures++
			a.Next = newVersion()
			started = time.Now()
			err = s.Save(e.ctx, a)
		}
		if err == nil {
			return wait(e.ctx, rand.N(1+min(counters*time.Since(started), maxWay)))
		}
		if !refused(err) {
			return fmt.Errorf("want nil, credential.ErrConflict or credential.ErrSerialization, got: %w", err)
		}
		if err := wait(e.ctx, rand.N(pause)); err != nil {
			return err
		}
	}
}

func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func cancelled(e env) error {
	ctx, cancel := context.WithCancel(e.ctx)
	cancel()
	return e.endedContext(ctx, context.Canceled)
}

func deadline(e env) error {
	ctx, cancel := context.WithDeadline(e.ctx, time.Now().Add(-time.Second))
	defer cancel()
	return e.endedContext(ctx, context.DeadlineExceeded)
}

func (e env) endedContext(ctx context.Context, want error) error {
	s, a, err := e.loaded()
	if err != nil {
		return err
	}
	if _, err := s.Load(ctx, a.ID); !errors.Is(err, want) {
		return fmt.Errorf("Load: want an error that wraps %q, got: %w", want, orNil(err))
	}
	changed := a
	mark(1)(&changed.State)
	changed.Next = newVersion()
	if err := s.Save(ctx, changed); !errors.Is(err, want) {
		return fmt.Errorf("Save: want an error that wraps %q, got: %w", want, orNil(err))
	}
	return e.wantStored(s, a, "after a Save whose context had ended")
}

// orNil makes a missing error printable.
func orNil(err error) error {
	if err == nil {
		return errors.New("no error")
	}
	return err
}
