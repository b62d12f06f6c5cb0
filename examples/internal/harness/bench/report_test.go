package main

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAGoalIsMetAtItsLimit(t *testing.T) {
	for _, c := range []struct {
		goal goal
		met  bool
	}{
		{goal{have: 0.85, atLeast: true, want: 0.85}, true},
		{goal{have: 0.8499, atLeast: true, want: 0.85}, false},
		{goal{have: 3, want: 3}, true},
		{goal{have: 3.01, want: 3}, false},
	} {
		require.Equal(t, c.met, c.goal.met(), "%+v", c.goal)
	}
}

func TestAMissedGoalSaysWhoElseMissesIt(t *testing.T) {
	require.Empty(t, alsoMissed(0.9))
	missed := goal{have: 0.8, atLeast: true, want: 0.9, but: alsoMissed(0.8349)}
	require.Equal(t, "**missed**, as by the bare loop: 0.83", missed.verdict())
	missed.have = 0.9
	require.Equal(t, "met", missed.verdict())
}

func TestATableIsMarkdown(t *testing.T) {
	var out bytes.Buffer
	b := &bench{out: &out}
	b.table([][]string{{"a", "long heading"}, append([]string{"value"}, "x"), {"short"}})
	require.Equal(t, ""+
		"| a     | long heading |\n"+
		"|-------|--------------|\n"+
		"| value | x            |\n"+
		"| short |              |\n", out.String())
}

func TestQuantilesAndMediansAreOfTheSample(t *testing.T) {
	var hundred []time.Duration
	for i := range 100 {
		hundred = append(hundred, time.Duration(100-i))
	}
	require.Equal(t, time.Duration(99), quantile(hundred, 0.99))
	require.Equal(t, time.Duration(50), quantile(hundred, 0.5))
	require.Equal(t, time.Duration(100), quantile(hundred, 1))
	require.Zero(t, quantile(nil, 0.5))
	require.InDelta(t, 2, medianOf([]float64{3, 1, 2}), 0)
	require.InDelta(t, 2.5, medianOf([]float64{4, 1, 2, 3}), 0)
	require.InDelta(t, 0.5, ratio([]float64{10, 50, 30}, []float64{20, 50, 90}), 0.2)
}

func TestWholeNumbersAreGrouped(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567"} {
		require.Equal(t, want, count(n))
	}
}

func TestEachSideIsFirstInTurn(t *testing.T) {
	var order []string
	var to []float64
	run := func(name string) side {
		return side{&to, func() (float64, error) { order = append(order, name); return 1, nil }}
	}
	for round := range 3 {
		require.NoError(t, takeTurns([]side{run("a"), run("b"), run("c")}, round))
	}
	require.Equal(t, []string{"a", "b", "c", "b", "c", "a", "c", "a", "b"}, order)
	require.Len(t, to, 9)
}

func TestListsOfCoresAreExpanded(t *testing.T) {
	require.Equal(t, []string{"0", "1", "2", "5"}, expand("0-2,5"))
	require.Equal(t, []string{"3"}, expand("3"))
	require.Empty(t, expand(""))
}
