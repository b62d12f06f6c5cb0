package verifier

import (
	"errors"

	"example.com/devicetotp/credential"
)

// Why a PIN is refused when it is set. The texts are fit for the user.
var (
	ErrPINLength  = errors.New("verifier: a PIN must be exactly four digits")
	ErrPINVariety = errors.New("verifier: a PIN must have at least three different digits")
	ErrPINSeries  = errors.New("verifier: a PIN must not be a numerical series")
)

const (
	pinDigits    = 4
	pinDifferent = 3
)

// CheckPIN returns nil if pin may be set, and otherwise the first rule that it
// breaks: [ErrPINLength] unless it is exactly four of the ASCII digits 0-9,
// [ErrPINVariety] unless at least three of them are different, and
// [ErrPINSeries] if each digit is the one before plus one, or each is the one
// before minus one, where 0 comes after 9.
//
// Call it before [Hasher.HashPIN]. [PIN] does not call it, so a PIN that was
// set under other rules is still accepted.
func CheckPIN(pin credential.Secret) error {
	digits := pin.Reveal()
	switch {
	case !fourDigits(digits):
		return ErrPINLength
	case different(digits) < pinDifferent:
		return ErrPINVariety
	case isSeries(digits, 1) || isSeries(digits, 9):
		return ErrPINSeries
	default:
		return nil
	}
}

func fourDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return len(s) == pinDigits
}

// different counts the different digits.
func different(digits string) int {
	var seen [10]int
	for i := range len(digits) {
		seen[digits[i]-'0'] = 1
	}
	count := 0
	for _, one := range seen {
		count += one
	}
	return count
}

// isSeries reports whether each digit is the one before plus step, modulo ten.
func isSeries(digits string, step byte) bool {
	for i := range len(digits) - 1 {
		if digits[i+1]-'0' != (digits[i]-'0'+step)%10 {
			return false
		}
	}
	return true
}
