package verifier_test

import (
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
	"github.com/pquerna/otp/totp"
	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/verifier"
)

// Parameters out of bounds are an error, whether or not the code would match.
func TestTOTPParametersAreHeldToTheirBounds(t *testing.T) {
	for _, tc := range []struct {
		name  string
		spoil func(*verifier.TOTP)
		want  string // "" : accepted
	}{
		{"as it is", func(*verifier.TOTP) {}, ""},
		{"absent secret", func(p *verifier.TOTP) { p.Secret = credential.Secret{} }, "secret of 0 bytes"},
		{"empty secret", func(p *verifier.TOTP) { p.Secret = secret("") }, "secret of 0 bytes"},
		{"secret of 9 bytes", func(p *verifier.TOTP) { p.Secret = secret("123456789") }, "secret of 9 bytes"},
		{"secret of 10 bytes", func(p *verifier.TOTP) { p.Secret = secret("1234567890") }, ""},
		{"secret of 128 bytes", func(p *verifier.TOTP) { p.Secret = secret(strings.Repeat("s", 128)) }, ""},
		{"secret of 129 bytes", func(p *verifier.TOTP) { p.Secret = secret(strings.Repeat("s", 129)) }, "secret of 129 bytes"},
		{"no algorithm", func(p *verifier.TOTP) { p.Algorithm = 0 }, "algorithm(0)"},
		{"the algorithm after the last", func(p *verifier.TOTP) { p.Algorithm = 4 }, "algorithm(4)"},
		{"the highest algorithm", func(p *verifier.TOTP) { p.Algorithm = 255 }, "algorithm(255)"},
		{"negative digits", func(p *verifier.TOTP) { p.Digits = -6 }, "-6 digits"},
		{"0 digits", func(p *verifier.TOTP) { p.Digits = 0 }, "0 digits"},
		{"5 digits", func(p *verifier.TOTP) { p.Digits = 5 }, "5 digits"},
		{"7 digits", func(p *verifier.TOTP) { p.Digits = 7 }, ""},
		{"8 digits", func(p *verifier.TOTP) { p.Digits = 8 }, ""},
		{"9 digits", func(p *verifier.TOTP) { p.Digits = 9 }, ""},
		{"10 digits", func(p *verifier.TOTP) { p.Digits = 10 }, ""},
		{"11 digits", func(p *verifier.TOTP) { p.Digits = 11 }, "11 digits"},
		{"period 0", func(p *verifier.TOTP) { p.Period = 0 }, "period 0s"},
		{"negative period", func(p *verifier.TOTP) { p.Period = -30 * time.Second }, "period -30s"},
		{"period 9.999999999 s", func(p *verifier.TOTP) { p.Period = 10*time.Second - 1 }, "period 9.9"},
		{"period 10 s", func(p *verifier.TOTP) { p.Period = 10 * time.Second }, ""},
		{"period 30.5 s", func(p *verifier.TOTP) { p.Period = 30500 * time.Millisecond }, "whole seconds"},
		{"period 300 s", func(p *verifier.TOTP) { p.Period = 300 * time.Second }, ""},
		{"period 300.000000001 s", func(p *verifier.TOTP) { p.Period = 300*time.Second + 1 }, "period 5m0.0"},
		{"period 301 s", func(p *verifier.TOTP) { p.Period = 301 * time.Second }, "period 5m1s"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := rfcTOTP()
			tc.spoil(&p)
			code, codeErr := p.Code(7)
			_, ok, matchErr := p.Match(secret("000000"), noon, 0)
			require.False(t, ok)
			if tc.want == "" {
				require.NoError(t, codeErr)
				require.NoError(t, matchErr)
				require.Len(t, code.Reveal(), p.Digits)
				return
			}
			require.ErrorContains(t, codeErr, tc.want)
			require.ErrorContains(t, matchErr, tc.want)
			require.False(t, code.Present())
		})
	}
}

// A code has one form only. Were others accepted, a memory of used codes that
// is keyed by the text could be gone round with a space.
func TestMatchTakesOneFormOfACode(t *testing.T) {
	p := rfcTOTP()
	right := codeOf(t, p, p.Step(noon)).Reveal()
	fullWidth := ""
	arabic := ""
	for _, d := range right {
		fullWidth += string('\uff10' + (d - '0'))
		arabic += string('\u0660' + (d - '0'))
	}
	for name, form := range map[string]string{
		"empty": "", "leading space": " " + right, "trailing space": right + " ", "inner space": right[:3] + " " + right[3:],
		"tab": right + "\t", "line feed": right + "\n", "carriage return": right + "\r", "NUL": right + "\x00",
		"no-break space": right + "\u00a0", "ideographic space": "\u3000" + right, "line separator": right + "\u2028",
		"next line": right + "\u0085", "byte order mark": "\ufeff" + right, "zero width space": "\u200b" + right,
		"full-width digits": fullWidth, "arabic-indic digits": arabic, "plus sign": "+" + right, "minus sign": "-" + right,
		"one digit fewer": right[1:], "one digit more": "0" + right, "letter": right[:5] + "O", "invalid UTF-8": right[:5] + "\xff",
	} {
		t.Run(name, func(t *testing.T) {
			_, ok, err := p.Match(secret(form), noon, 0)
			require.NoError(t, err)
			require.False(t, ok)
		})
	}
	_, ok, err := p.Match(credential.Secret{}, noon, 0)
	require.NoError(t, err)
	require.False(t, ok)
	_, ok, err = p.Match(secret(right), noon, 0)
	require.NoError(t, err)
	require.True(t, ok)
}

// The traps of github.com/pquerna/otp, which are the reason that it is the peer
// of these tests and does not verify, are real in the version in use.
func TestTrapsOfThePeerAreReal(t *testing.T) {
	opts := totp.ValidateOpts{Period: 30, Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1}
	empty, err := totp.GenerateCodeCustom("", noon, opts)
	require.NoError(t, err)
	ok, err := totp.ValidateCustom(empty, "", noon, opts)
	require.NoError(t, err)
	require.True(t, ok, "an empty secret validates a code that anyone can compute")
	ok, err = totp.ValidateCustom("\u3000"+empty+"\u2028", "", noon, opts)
	require.NoError(t, err)
	require.True(t, ok, "white space around a code is trimmed, Unicode's too")

	zero := opts
	zero.Digits = 0
	_, err = totp.ValidateCustom(empty, "", noon, zero)
	require.ErrorIs(t, err, otp.ErrValidateInputInvalidLength, "no digits are not the six of the documentation")
	static, negative := opts, -30
	static.Period = uint(negative)
	first, err := totp.GenerateCodeCustom("", noon, static)
	require.NoError(t, err)
	later, err := totp.GenerateCodeCustom("", noon.Add(time.Hour), static)
	require.NoError(t, err)
	require.Equal(t, first, later, "a negative period makes one code for ever")
	require.Panics(t, func() {
		for counter := range uint64(200) {
			_, _ = hotp.GenerateCodeCustom("", counter, hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmMD5})
		}
	}, "MD5 is too short to truncate")
}
