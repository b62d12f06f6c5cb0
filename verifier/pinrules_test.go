package verifier_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/verifier"
)

func TestPINRules(t *testing.T) {
	for want, pins := range map[error][]string{
		nil:                    {"1235", "9875", "1012", "1123", "4378", "2468", "9753", "0918"},
		verifier.ErrPINSeries:  {"1234", "9012", "0987", "6543", "0123", "7890", "8901", "3210", "2109", "1098"},
		verifier.ErrPINVariety: {"1122", "1111", "1212", "0001", "9099"},
		verifier.ErrPINLength: {
			"", "123", "456123", "12345", "abcd", "123a", "12 4", " 1235", "1235\n", "-123", "+123", "12.5",
			"\uff11\uff12\uff13\uff15", "\u0661\u0662", "12\x003", "\x00\x00\x00\x00", "/:/:",
		},
	} {
		for _, pin := range pins {
			require.Equal(t, want, verifier.CheckPIN(secret(pin)), "%q", pin)
		}
	}
	require.Equal(t, verifier.ErrPINLength, verifier.CheckPIN(credential.Secret{}), "absent")
}

// Every PIN of four digits against another statement of the rules: the series
// are what can be read off the digits written in a circle, either way round.
func TestPINRulesOfEveryPIN(t *testing.T) {
	const forwards, backwards = "0123456789012", "2109876543210"
	verdicts := map[error]int{}
	for n := range 10000 {
		pin := fmt.Sprintf("%04d", n)
		kinds := map[rune]bool{}
		for _, digit := range pin {
			kinds[digit] = true
		}
		var want error
		switch {
		case len(kinds) < 3:
			want = verifier.ErrPINVariety
		case strings.Contains(forwards, pin) || strings.Contains(backwards, pin):
			want = verifier.ErrPINSeries
		}
		got := verifier.CheckPIN(secret(pin))
		require.Equal(t, want, got, pin)
		verdicts[got]++
	}
	require.Equal(t, map[error]int{
		verifier.ErrPINSeries:  20,             // ten starts, two directions
		verifier.ErrPINVariety: 10 + 45*(16-2), // one digit, or two of ten
		nil:                    9340,
	}, verdicts)
}

func TestPINRulesDoNotQuoteThePIN(t *testing.T) {
	for _, pin := range []string{"1234", "1122", "sentinel"} {
		require.NotContains(t, verifier.CheckPIN(secret(pin)).Error(), pin)
	}
}
