package credential_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
)

func typed(s string) string { return credential.TypedCode(credential.NewSecret(s)).Reveal() }

func TestTypedCodeReadsWhatPeopleType(t *testing.T) {
	for name, text := range map[string]string{
		"plain":                 "155283",
		"as apps display it":    "155 283",
		"digit by digit":        "1 5 5 2 8 3",
		"a dash":                "155-283",
		"an en dash":            "155\u2013283",
		"a no-break hyphen":     "155\u2011283",
		"a minus sign":          "155\u2212283",
		"no-break space":        "155\u00a0283",
		"narrow no-break space": "155\u202f283",
		"ideographic space":     "155\u3000283",
		"a copied line":         "\t155283\r\n",
		"a zero-width space":    "155\u200b283",
		"a byte order mark":     "\ufeff155283",
		"marks of direction":    "\u200e\u2066155283\u2069",
		"a soft hyphen":         "155\u00ad283",
		"full width":            "１５５２８３",
		"Arabic-Indic":          "١٥٥٢٨٣",
		"Persian":               "۱۵۵۲۸۳",
		"Devanagari":            "१५५२८३",
		"Bengali":               "১৫৫২৮৩",
		"Thai":                  "๑๕๕๒๘๓",
		"Khmer":                 "១៥៥២៨៣",
		"Myanmar":               "၁၅၅၂၈၃",
		"N'Ko":                  "߁߅߅߂߈߃",
		"mathematical":          "𝟏𝟓𝟝𝟸𝟾𝟛",
		"Adlam":                 "𞥑𞥕𞥕𞥒𞥘𞥓",
		"mixed":                 "１55 ٢८3",
	} {
		require.Equal(t, "155283", typed(text), name)
	}
}

func TestTypedCodeLeavesWhatIsNoCode(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":                "",
		"only a space":           " ",
		"only dashes":            "--",
		"a recovery code":        "k7pd-2mxa-w9rf-4hbq",
		"a password":             "155 283 horse",
		"a letter at the end":    "155283l",
		"a Roman numeral":        "Ⅳ155283",
		"a superscript":          "15528³",
		"a circled digit":        "①55283",
		"a fraction":             "½",
		"a Chinese numeral":      "一五五二八三",
		"a plus":                 "+155283",
		"a point":                "155.283",
		"a comma":                "155,283",
		"a combining mark":       "155283\u0301",
		"a NUL":                  "155283\x00",
		"bytes that are no text": "155\xff283",
	} {
		require.Equal(t, text, typed(text), name)
	}
	require.False(t, credential.TypedCode(credential.Secret{}).Present(), "what was not presented stays so")
	require.True(t, credential.TypedCode(credential.NewSecret("")).Present())
}

func TestTypedCodeReadsEveryDigitOfACode(t *testing.T) {
	for _, digit := range "0123456789" {
		require.Equal(t, strings.Repeat(string(digit), 6), typed(strings.Repeat(string(digit)+" ", 6)))
	}
}

// Every decimal digit of Unicode has its value: what it is among its ten is found here
// by counting from the beginning of all of them.
func TestTypedCodeKnowsEveryDigit(t *testing.T) {
	count := 0
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if unicode.Is(unicode.Nd, r) {
			require.Equal(t, string(rune('0'+count%10)), typed(string(r)), "%U", r)
			count++
		}
	}
	require.Greater(t, count, 600)
	require.Zero(t, count%10)
}

func FuzzTypedCode(f *testing.F) {
	for _, s := range []string{"155 283", "１５５-２８３", "k7pd", "", "\xff1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := typed(s)
		require.Equal(t, got, typed(got), "a second time changes nothing")
		if got == s {
			return
		}
		require.True(t, utf8.ValidString(s))
		require.NotEmpty(t, got)
		require.Empty(t, strings.Trim(got, "0123456789"))
		require.LessOrEqual(t, len(got), utf8.RuneCountInString(s))
	})
}
