package deadline

import (
	"context"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

type deadlineKey struct{}

func attached(parent context.Context, d time.Duration) *Context {
	var c Context
	c.Start(parent, false, time.Now().Add(d))
	return &c
}

func detached(parent context.Context, d time.Duration) *Context {
	var c Context
	c.Start(parent, true, time.Now().Add(d))
	return &c
}

// A deadline is a context like any other, whether its timer was made or not.
func TestDeadlineIsAContext(t *testing.T) {
	parent, cancel := context.WithCancel(context.WithValue(t.Context(), deadlineKey{}, "value"))
	for _, arm := range []bool{false, true} {
		d := attached(parent, time.Hour)
		if arm {
			require.NotNil(t, d.Done())
		}
		at, ok := d.Deadline()
		require.True(t, ok)
		require.WithinDuration(t, time.Now().Add(time.Hour), at, time.Minute)
		require.NoError(t, d.Err())
		require.Equal(t, "value", d.Value(deadlineKey{}))
		require.Nil(t, d.Value("no such key"))
		d.End()
	}
	lasting := attached(parent, time.Hour)
	free := detached(parent, time.Hour)
	waitedFor := detached(parent, time.Hour)
	require.NotNil(t, waitedFor.Done())
	cancel()
	require.ErrorIs(t, lasting.Err(), context.Canceled)
	<-lasting.Done()
	require.ErrorIs(t, context.Cause(lasting), context.Canceled)
	for _, d := range []*Context{free, waitedFor} {
		require.NoError(t, d.Err(), "not the caller's to cancel")
		require.NoError(t, context.Cause(d), "however a store asks")
		require.Equal(t, "value", d.Value(deadlineKey{}))
		d.End()
	}
	lasting.End()
}

func TestDeadlineEndsAfterItsTime(t *testing.T) {
	d := attached(t.Context(), -1)
	require.ErrorIs(t, d.Err(), context.DeadlineExceeded)
	<-d.Done()
	d = attached(t.Context(), time.Millisecond)
	<-d.Done()
	require.ErrorIs(t, d.Err(), context.DeadlineExceeded)

	sooner, cancel := context.WithDeadline(t.Context(), time.Unix(1, 0))
	defer cancel()
	at, _ := attached(sooner, time.Hour).Deadline()
	require.Equal(t, time.Unix(1, 0), at, "the parent's, where that is sooner")
	at, _ = detached(sooner, time.Hour).Deadline()
	require.NotEqual(t, time.Unix(1, 0), at)
}

func TestContextsDerivedFromADeadlineLeaveNoGoroutine(t *testing.T) {
	d := detached(t.Context(), time.Hour)
	before := runtime.NumGoroutine()
	derived, cancel := context.WithCancel(d)
	require.LessOrEqual(t, runtime.NumGoroutine(), before)
	d.End()
	<-derived.Done()
	require.ErrorIs(t, derived.Err(), context.Canceled)
	cancel()
}

// Whoever keeps a context for longer than its call finds it cancelled, as any
// other, whether or not somebody has waited before.
func TestAnEndedDeadlineIsCancelled(t *testing.T) {
	for _, waited := range []bool{false, true} {
		for _, d := range []*Context{attached(t.Context(), time.Hour), detached(t.Context(), time.Hour)} {
			if waited {
				require.NotNil(t, d.Done())
			}
			d.End()
			require.ErrorIs(t, d.Err(), context.Canceled)
			<-d.Done()
			require.ErrorIs(t, context.Cause(d), context.Canceled)
		}
	}
}
