package clock_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/clock"
)

func TestFuncIsAskedEveryTime(t *testing.T) {
	at := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	c := clock.Func(func() time.Time { at = at.Add(time.Second); return at })
	require.Equal(t, time.Second, c.Now().Sub(c.Now()).Abs())
}

// The system's clock lies between two readings of the time around it.
func TestSystemTellsTheTime(t *testing.T) {
	before := time.Now()
	now := clock.System().Now()
	after := time.Now()
	require.False(t, now.Before(before))
	require.False(t, now.After(after))
}

// A host with a time service of its own wraps a function.
func ExampleFunc() {
	var c clock.Clock = clock.Func(func() time.Time { return time.Unix(1111111111, 0).UTC() })
	fmt.Println(c.Now())
	// Output: 2005-03-18 01:58:31 +0000 UTC
}

func ExampleSystem() {
	fmt.Println(clock.System().Now().IsZero())
	// Output: false
}
