package nilcheck

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestIsNil(t *testing.T) {
	var (
		pointer  *int
		function func()
		mapping  map[string]int
		slice    []int
		channel  chan int
	)
	for _, v := range []any{nil, pointer, function, mapping, slice, channel} {
		require.True(t, IsNil(v), "%T", v)
	}
	for _, v := range []any{0, "", struct{}{}, [1]*int{}, new(int), func() {}, map[string]int{}, []int{}, make(chan int)} {
		require.False(t, IsNil(v), "%T", v)
	}
}
