package verifier_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/verifier"
)

// The waits of the default policy for a PIN: none up to the fourth failure,
// 30 s after the fifth, doubling, blocked at the tenth.
func TestDefaultWaits(t *testing.T) {
	pin := verifier.DefaultAttempts(10)
	for failures, want := range []time.Duration{
		0, 0, 0, 0, 0,
		30 * time.Second, time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute,
	} {
		at := credential.Attempts{Failures: failures, LastAt: noon}
		wait, blocked := pin.Blocked(at, noon)
		require.Equal(t, want, wait, "after %d failures", failures)
		require.Equal(t, want > 0, blocked, "after %d failures", failures)
		if want == 0 {
			continue
		}
		wait, blocked = pin.Blocked(at, noon.Add(want-1))
		require.True(t, blocked, "the last instant of the wait after %d failures", failures)
		require.Equal(t, time.Duration(1), wait)
		wait, blocked = pin.Blocked(at, noon.Add(want))
		require.False(t, blocked, "the first instant after it")
		require.Zero(t, wait)
	}
	for _, failures := range []int{10, 11, 100, 1 << 30} {
		for _, later := range []time.Duration{0, time.Hour, 1e6 * time.Hour} {
			wait, blocked := pin.Blocked(credential.Attempts{Failures: failures, LastAt: noon}, noon.Add(later))
			require.True(t, blocked, "only the host helps after %d failures", failures)
			require.Zero(t, wait)
		}
	}
}

// The wait of a password grows to an hour and no further.
func TestWaitsAreCapped(t *testing.T) {
	password := verifier.DefaultAttempts(100)
	for failures, want := range map[int]time.Duration{
		10: 16 * time.Minute, 11: 32 * time.Minute, 12: time.Hour, 13: time.Hour, 99: time.Hour,
	} {
		wait, blocked := password.Blocked(credential.Attempts{Failures: failures, LastAt: noon}, noon)
		require.True(t, blocked)
		require.Equal(t, want, wait, "after %d failures", failures)
	}
	for _, tc := range []struct {
		backoff, most time.Duration
		want          []time.Duration // after the first failures
	}{
		{10, 10, []time.Duration{10, 10, 10}},
		{10, 15, []time.Duration{10, 15, 15}},
		{10, 20, []time.Duration{10, 20, 20}},
		{10, 21, []time.Duration{10, 20, 21, 21}},
		{10, 40, []time.Duration{10, 20, 40, 40}},
		{10, 1<<63 - 1, []time.Duration{10, 20, 40, 80}},
	} {
		p := verifier.AttemptPolicy{BackoffFrom: 1, Backoff: tc.backoff, MaxBackoff: tc.most, BlockAt: 100}
		require.NoError(t, p.Check())
		for i, want := range tc.want {
			wait, _ := p.Blocked(credential.Attempts{Failures: i + 1, LastAt: noon}, noon)
			require.Equal(t, want, wait, "%v up to %v, failure %d", tc.backoff, tc.most, i+1)
		}
	}
	longest := verifier.AttemptPolicy{BackoffFrom: 1, Backoff: 1 << 40, MaxBackoff: 1<<63 - 1, BlockAt: 100}
	wait, _ := longest.Blocked(credential.Attempts{Failures: 99, LastAt: noon}, noon)
	require.Equal(t, time.Duration(1<<63-1), wait, "doubling does not overflow")
}

// A failure ahead of now is read as now, and one that is further ahead than the
// longest wait counts as no wait: a wait always ends, however wrong the clock
// was that the failure was counted by.
func TestWaitsWithAClockThatWentBack(t *testing.T) {
	p := verifier.DefaultAttempts(10)
	for _, ahead := range []time.Duration{1, 10 * time.Minute, time.Hour} {
		wait, blocked := p.Blocked(credential.Attempts{Failures: 5, LastAt: noon.Add(ahead)}, noon)
		require.True(t, blocked)
		require.Equal(t, 30*time.Second, wait)
	}
	for _, ahead := range []time.Duration{time.Hour + 1, 1e6 * time.Hour} {
		wait, blocked := p.Blocked(credential.Attempts{Failures: 9, LastAt: noon.Add(ahead)}, noon)
		require.False(t, blocked, "ahead by %v", ahead)
		require.Zero(t, wait)
	}
	_, blocked := p.Blocked(credential.Attempts{Failures: 5, LastAt: noon}, time.Time{})
	require.False(t, blocked, "further than a duration reaches")
	_, blocked = p.Blocked(credential.Attempts{Failures: 9}, noon)
	require.False(t, blocked, "the zero time is long ago")
	_, blocked = p.Blocked(credential.Attempts{Failures: 10, LastAt: noon.Add(1e6 * time.Hour)}, noon)
	require.True(t, blocked, "a block is no wait")
}

// A later failure never brings an earlier one back in time, so that the readings
// of two clocks that cross end nobody's wait; what is too far ahead to be true
// is replaced.
func TestFailKeepsTheLaterTime(t *testing.T) {
	p := verifier.DefaultAttempts(10)
	for last, want := range map[time.Duration]time.Duration{
		-time.Hour: 0, 0: 0, 1: 1, time.Minute: time.Minute, time.Hour: time.Hour, time.Hour + 1: 0, 1e6 * time.Hour: 0,
	} {
		after := p.Fail(credential.Attempts{Failures: 3, LastAt: noon.Add(last)}, noon)
		require.Equal(t, noon.Add(want), after.LastAt, "the last failure %v from now", last)
	}
}

func TestFailCountsOne(t *testing.T) {
	p := verifier.DefaultAttempts(10)
	before := credential.Attempts{Failures: 3, LastAt: noon.Add(-time.Hour), Against: "hash"}
	after := p.Fail(before, noon)
	require.Equal(t, credential.Attempts{Failures: 4, LastAt: noon, Against: "hash"}, after)
	require.Equal(t, 3, before.Failures, "the argument is left alone")
	at := credential.Attempts{}
	for i := range 300 {
		at = p.Fail(at, noon)
		require.Equal(t, min(i+1, verifier.MaxFailures), at.Failures)
	}
	_, blocked := verifier.DefaultAttempts(verifier.MaxFailures).Blocked(at, noon.Add(1e6*time.Hour))
	require.True(t, blocked, "counting stops at a number that every policy blocks")
}

func TestAttemptPolicyRules(t *testing.T) {
	good := verifier.DefaultAttempts(10)
	for _, tc := range []struct {
		name  string
		spoil func(*verifier.AttemptPolicy)
		want  string // "" : accepted
	}{
		{"the default", func(*verifier.AttemptPolicy) {}, ""},
		{"BackoffFrom 0", func(p *verifier.AttemptPolicy) { p.BackoffFrom = 0 }, "BackoffFrom is 0, must be at least 1"},
		{"BackoffFrom 1", func(p *verifier.AttemptPolicy) { p.BackoffFrom = 1 }, ""},
		{"Backoff 0", func(p *verifier.AttemptPolicy) { p.Backoff = 0 }, "Backoff is 0s, must be positive"},
		{"Backoff 1 ns", func(p *verifier.AttemptPolicy) { p.Backoff = 1 }, ""},
		{"Backoff negative", func(p *verifier.AttemptPolicy) { p.Backoff = -1 }, "Backoff is -1ns"},
		{"MaxBackoff below Backoff", func(p *verifier.AttemptPolicy) { p.MaxBackoff = p.Backoff - 1 }, "MaxBackoff is 29.9"},
		{"MaxBackoff of Backoff", func(p *verifier.AttemptPolicy) { p.MaxBackoff = p.Backoff }, ""},
		{"BlockAt below BackoffFrom", func(p *verifier.AttemptPolicy) { p.BlockAt = 4 }, "BlockAt is 4, must be from BackoffFrom (5) to 100"},
		{"BlockAt of BackoffFrom", func(p *verifier.AttemptPolicy) { p.BlockAt = 5 }, ""},
		{"BlockAt 100", func(p *verifier.AttemptPolicy) { p.BlockAt = 100 }, ""},
		{"BlockAt 101", func(p *verifier.AttemptPolicy) { p.BlockAt = 101 }, "BlockAt is 101"},
		{"BlockAt 0 and BackoffFrom 0", func(p *verifier.AttemptPolicy) { p.BlockAt, p.BackoffFrom = 0, 0 }, "BlockAt is 0"},
		{"BlockAt 1 and BackoffFrom 1", func(p *verifier.AttemptPolicy) { p.BlockAt, p.BackoffFrom = 1, 1 }, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := good
			tc.spoil(&p)
			if tc.want == "" {
				require.NoError(t, p.Check())
				return
			}
			require.ErrorContains(t, p.Check(), tc.want)
		})
	}
	var broken verifier.FieldErrors
	require.ErrorAs(t, verifier.AttemptPolicy{BackoffFrom: 5, Backoff: 2, MaxBackoff: 1, BlockAt: 4}.Check(), &broken)
	require.Equal(t, verifier.FieldErrors{
		{Field: "MaxBackoff", Rule: "is 1ns, must not be below Backoff (2ns)"},
		{Field: "BlockAt", Rule: "is 4, must be from BackoffFrom (5) to 100"},
	}, broken, "each rule with its field")
	all := verifier.AttemptPolicy{BackoffFrom: -1, Backoff: -2, MaxBackoff: -3, BlockAt: -4}.Check()
	for _, field := range []string{"BackoffFrom is -1", "Backoff is -2ns", "MaxBackoff is -3ns", "BlockAt is -4"} {
		require.ErrorContains(t, all, field, "every mistake at once")
	}
	_, blocked := verifier.AttemptPolicy{}.Blocked(credential.Attempts{}, noon)
	require.True(t, blocked, "the zero policy allows nothing")
}

// A block below the fifth failure is a policy too.
func TestDefaultAttemptsBelowFive(t *testing.T) {
	for blockAt := 1; blockAt <= verifier.MaxFailures; blockAt++ {
		require.NoError(t, verifier.DefaultAttempts(blockAt).Check())
	}
	for _, blockAt := range []int{-1, 0, verifier.MaxFailures + 1} {
		require.Error(t, verifier.DefaultAttempts(blockAt).Check())
	}
	wait, blocked := verifier.DefaultAttempts(3).Blocked(credential.Attempts{Failures: 3, LastAt: noon}, noon.Add(1000*time.Hour))
	require.True(t, blocked)
	require.Zero(t, wait)
	_, blocked = verifier.DefaultAttempts(3).Blocked(credential.Attempts{Failures: 2, LastAt: noon}, noon)
	require.False(t, blocked)
}

// NeverBlock is no number of failures: one may be all, and none is too many.
func TestNeverBlockIsNoNumberOfFailures(t *testing.T) {
	later := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	long := later.Add(-1000 * time.Hour)
	once := verifier.DefaultAttempts(1)
	require.NoError(t, once.Check())
	_, blocked := once.Blocked(credential.Attempts{Failures: 1, LastAt: long}, later)
	require.True(t, blocked)
	never := once
	never.BlockAt = verifier.NeverBlock
	require.NoError(t, never.Check())
	_, blocked = never.Blocked(credential.Attempts{Failures: verifier.MaxFailures, LastAt: long}, later)
	require.False(t, blocked)
}
