package verifier

import (
	"errors"
	"fmt"
	"time"

	"example.com/devicetotp/credential"
)

// MaxFailures is the most failures in a row that a policy may allow (NIST SP
// 800-63B-4 section 3.2.2).
const MaxFailures = 100

// AttemptPolicy says how failures in a row slow down and then block a factor.
// It is pure: functions of the counter and the time.
type AttemptPolicy struct {
	// BackoffFrom is the failure from which on the next attempt must wait; at
	// least 1.
	BackoffFrom int
	// Backoff is the wait after that failure, more than 0. It doubles with each
	// further one.
	Backoff time.Duration
	// MaxBackoff is the longest wait, at least Backoff.
	MaxBackoff time.Duration
	// BlockAt is the failure that blocks the factor until the host unblocks it
	// or the stored hash changes; from BackoffFrom to [MaxFailures].
	BlockAt int
}

// DefaultAttempts waits 30 s after the fifth failure, twice as long after each
// further one, at most an hour, and blocks at blockAt: from 1 to [MaxFailures].
// Below five it blocks without a wait before.
func DefaultAttempts(blockAt int) AttemptPolicy {
	return AttemptPolicy{BackoffFrom: min(5, blockAt), Backoff: 30 * time.Second, MaxBackoff: time.Hour, BlockAt: blockAt}
}

// Check returns every broken rule, joined.
func (p AttemptPolicy) Check() error {
	var broken []error
	if p.BackoffFrom < 1 {
		broken = append(broken, fmt.Errorf("BackoffFrom is %d, must be at least 1", p.BackoffFrom))
	}
	if p.Backoff <= 0 {
		broken = append(broken, fmt.Errorf("Backoff is %v, must be positive", p.Backoff))
	}
	if p.MaxBackoff < p.Backoff {
		broken = append(broken, fmt.Errorf("MaxBackoff is %v, must not be below Backoff (%v)", p.MaxBackoff, p.Backoff))
	}
	if p.BlockAt < p.BackoffFrom || p.BlockAt < 1 || p.BlockAt > MaxFailures {
		broken = append(broken, fmt.Errorf("BlockAt is %d, must be from BackoffFrom (%d) to %d",
			p.BlockAt, p.BackoffFrom, MaxFailures))
	}
	return errors.Join(broken...)
}

// Blocked tells whether the next attempt is refused without being looked at,
// and for how long yet. A wait of 0 with blocked means that only the host or a
// new hash can help. A clock that stands before the last failure counts as no
// time passed; a caller that saves the counter should bring LastAt back to now,
// or the wait begins only when the clock has caught up.
func (p AttemptPolicy) Blocked(a credential.Attempts, now time.Time) (wait time.Duration, blocked bool) {
	switch {
	case a.Failures >= p.BlockAt:
		return 0, true
	case a.Failures < p.BackoffFrom:
		return 0, false
	}
	wait = p.delay(a.Failures) - max(0, now.Sub(a.LastAt))
	if wait <= 0 {
		return 0, false
	}
	return wait, true
}

// delay is the wait after that many failures in a row.
func (p AttemptPolicy) delay(failures int) time.Duration {
	d := p.Backoff
	for range failures - p.BackoffFrom {
		if d > p.MaxBackoff/2 {
			return p.MaxBackoff
		}
		d *= 2
	}
	return min(d, p.MaxBackoff)
}

// Fail returns a with one more failure at now.
func (p AttemptPolicy) Fail(a credential.Attempts, now time.Time) credential.Attempts {
	a.Failures = min(a.Failures+1, MaxFailures)
	a.LastAt = now
	return a
}
