package credential_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/drawtest"
)

// Every byte of a secret is drawn, and none is a copy of another.
func TestRandomSecrets(t *testing.T) {
	source := credential.RandomSecrets()
	for _, size := range []int{20, 32, 64} {
		require.NoError(t, drawtest.Bits(size, 0, func() ([]byte, error) {
			s, err := source.NewSecret(t.Context(), size)
			return []byte(s.Reveal()), err
		}), "%d bytes", size)
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

// Every digit is as frequent as any other at every place, the first included, and
// no place follows another.
func TestNewCodeIsEvenlyDistributed(t *testing.T) {
	for digits := credential.MinCodeDigits; digits <= credential.MaxCodeDigits; digits++ {
		require.NoError(t, drawtest.Digits(4000, 10, digits, func() ([]int, error) {
			code, err := credential.NewCode(digits)
			var drawn []int
			for _, d := range []byte(code.Reveal()) {
				drawn = append(drawn, int(d-'0'))
			}
			return drawn, err
		}), "%d digits", digits)
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
