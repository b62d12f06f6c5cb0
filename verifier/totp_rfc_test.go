package verifier_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/verifier"
)

// The values of RFC 4226 appendix D. Counter 0 is refused here: as a time step
// it is that of a clock which was never set.
func TestCodesAreThoseOfRFC4226AppendixD(t *testing.T) {
	p := rfcTOTP()
	for i, decimal := range []string{ // the column "Decimal", which is the code of ten digits
		"1094287082", "0137359152", "1726969429", "1640338314", "0868254676",
		"1918287922", "0082162583", "0673399871", "0645520489",
	} {
		for digits := 6; digits <= 10; digits++ {
			p.Digits = digits
			require.Equal(t, decimal[10-digits:], codeOf(t, p, int64(i+1)).Reveal(), "counter %d", i+1)
		}
	}
	for _, step := range []int64{0, -1, -1 << 63} {
		code, err := p.Code(step)
		require.ErrorContains(t, err, "not positive")
		require.False(t, code.Present())
	}
}

// The values of RFC 6238 appendix B. Its seeds are those of its own reference
// code, one of the length of each hash; the table's text shows the first only.
func TestCodesAreThoseOfRFC6238AppendixB(t *testing.T) {
	times := []int64{59, 1111111109, 1111111111, 1234567890, 2000000000, 20000000000}
	for _, tc := range []struct {
		algorithm credential.Algorithm
		codes     []string
	}{
		{credential.AlgorithmSHA1, []string{"94287082", "07081804", "14050471", "89005924", "69279037", "65353130"}},
		{credential.AlgorithmSHA256, []string{"46119246", "68084774", "67062674", "91819424", "90698825", "77737706"}},
		{credential.AlgorithmSHA512, []string{"90693936", "25091201", "99943326", "93441116", "38618901", "47863826"}},
	} {
		t.Run(tc.algorithm.String(), func(t *testing.T) {
			size := tc.algorithm.SecretSize()
			p := verifier.TOTP{
				Secret:    secret(strings.Repeat("1234567890", 7)[:size]),
				Algorithm: tc.algorithm, Digits: 8, Period: 30 * time.Second,
			}
			for i, unix := range times {
				now := time.Unix(unix, 0)
				require.Equal(t, unix/30, p.Step(now))
				require.Equal(t, tc.codes[i], codeOf(t, p, p.Step(now)).Reveal(), "at %d", unix)
				step, ok, err := p.Match(secret(tc.codes[i]), now, 0)
				require.NoError(t, err)
				require.True(t, ok)
				require.Equal(t, unix/30, step)
			}
		})
	}
}
