package jsonapi

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential/drawtest"
)

// The layout of an xid: 4 bytes of seconds, 5 of the process, 3 of a counter;
// with the id that the format's own documentation has as its example.
func TestXIDLayout(t *testing.T) {
	s := &xidSource{process: [5]byte{0x60, 0xf4, 0x86, 0xe4, 0x28}}
	s.counter.Store(0x412dc8)
	require.Equal(t, "9m4e2mr0ui3e8a215n4g", s.next(time.Unix(0x4d88e15b, 0)))
}

// The process and where its counter begins are drawn.
func TestXIDsOfAnotherProcessDiffer(t *testing.T) {
	require.NoError(t, drawtest.Bits(9, 0, func() ([]byte, error) {
		s := newXIDSource()
		return binary.BigEndian.AppendUint32(s.process[:], s.counter.Load()), nil
	}))
}

func TestXIDCounterWraps(t *testing.T) {
	s := &xidSource{process: [5]byte{1, 2, 3, 4, 5}}
	s.counter.Store(0xffffffff)
	raw, err := xidEncoding.DecodeString(s.next(time.Unix(0x01020304, 0)))
	require.NoError(t, err)
	require.Equal(t, []byte{1, 2, 3, 4, 1, 2, 3, 4, 5, 0, 0, 0}, raw)
}

func TestXIDsSortByTime(t *testing.T) {
	s := newXIDSource()
	require.Less(t, s.next(time.Unix(1_700_000_000, 0)), s.next(time.Unix(1_700_000_001, 0)))
}
