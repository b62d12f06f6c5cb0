package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"example.com/devicetotp/devicetotp"
)

// stream makes requests at a steady rate, whether or not the earlier ones have been
// answered. Each is for another account.
type stream struct {
	do   func(ctx context.Context, accountID string) error
	rate int
	next int // account

	mu           sync.Mutex
	took, due    []time.Duration // of the present run
	sent, failed int             // of all runs
	firstFailure error
}

// verifyingNow returns requests with a right code of the present.
func verifyingNow(issuer *devicetotp.Issuer) func(ctx context.Context, accountID string) error {
	made := newCodes(1)
	return func(ctx context.Context, accountID string) error {
		code, err := made.at(time.Now())
		if err == nil {
			_, err = issuer.Verify(ctx, devicetotp.VerifyRequest{AccountID: accountID, Code: code})
		}
		return err
	}
}

// run goes on for so long, or until ended is closed if that is given.
func (s *stream) run(ctx context.Context, long time.Duration, ended <-chan struct{}) error {
	s.took, s.due = nil, nil
	var all sync.WaitGroup
	started := time.Now()
	for n := 0; ; n++ {
		due := started.Add(time.Duration(n) * time.Second / time.Duration(s.rate))
		time.Sleep(time.Until(due))
		if ended == nil && time.Since(started) >= long {
			break
		}
		select {
		case <-ended:
			all.Wait()
			return s.lost()
		default:
		}
		account := accountID(s.next)
		s.next++
		all.Go(func() { s.request(ctx, account, due) })
	}
	all.Wait()
	return s.lost()
}

func (s *stream) request(ctx context.Context, account string, due time.Time) {
	asked := time.Now()
	err := s.do(ctx, account)
	answered := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent++
	s.took, s.due = append(s.took, answered.Sub(asked)), append(s.due, answered.Sub(due))
	if err != nil {
		s.failed++
		s.firstFailure = err
	}
}

// lost returns an error if a request of the stream failed or was never made.
func (s *stream) lost() error {
	if s.failed > 0 {
		return fmt.Errorf("%d of %d requests of the stream failed: %w", s.failed, s.sent, s.firstFailure)
	}
	return nil
}

func (s *stream) p99() (took, due time.Duration) {
	return quantile(s.took, 0.99), quantile(s.due, 0.99)
}
