package devicetotp

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds of the labels of a provisioning address, in bytes. The issuer is in it
// twice and a byte takes up to three there, so that the longest address has
// 1,838 bytes, a secret of maxSecretSize included. A QR code of error correction
// level M holds 2,331 (ISO/IEC 18004, version 40).
const (
	maxIssuerSize  = 128
	maxAccountSize = 254
)

// checkLabel returns what is wrong with a label. It does not quote it: what a
// host passes by mistake may be a secret.
func checkLabel(field, label string, most int) error {
	switch {
	case label == "":
		return fmt.Errorf("devicetotp: %s is empty", field)
	case len(label) > most:
		return fmt.Errorf("devicetotp: %s has %d bytes, must have at most %d", field, len(label), most)
	case !utf8.ValidString(label):
		return fmt.Errorf("devicetotp: %s is not UTF-8", field)
	case strings.Contains(label, ":"):
		return fmt.Errorf("devicetotp: %s must not contain \":\"", field)
	}
	if i := strings.IndexFunc(label, isNoText); i >= 0 {
		r, _ := utf8.DecodeRuneInString(label[i:])
		return fmt.Errorf("devicetotp: %s must not contain %U, at byte %d", field, r, i)
	}
	if strings.TrimSpace(label) != label { // which readers of an address take away
		return fmt.Errorf("devicetotp: %s must not begin or end with a space", field)
	}
	return nil
}

// isNoText reports whether r has no place in a line of text: it is a control
// character, breaks the line, makes it read in another order than it is
// written in, or stands for what could not be decoded.
func isNoText(r rune) bool {
	return unicode.IsControl(r) || unicode.In(r, unicode.Zl, unicode.Zp, unicode.Noncharacter_Code_Point) ||
		'\u202a' <= r && r <= '\u202e' || '\u2066' <= r && r <= '\u2069' || r == utf8.RuneError
}
