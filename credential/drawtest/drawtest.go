// Package drawtest checks that what should be drawn at random is, as a whole: that
// no part of it is constant, and none a copy of another. It sees bugs, such as a
// buffer that was filled by half, and not weak generators. A host that has a
// credential.SecretSource of its own can test it with Bits.
package drawtest

import (
	"fmt"
	"math"
	"math/bits"
)

// draws is how often Bits draws: each bit is then one word, with a bit for each draw.
const draws = 64

// neverAgain is how many bits must vary so that chance draws nothing twice: of 64
// draws of so many, two are equal once in 10^13 times.
const neverAgain = 56

// Bits draws 64 times and returns an error unless every bit of what is drawn
// varies, but for so many that are fixed, and none follows another one: each is 0
// as well as 1, and no two are always equal or always different. Where 56 bits or
// more vary, nothing may be drawn twice either. A good source of 64 bytes fails once
// in 10^13 times.
func Bits(size, fixed int, draw func() ([]byte, error)) error {
	columns := make([]uint64, 8*size)
	seen := map[string]int{}
	for n := range draws {
		b, err := draw()
		if err != nil {
			return err
		}
		if len(b) != size {
			return fmt.Errorf("drew %d bytes, want %d", len(b), size)
		}
		if before, again := seen[string(b)]; again && len(columns)-fixed >= neverAgain {
			return fmt.Errorf("draw %d is draw %d again", n+1, before)
		}
		seen[string(b)] = n + 1
		for i := range columns {
			columns[i] |= uint64(b[i/8]>>(7-i%8)&1) << n
		}
	}
	constant := 0
	first := map[uint64]int{}
	for i, column := range columns {
		if ones := bits.OnesCount64(column); ones == 0 || ones == draws {
			constant++
			continue
		}
		for _, same := range []uint64{column, ^column} {
			if j, follows := first[same]; follows {
				return fmt.Errorf("bit %d of byte %d follows bit %d of byte %d", i%8, i/8, j%8, j/8)
			}
		}
		first[column] = i
	}
	if constant != fixed {
		return fmt.Errorf("%d bits of %d never vary, want %d", constant, len(columns), fixed)
	}
	return nil
}

// Digits draws n times and returns an error unless each of the places takes each
// value below base equally often, and so does the difference of each two places. n
// must be at least five times base. A good source of 16 places fails once in 10^9
// times.
func Digits(n, base, places int, draw func() ([]int, error)) error {
	drawn := make([][]int, n)
	for i := range drawn {
		var err error
		if drawn[i], err = draw(); err != nil {
			return err
		}
		if len(drawn[i]) != places {
			return fmt.Errorf("drew %d digits, want %d", len(drawn[i]), places)
		}
	}
	for i := range places {
		if chi, ok := even(drawn, base, func(d []int) int { return d[i] }); !ok {
			return fmt.Errorf("the values of place %d are not equally frequent: chi-square is %.1f", i+1, chi)
		}
		for j := range i {
			if chi, ok := even(drawn, base, func(d []int) int { return (d[i] - d[j] + base) % base }); !ok {
				return fmt.Errorf("place %d follows place %d: chi-square is %.1f", i+1, j+1, chi)
			}
		}
	}
	return nil
}

// even reports whether a value is equally frequent from 0 to below base: whether
// chi-square is below its bound of seven standard deviations, in the approximation
// of Wilson and Hilferty.
func even(drawn [][]int, base int, value func([]int) int) (chi float64, ok bool) {
	counts := make([]float64, base)
	for _, d := range drawn {
		counts[value(d)]++
	}
	mean := float64(len(drawn)) / float64(base)
	for _, c := range counts {
		chi += (c - mean) * (c - mean) / mean
	}
	freedom := float64(base - 1)
	spread := 2 / (9 * freedom)
	return chi, chi < freedom*math.Pow(1-spread+7*math.Sqrt(spread), 3)
}
