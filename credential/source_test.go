package credential_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
)

func TestRandomSecrets(t *testing.T) {
	source := credential.RandomSecrets()
	seen := map[string]bool{}
	for _, size := range []int{20, 32, 64, 20, 20, 20} {
		s, err := source.NewSecret(t.Context(), size)
		require.NoError(t, err)
		require.Len(t, s.Reveal(), size)
		require.False(t, seen[s.Reveal()[:16]])
		seen[s.Reveal()[:16]] = true
	}
	none, err := source.NewSecret(t.Context(), 0)
	require.NoError(t, err)
	require.Empty(t, none.Reveal())
}

func TestNewCodeHasItsDigits(t *testing.T) {
	for digits := -1; digits <= 12; digits++ {
		code, err := credential.NewCode(digits)
		if digits < credential.MinCodeDigits || digits > credential.MaxCodeDigits {
			require.EqualError(t, err, "credential: a one-time code has 6 to 10 digits, not "+strconv.Itoa(digits))
			require.False(t, code.Present())
			continue
		}
		require.NoError(t, err)
		require.Len(t, code.Reveal(), digits)
		require.True(t, credential.IsCode(code))
	}
}

// Every digit is as frequent as any other at every place, the first included:
// chi-square with nine degrees of freedom, which exceeds 60 once in a thousand
// million times if it is so.
func TestNewCodeIsEvenlyDistributed(t *testing.T) {
	const draws = 4000
	for digits := credential.MinCodeDigits; digits <= credential.MaxCodeDigits; digits++ {
		counts := make([][10]float64, digits)
		for range draws {
			code, err := credential.NewCode(digits)
			if err != nil {
				t.Fatal(err)
			}
			for place, d := range []byte(code.Reveal()) {
				counts[place][d-'0']++
			}
		}
		for place := range counts {
			var chi float64
			for _, count := range counts[place] {
				chi += (count - draws/10) * (count - draws/10) / (draws / 10)
			}
			require.Less(t, chi, 60.0, "place %d of %d: %v", place+1, digits, counts[place])
		}
	}
}

func TestIsCode(t *testing.T) {
	for value, want := range map[string]bool{
		"": false, "12345": false, "123456": true, "1234567890": true, "12345678901": false, "000000": true, "999999": true,
		"12345a": false, "12345/": false, "12345:": false, "/12345": false, ":12345": false,
		" 123456": false, "123456 ": false, "123456\n": false, "123456\x00": false, "123456\u00a0": false, "\u2028123456": false,
		"123 456": false, "+123456": false, "-123456": false, "12345.": false, "\uff11\uff12\uff13\uff14\uff15\uff16": false,
		"\u0661\u0662\u0663": false, "\xff\xff\xff\xff\xff\xff": false, strings.Repeat("1", 1<<16): false,
	} {
		require.Equal(t, want, credential.IsCode(credential.NewSecret(value)), "%q", value)
	}
	require.False(t, credential.IsCode(credential.Secret{}))
}
