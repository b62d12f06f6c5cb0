package credential

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func writeOf(writer, n byte) WriteID { return WriteID{0: writer, 7: 1, 8: n} }

// A writer has one place, so that its own saves never push out those of others.
func TestEachWriterHasOnePlace(t *testing.T) {
	var s State
	s.MarkWrite(writeOf(1, 1))
	s.MarkWrite(writeOf(2, 1))
	for n := range byte(100) {
		s.MarkWrite(writeOf(3, n))
	}
	require.Equal(t, []WriteID{writeOf(1, 1), writeOf(2, 1), writeOf(3, 99)}, s.Writes)
	s.MarkWrite(writeOf(1, 2))
	require.Equal(t, []WriteID{writeOf(2, 1), writeOf(3, 99), writeOf(1, 2)}, s.Writes, "the newest is last")
	require.False(t, s.Wrote(writeOf(1, 1)), "the last save of a writer is remembered, and no other")
	require.True(t, s.Wrote(writeOf(1, 2)))
	require.True(t, s.Wrote(writeOf(2, 1)))
	require.False(t, s.Wrote(WriteID{}))
	require.False(t, State{}.Wrote(WriteID{}))
	other := writeOf(2, 1)
	other[7] = 2
	s.MarkWrite(other)
	require.True(t, s.Wrote(writeOf(2, 1)), "all eight bytes name the writer")
}

// A save is forgotten once MaxWrites other writers have saved, and not before.
func TestOldestWriterIsForgotten(t *testing.T) {
	var s State
	s.MarkWrite(writeOf(0, 1))
	for w := range byte(MaxWrites - 1) {
		s.MarkWrite(writeOf(w+1, 1))
		require.True(t, s.Wrote(writeOf(0, 1)), "after %d others", w+1)
	}
	require.Len(t, s.Writes, MaxWrites)
	require.NoError(t, s.Check())
	s.MarkWrite(writeOf(MaxWrites, 1))
	require.False(t, s.Wrote(writeOf(0, 1)))
	require.Len(t, s.Writes, MaxWrites)
	require.True(t, s.Wrote(writeOf(1, 1)))
	require.NoError(t, s.Check())
}

// Marking alters no State that shares its slices with the marked one.
func TestMarkWriteCopies(t *testing.T) {
	s := State{Writes: make([]WriteID, 0, 2*MaxWrites)}
	for w := range byte(3) {
		s.MarkWrite(writeOf(w, 1))
	}
	copied, before := s, s.Clone()
	copied.MarkWrite(writeOf(0, 2))
	require.Equal(t, before, s)
	s.MarkWrite(writeOf(9, 1))
	require.True(t, copied.Wrote(writeOf(0, 2)))
}
