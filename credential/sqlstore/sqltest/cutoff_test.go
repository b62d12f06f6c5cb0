package sqltest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/sqlstore/sqltest/pgtest"
)

// cutOff is a store whose Saves wait for a standby that is away and are cut off
// at their deadline; but not before the server has carried them out, however
// slow it is. Each returns when the primary shows its row.
type cutOff struct {
	credential.Store
	seen      credential.Store // over other connections
	pair      *pgtest.Pair
	comesBack bool // after the first Save that was cut off

	cut int
	err error // what went wrong with all this
}

// Load takes its time: the deadline of Save alone is what this is about.
func (s *cutOff) Load(ctx context.Context, id string) (credential.Account, error) {
	return s.Store.Load(context.WithoutCancel(ctx), id)
}

func (s *cutOff) Save(ctx context.Context, a credential.Account) error {
	patient := context.WithoutCancel(ctx)
	if s.comesBack && s.cut > 0 {
		return s.Store.Save(patient, a)
	}
	saving, cut := context.WithCancel(patient)
	defer cut()
	answered, done := context.WithCancel(patient)
	var err error
	go func() {
		defer done()
		err = s.Store.Save(saving, a)
	}()
	<-ctx.Done()
	if waits := s.pair.Primary.WaitForCommit(answered); waits != nil {
		<-answered.Done()
		s.fail(fmt.Errorf("a Save that does not wait for the standby returned %w: %w", err, waits))
		return err
	}
	cut()
	<-answered.Done()
	s.cut++
	s.fail(s.untilSeen(patient, a))
	if s.comesBack {
		s.fail(s.pair.Standby.ResumeReceiver())
		s.fail(s.pair.CatchUp(patient))
	}
	return err
}

// untilSeen returns when the primary shows that the account was saved.
func (s *cutOff) untilSeen(ctx context.Context, saved credential.Account) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		a, err := s.seen.Load(ctx, saved.ID)
		if err == nil && a.Version != saved.Version {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the row of a Save that was cut off is not seen: %w", errors.Join(ctx.Err(), err))
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func (s *cutOff) fail(err error) { s.err = errors.Join(s.err, err) }

// held is a store whose Save waits until it is released.
type held struct {
	credential.Store
	reached, release chan struct{}
}

func (s *held) Load(ctx context.Context, id string) (credential.Account, error) {
	return s.Store.Load(context.WithoutCancel(ctx), id)
}

func (s *held) Save(ctx context.Context, a credential.Account) error {
	select {
	case <-s.release: // not the first time
	case s.reached <- struct{}{}:
		<-s.release
	}
	return s.Store.Save(context.WithoutCancel(ctx), a)
}
