package pairbench

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var sink []byte

func TestBothSidesTakeTheSameTurns(t *testing.T) {
	var before, ours, peer int
	got := testing.Benchmark(Pair{
		Calls: 10, Before: func() { before++ }, Ours: func() { ours++ }, Peer: func() { peer++; sink = make([]byte, 100) },
	}.Run)
	require.Equal(t, ours, peer)
	require.GreaterOrEqual(t, ours, 10*(before-1), "ten calls a turn, and some for counting allocations")
	require.Positive(t, got.Extra["ours-ns"])
	require.Positive(t, got.Extra["peer-ns"])
	require.Zero(t, got.Extra["ours-allocs"])
	require.EqualValues(t, 1, got.Extra["peer-allocs"])
}

// The order of a round is turned round in the next, and what is made ready for ours
// is always made right before it.
func TestNoSideIsAlwaysFirst(t *testing.T) {
	var order []byte
	testing.Benchmark(Pair{
		Calls:  1,
		Before: func() { order = append(order, 'b') },
		Ours:   func() { order = append(order, 'o') },
		Peer:   func() { order = append(order, 'p') },
	}.Run)
	require.True(t, strings.HasPrefix(string(order), "bop"+"pbo"+"bop"+"pbo"), "%.20s", order)
}
