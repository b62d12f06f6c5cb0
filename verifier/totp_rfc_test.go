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
	for i, want := range []string{
		"287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489",
	} {
		require.Equal(t, want, codeOf(t, p, int64(i+1)).Reveal(), "counter %d", i+1)
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

// Fewer digits are the last ones of more (RFC 4226 section 5.3).
func TestFewerDigitsAreTheTailOfMore(t *testing.T) {
	eight := rfcTOTP()
	eight.Digits = 8
	for digits := verifier.MinTOTPDigits; digits <= verifier.MaxTOTPDigits; digits++ {
		p := rfcTOTP()
		p.Digits = digits
		for step := int64(1); step < 200; step++ {
			code := codeOf(t, p, step).Reveal()
			require.Len(t, code, digits)
			require.True(t, strings.HasSuffix(codeOf(t, eight, step).Reveal(), code))
		}
	}
}
