package credential

import (
	"strings"
	"unicode"
)

// TypedCode returns the code or PIN that a person meant by s: ASCII digits. People
// type and paste codes as they are displayed, "155 283" or "155-283", with no-break
// spaces and invisible marks, and in the digits of their own script. s is returned as
// it is unless it consists of decimal digits of any script, and beside them nothing
// but white space, dashes and format characters; so a password, a recovery code and
// what is simply wrong stay what they are, and so does what was not presented.
//
// The library itself is strict: such a value is wrong and counts as a failure. Call
// TypedCode where a form is read, on codes and PINs, before a request is made of it;
// never on a password. It makes no two codes one, because codes and the PINs that
// verifier.CheckPIN accepts are ASCII digits where they are set.
func TypedCode(s Secret) Secret {
	var digits strings.Builder
	for _, r := range s.Reveal() {
		if value, ok := digitValue(r); ok {
			digits.WriteByte('0' + value)
		} else if !separates(r) {
			return s
		}
	}
	if digits.Len() == 0 {
		return s
	}
	return NewSecret(digits.String())
}

// digitValue returns the value of a decimal digit of any script. Unicode has the ten
// digits of a script in a row, from zero on (Unicode Standard, section 4.6).
func digitValue(r rune) (value byte, ok bool) {
	if '0' <= r && r <= '9' {
		return byte(r - '0'), true
	}
	if r < unicode.MaxLatin1 || !unicode.Is(unicode.Nd, r) {
		return 0, false
	}
	for _, in := range unicode.Nd.R16 {
		if rune(in.Lo) <= r && r <= rune(in.Hi) {
			return byte((r - rune(in.Lo)) % 10), true
		}
	}
	for _, in := range unicode.Nd.R32 {
		if rune(in.Lo) <= r && r <= rune(in.Hi) {
			return byte((r - rune(in.Lo)) % 10), true
		}
	}
	return 0, false
}

// separates reports whether r may stand between the digits of a code: white space,
// also such as no line breaks at; a dash; or what is not seen at all, for instance the
// marks of direction that copying leaves behind.
func separates(r rune) bool {
	return unicode.IsSpace(r) || unicode.In(r, unicode.Zs, unicode.Dash, unicode.Cf)
}
