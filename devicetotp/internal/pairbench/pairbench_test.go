package pairbench

import (
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
