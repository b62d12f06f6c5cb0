package drawtest_test

import (
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential/drawtest"
)

const size = 20

func TestBitsFindsWhatIsNotDrawn(t *testing.T) {
	for name, spoil := range map[string]func(b []byte) []byte{
		"as it is":       func(b []byte) []byte { return b },
		"4 bytes only":   func(b []byte) []byte { clear(b[4:]); return b },
		"all but a byte": func(b []byte) []byte { b[size-1] = 7; return b },
		"all but a bit":  func(b []byte) []byte { b[9] |= 1; return b },
		"4 bytes, repeated": func(b []byte) []byte {
			return append(append(append(append(b[:4:4], b[:4]...), b[:4]...), b[:4]...), b[:4]...)
		},
		"the last is a copy":  func(b []byte) []byte { b[size-1] = b[0]; return b },
		"the last is not one": func(b []byte) []byte { b[size-1] = ^b[0]; return b },
		"a byte too few":      func(b []byte) []byte { return b[1:] },
	} {
		err := drawtest.Bits(size, 0, func() ([]byte, error) {
			b := make([]byte, size)
			_, err := rand.Read(b)
			return spoil(b), err
		})
		require.Equal(t, name == "as it is", err == nil, "%s: %v", name, err)
	}
	boom := errors.New("boom")
	require.ErrorIs(t, drawtest.Bits(size, 0, func() ([]byte, error) { return nil, boom }), boom)
}

// A source that gives a secret twice gives two devices one secret, although every bit
// of it varies.
func TestBitsFindsWhatIsDrawnTwice(t *testing.T) {
	for _, size := range []int{8, size} {
		for _, first := range []int{0, 1, 31, 62} {
			drawn := make([][]byte, 64)
			for i := range drawn {
				drawn[i] = make([]byte, size)
				_, _ = rand.Read(drawn[i])
			}
			drawn[63] = drawn[first]
			next := 0
			err := drawtest.Bits(size, 0, func() ([]byte, error) {
				next++
				return drawn[next-1], nil
			})
			require.ErrorContains(t, err, fmt.Sprintf("draw 64 is draw %d again", first+1), "%d bytes", size)
		}
	}
	for range 20 { // so few bits that they come again by chance
		err := drawtest.Bits(1, 0, func() ([]byte, error) {
			b := make([]byte, 1)
			_, err := rand.Read(b)
			return b, err
		})
		require.NoError(t, err)
	}
}

func TestBitsCountsWhatIsFixed(t *testing.T) {
	draw := func() ([]byte, error) {
		b := make([]byte, size)
		_, err := rand.Read(b)
		b[3] = b[3]&0x3f | 0x80
		return b, err
	}
	for fixed := range 4 {
		require.Equal(t, fixed == 2, drawtest.Bits(size, fixed, draw) == nil, "%d", fixed)
	}
}

func TestDigitsFindsWhatIsNotDrawn(t *testing.T) {
	const base, places = 10, 8
	digit := func(below int64) int {
		n, err := rand.Int(rand.Reader, big.NewInt(below))
		require.NoError(t, err)
		return int(n.Int64())
	}
	for name, spoil := range map[string]func(d []int) []int{
		"as it is":           func(d []int) []int { return d },
		"no zero in front":   func(d []int) []int { d[0] = 1 + digit(9); return d },
		"a byte, modulo ten": func(d []int) []int { d[3] = digit(26) % base; return d },
		"four, repeated":     func(d []int) []int { return append(d[:4:4], d[:4]...) },
		"the last follows":   func(d []int) []int { d[7] = (d[0] + 3) % base; return d },
		"a digit too few":    func(d []int) []int { return d[1:] },
		"beyond the base":    func(d []int) []int { d[5] = base; return d },
		"negative":           func(d []int) []int { d[5] = -1; return d },
	} {
		err := drawtest.Digits(4000, base, places, func() ([]int, error) {
			d := make([]int, places)
			for i := range d {
				d[i] = digit(base)
			}
			return spoil(d), nil
		})
		require.Equal(t, name == "as it is", err == nil, "%s: %v", name, err)
	}
	boom := errors.New("boom")
	require.ErrorIs(t, drawtest.Digits(50, base, places, func() ([]int, error) { return nil, boom }), boom)
}
