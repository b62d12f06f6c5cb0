package clocktest_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/clock"
	"example.com/devicetotp/clock/clocktest"
)

var _ clock.Clock = (*clocktest.Fake)(nil)

var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// The clock stands still until it is moved, forwards or backwards.
func TestFakeMovesOnlyWhenTold(t *testing.T) {
	c := clocktest.New(noon)
	require.Equal(t, noon, c.Now())
	require.Equal(t, noon, c.Now())
	c.Advance(time.Minute)
	require.Equal(t, noon.Add(time.Minute), c.Now())
	c.Advance(-10 * time.Minute)
	require.Equal(t, noon.Add(-9*time.Minute), c.Now())
	c.Set(noon.Add(-time.Hour))
	require.Equal(t, noon.Add(-time.Hour), c.Now())
	var zero clocktest.Fake
	require.True(t, zero.Now().IsZero())
}

func TestFakeIsSafeForConcurrentUse(t *testing.T) {
	c := clocktest.New(noon)
	var wait sync.WaitGroup
	for range 100 {
		wait.Go(func() { c.Advance(time.Second) })
		wait.Go(func() { _ = c.Now() })
	}
	wait.Wait()
	require.Equal(t, noon.Add(100*time.Second), c.Now())
}

func ExampleFake() {
	c := clocktest.New(time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC))
	c.Advance(5 * time.Minute)
	fmt.Println(c.Now().Format(time.TimeOnly))
	c.Advance(-10 * time.Minute) // as a clock that is set back
	fmt.Println(c.Now().Format(time.TimeOnly))
	// Output:
	// 12:05:00
	// 11:55:00
}

func ExampleFake_Set() {
	c := clocktest.New(time.Unix(0, 0))
	c.Set(time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC))
	fmt.Println(c.Now())
	// Output: 2026-05-04 12:00:00 +0000 UTC
}
