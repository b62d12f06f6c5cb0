package verifier_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/verifier"
)

// A code is accepted from the first instant of the step before its own to the
// last instant of the step after it (RFC 6238 section 5.2), and not a
// nanosecond outside of that, whatever the period.
func TestWindowIsOneStepOnEitherSide(t *testing.T) {
	for _, period := range []time.Duration{10 * time.Second, 30 * time.Second, time.Minute, 300 * time.Second} {
		p := rfcTOTP()
		p.Period = period
		step := p.Step(noon)
		start := time.Unix(step*int64(period/time.Second), 0)
		code := codeOf(t, p, step)
		for _, tc := range []struct {
			name  string
			at    time.Time
			drift int64 // of the code, seen from at
			ok    bool
		}{
			{"before the window", start.Add(-period - 1), +2, false},
			{"first instant, code of the next step", start.Add(-period), +1, true},
			{"last instant, code of the next step", start.Add(-1), +1, true},
			{"first instant of its own step", start, 0, true},
			{"last instant of its own step", start.Add(period - 1), 0, true},
			{"first instant, code of the step before", start.Add(period), -1, true},
			{"last instant, code of the step before", start.Add(2*period - 1), -1, true},
			{"after the window", start.Add(2 * period), -2, false},
		} {
			t.Run(period.String()+" "+tc.name, func(t *testing.T) {
				require.Equal(t, step-tc.drift, p.Step(tc.at))
				got, ok, err := p.Match(code, tc.at, 0)
				require.NoError(t, err)
				require.Equal(t, tc.ok, ok)
				if ok {
					require.Equal(t, step, got)
				}
				require.Equal(t, ok && tc.drift <= 0, tc.drift <= 0 && tc.at.Before(p.AcceptedUntil(step)),
					"AcceptedUntil is the end of the window")
			})
		}
	}
}

// Only steps newer than the last accepted one match, so that no code and no
// older code is accepted again.
func TestMatchIsMonotonic(t *testing.T) {
	p := rfcTOTP()
	current := p.Step(noon)
	for offset := int64(-2); offset <= 2; offset++ {
		step := current + offset
		code := codeOf(t, p, step)
		for after := current - 3; after <= current+3; after++ {
			got, ok, err := p.Match(code, noon, after)
			require.NoError(t, err)
			want := offset >= -1 && offset <= 1 && step > after
			require.Equal(t, want, ok, "offset %d, after %d", offset, after-current)
			if ok {
				require.Equal(t, step, got)
			} else {
				require.Zero(t, got)
			}
		}
	}
}

// Around 1970 there is no step 0, and steps before it do not fall together.
func TestStepsBeginAtOne(t *testing.T) {
	p := rfcTOTP()
	for at, want := range map[int64]int64{-31: -2, -30: -1, -1: -1, 0: 0, 29: 0, 30: 1, 59: 1, 60: 2} {
		require.Equal(t, want, p.Step(time.Unix(at, 0)), "at %d", at)
	}
	one := codeOf(t, p, 1)
	for at, want := range map[int64]bool{-1: false, 0: true, 29: true, 30: true, 89: true, 90: false} {
		_, ok, err := p.Match(one, time.Unix(at, 0), -10)
		require.NoError(t, err)
		require.Equal(t, want, ok, "at %d", at)
	}
	_, ok, err := p.Match(secret("755224"), time.Unix(0, 0), -10) // RFC 4226 counter 0
	require.NoError(t, err)
	require.False(t, ok)
}

func TestAcceptedUntilIsTwoPeriodsAfterTheStepBegan(t *testing.T) {
	p := rfcTOTP()
	require.Equal(t, time.Unix(30*(7+2), 0).UTC(), p.AcceptedUntil(7))
	p.Period = 15 * time.Second
	require.Equal(t, time.Unix(15*(7+2), 0).UTC(), p.AcceptedUntil(7))
}

// The zero value is refused by what can return an error and harmless elsewhere.
func TestZeroTOTPIsRefused(t *testing.T) {
	var p verifier.TOTP
	_, err := p.Code(1)
	require.Error(t, err)
	_, ok, err := p.Match(secret("123456"), noon, 0)
	require.Error(t, err)
	require.False(t, ok)
	require.Equal(t, noon.Unix(), p.Step(noon))
	require.Equal(t, time.Unix(3, 0).UTC(), p.AcceptedUntil(1))
}
