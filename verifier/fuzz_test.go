package verifier_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
)

// What matches is exactly the code of the step that is told, within the window,
// newer than the last one, and in the one form of a code.
func FuzzMatch(f *testing.F) {
	f.Add("287082", int64(59), int64(0), 6, int64(30))
	f.Add("287082 ", int64(59), int64(0), 6, int64(30))
	f.Add("07081804", int64(1111111109), int64(37037035), 8, int64(30))
	f.Add("２８７０８２", int64(59), int64(0), 6, int64(30))
	f.Add("000000", int64(-1), int64(-1<<63), 7, int64(120))
	f.Add("755224", int64(0), int64(-1), 6, int64(15))
	f.Fuzz(func(t *testing.T, code string, unix, after int64, digits int, seconds int64) {
		p := rfcTOTP()
		p.Digits = digits
		p.Period = time.Duration(seconds%400) * time.Second
		now := time.Unix(unix%(1<<40), 0)
		step, ok, err := p.Match(secret(code), now, after)
		if digits < 6 || digits > 10 || p.Period < 10*time.Second || p.Period > 300*time.Second {
			require.Error(t, err)
			require.False(t, ok)
			return
		}
		require.NoError(t, err)
		if !ok {
			require.Zero(t, step)
			return
		}
		require.Len(t, code, digits)
		require.True(t, credential.IsCode(secret(code)))
		require.Greater(t, step, after)
		require.Positive(t, step)
		require.InDelta(t, p.Step(now), step, 1)
		require.True(t, now.Before(p.AcceptedUntil(step)))
		require.Equal(t, code, codeOf(t, p, step).Reveal())
	})
}
