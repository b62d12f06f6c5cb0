// Package drawtest checks that all of a value that should be random is drawn: that
// no part of it is constant, and none is a copy of another. It finds bugs, such as a
// buffer of which only half was filled, and not weak generators. A host that has a
// credential.SecretSource of its own can test it with [Bits].
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

// Bits calls draw 64 times. It returns an error unless each time there are size
// bytes, exactly fixed bits of them are the same every time, and of all others no two
// are always equal or always different. Where 56 bits or more vary, nothing may be
// drawn twice either. An error of draw is returned as it is. A good source of 64 bytes
// fails less than once in 10^13 times: that is how likely one of its 130,816 pairs of
// bits agrees, or differs, 64 times.
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

// Digits calls draw n times. It returns an error unless each time there are as many
// digits as places, each of them from 0 to base-1, and each place takes all of these
// values equally often, as does the difference of any two places. An error of draw is
// returned as it is. n must be at least five times base, as for every test by
// chi-square. A good source of 16 places fails less than once in 10^9 times: there are
// 136 comparisons, each with a bound of seven standard deviations.
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
		for place, digit := range drawn[i] {
			if digit < 0 || digit >= base {
				return fmt.Errorf("drew %d at place %d, want 0 to %d", digit, place+1, base-1)
			}
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
