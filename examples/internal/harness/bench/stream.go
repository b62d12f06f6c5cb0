package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"example.com/devicetotp/devicetotp"
)

// stream verifies right codes at a steady rate, whether or not the earlier ones
// have been answered.
type stream struct {
	issuer *devicetotp.Issuer
	codes  *codes
	rate   int
	next   int // account

	mu           sync.Mutex
	took, due    []time.Duration // of the present run
	sent, failed int             // of all runs
	firstFailure error
}

func newStream(issuer *devicetotp.Issuer, rate int) *stream {
	return &stream{issuer: issuer, codes: newCodes(1), rate: rate}
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
		all.Go(func() { s.verify(ctx, account, due) })
	}
	all.Wait()
	return s.lost()
}

func (s *stream) verify(ctx context.Context, account string, due time.Time) {
	asked := time.Now()
	code, err := s.codes.at(asked)
	if err == nil {
		_, err = s.issuer.Verify(ctx, devicetotp.VerifyRequest{AccountID: account, Code: code})
	}
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
		return fmt.Errorf("%d of %d verifications failed: %w", s.failed, s.sent, s.firstFailure)
	}
	return nil
}

func (s *stream) p99() (took, due time.Duration) {
	return quantile(s.took, 0.99), quantile(s.due, 0.99)
}
