package verifier

import (
	"fmt"
	"strings"
	"time"

	"example.com/devicetotp/credential"
)

// NeverBlock is the BlockAt of a policy that slows down and never blocks.
const NeverBlock = -1

// MaxFailures is the most failures in a row that a policy may allow (NIST SP
// 800-63B-4 section 3.2.2).
const MaxFailures = 100

// AttemptPolicy says how failures in a row slow down and then block a factor.
// Its methods are pure functions of the counter and the time.
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
	// or the stored hash changes; from BackoffFrom to [MaxFailures], or
	// [NeverBlock].
	BlockAt int
}

// DefaultAttempts waits 30 s after the fifth failure, twice as long after each
// further one, at most an hour, and blocks at blockAt: from 1 to [MaxFailures].
// If blockAt is below five, the factor is blocked without any wait before.
func DefaultAttempts(blockAt int) AttemptPolicy {
	return AttemptPolicy{BackoffFrom: min(5, blockAt), Backoff: 30 * time.Second, MaxBackoff: time.Hour, BlockAt: blockAt}
}

// Check returns nil, or every broken rule as [FieldErrors].
func (p AttemptPolicy) Check() error {
	var broken FieldErrors
	check := func(ok bool, field, rule string, args ...any) {
		if !ok {
			broken = append(broken, FieldError{Field: field, Rule: fmt.Sprintf(rule, args...)})
		}
	}
	check(p.BackoffFrom >= 1, "BackoffFrom", "is %d, must be at least 1", p.BackoffFrom)
	check(p.Backoff > 0, "Backoff", "is %v, must be positive", p.Backoff)
	check(p.MaxBackoff >= p.Backoff, "MaxBackoff", "is %v, must not be below Backoff (%v)", p.MaxBackoff, p.Backoff)
	check(p.BlockAt == NeverBlock || p.BlockAt >= max(1, p.BackoffFrom) && p.BlockAt <= MaxFailures,
		"BlockAt", "is %d, must be from BackoffFrom (%d) to %d", p.BlockAt, p.BackoffFrom, MaxFailures)
	if broken == nil {
		return nil
	}
	return broken
}

// FieldErrors are the broken rules of a configuration, in the order of its fields.
type FieldErrors []FieldError

// FieldError is one broken rule: the name of the field, and what is wrong with
// its value.
type FieldError struct{ Field, Rule string }

// Error returns one line for each broken rule.
func (e FieldErrors) Error() string {
	lines := make([]string, len(e))
	for i, broken := range e {
		lines[i] = broken.Field + " " + broken.Rule
	}
	return strings.Join(lines, "\n")
}

// Blocked reports whether the next attempt is refused without being checked,
// and for how much longer. A wait of 0 with blocked means that only the host or
// a new hash can help.
//
// A last failure ahead of now is read as now. One that is further ahead than
// MaxBackoff was counted by a clock that was wrong, and counts as no wait, so
// that a wait always ends.
func (p AttemptPolicy) Blocked(a credential.Attempts, now time.Time) (wait time.Duration, blocked bool) {
	switch {
	case p.BlockAt != NeverBlock && a.Failures >= p.BlockAt:
		return 0, true
	case a.Failures < p.BackoffFrom || p.untrue(a, now):
		return 0, false
	}
	wait = p.delay(a.Failures) - max(0, now.Sub(a.LastAt))
	if wait <= 0 {
		return 0, false
	}
	return wait, true
}

// untrue reports whether the last failure is too far ahead of now to be true.
func (p AttemptPolicy) untrue(a credential.Attempts, now time.Time) bool {
	return a.LastAt.Sub(now) > p.MaxBackoff
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

// Fail returns a with one more failure at now. The later time is kept if the last
// failure is ahead of now, unless it is further ahead than MaxBackoff.
func (p AttemptPolicy) Fail(a credential.Attempts, now time.Time) credential.Attempts {
	a.Failures = min(a.Failures+1, MaxFailures)
	if now.After(a.LastAt) || p.untrue(a, now) {
		a.LastAt = now
	}
	return a
}
