package devicetotp

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"example.com/devicetotp/credential"
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
	case strings.Contains(label, ":"):
		return fmt.Errorf("devicetotp: %s must not contain \":\"", field)
	}
	if err := checkText(label); err != nil {
		return fmt.Errorf("devicetotp: %s %w", field, err)
	}
	return nil
}

// maxNameRunes is the length of the longest name of a device. It has at most
// credential.MaxName bytes then.
const maxNameRunes = credential.MaxName / utf8.UTFMax

// checkName returns what is wrong with the name of a device, without quoting it.
func checkName(name string) error {
	if err := checkText(name); err != nil {
		return err
	}
	if n := utf8.RuneCountInString(name); n > maxNameRunes {
		return fmt.Errorf("has %d characters, must have at most %d", n, maxNameRunes)
	}
	return nil
}

// checkText returns what is wrong with a line of text that people read. It quotes
// no more of it than a character that does not show.
func checkText(text string) error {
	if !utf8.ValidString(text) {
		return errors.New("is not UTF-8")
	}
	if i := strings.IndexFunc(text, isNoText); i >= 0 {
		r, _ := utf8.DecodeRuneInString(text[i:])
		return fmt.Errorf("must not contain %U, at byte %d", r, i)
	}
	if strings.TrimSpace(text) != text { // which many readers trim
		return errors.New("must not begin or end with a space")
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
