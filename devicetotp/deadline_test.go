package devicetotp

import (
	"context"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

type deadlineKey struct{}

func newDeadline(parent context.Context, d time.Duration) *deadline {
	return &deadline{parent: parent, at: time.Now().Add(d)}
}

func newDetached(parent context.Context, d time.Duration) *deadline {
	return &deadline{parent: parent, at: time.Now().Add(d), detached: true}
}

// A deadline is a context like any other, whether its timer was made or not.
func TestDeadlineIsAContext(t *testing.T) {
	parent, cancel := context.WithCancel(context.WithValue(t.Context(), deadlineKey{}, "value"))
	for _, arm := range []bool{false, true} {
		d := newDeadline(parent, time.Hour)
		if arm {
			require.NotNil(t, d.Done())
		}
		at, ok := d.Deadline()
		require.True(t, ok)
		require.WithinDuration(t, time.Now().Add(time.Hour), at, time.Minute)
		require.NoError(t, d.Err())
		require.Equal(t, "value", d.Value(deadlineKey{}))
		require.Nil(t, d.Value("no such key"))
		d.end()
	}
	lasting := newDeadline(parent, time.Hour)
	detached := newDetached(parent, time.Hour)
	waitedFor := newDetached(parent, time.Hour)
	require.NotNil(t, waitedFor.Done())
	cancel()
	require.ErrorIs(t, lasting.Err(), context.Canceled)
	<-lasting.Done()
	require.ErrorIs(t, context.Cause(lasting), context.Canceled)
	for _, d := range []*deadline{detached, waitedFor} {
		require.NoError(t, d.Err(), "not the caller's to cancel")
		require.NoError(t, context.Cause(d), "however a store asks")
		require.Equal(t, "value", d.Value(deadlineKey{}))
		d.end()
	}
	lasting.end()
}

func TestDeadlineEndsAfterItsTime(t *testing.T) {
	d := newDeadline(t.Context(), -1)
	require.ErrorIs(t, d.Err(), context.DeadlineExceeded)
	<-d.Done()
	d = newDeadline(t.Context(), time.Millisecond)
	<-d.Done()
	require.ErrorIs(t, d.Err(), context.DeadlineExceeded)

	sooner, cancel := context.WithDeadline(t.Context(), time.Unix(1, 0))
	defer cancel()
	at, _ := newDeadline(sooner, time.Hour).Deadline()
	require.Equal(t, time.Unix(1, 0), at, "the parent's, where that is sooner")
	at, _ = newDetached(sooner, time.Hour).Deadline()
	require.NotEqual(t, time.Unix(1, 0), at)
}

func TestContextsDerivedFromADeadlineLeaveNoGoroutine(t *testing.T) {
	d := newDetached(t.Context(), time.Hour)
	before := runtime.NumGoroutine()
	derived, cancel := context.WithCancel(d)
	require.LessOrEqual(t, runtime.NumGoroutine(), before)
	d.end()
	<-derived.Done()
	require.ErrorIs(t, derived.Err(), context.Canceled)
	cancel()
}
