package credential

import (
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential/drawtest"
)

// What makes the marks of a process mean nothing elsewhere is drawn whole.
func TestTheKeyOfMarksIsRandom(t *testing.T) {
	require.NoError(t, drawtest.Bits(len(markKey), 0, func() ([]byte, error) {
		key := newMarkKey()
		return key[:], nil
	}))
}
