// Package hostside checks what a host gives a store of this module when it
// manages its accounts, so that every store refuses the same. The errors name
// the account and what is wrong with it, never a hash.
package hostside

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"example.com/devicetotp/credential"
)

// MaxID is the longest id of an account, in bytes.
const MaxID = 1024

// IsText reports whether every database can keep s as text: PostgreSQL refuses
// NUL and what is not UTF-8.
func IsText(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }

// IsID reports whether an account can have that id: 1 to [MaxID] bytes of text.
func IsID(id string) bool { return id != "" && len(id) <= MaxID && IsText(id) }

// CheckAccount returns an error if the host's fields of the account cannot be
// kept.
func CheckAccount(a credential.Account) error {
	var faults []string
	if !IsID(a.ID) {
		faults = append(faults, fmt.Sprintf("the id must be 1 to %d bytes of UTF-8 without NUL", MaxID))
	}
	if !IsText(a.PasswordHash) {
		faults = append(faults, "the password hash is not UTF-8 without NUL")
	}
	if !IsText(a.PINHash) {
		faults = append(faults, "the PIN hash is not UTF-8 without NUL")
	}
	if faults == nil {
		return nil
	}
	return fmt.Errorf("account %q: %s", a.ID, strings.Join(faults, ", "))
}

// CheckVersion returns an error if the account cannot be added with its Version.
func CheckVersion(a credential.Account) error {
	if a.Version < 0 || a.Version > credential.MaxVersion {
		return fmt.Errorf("account %q: version %d is not 0 to 2^62", a.ID, a.Version)
	}
	return nil
}

// CheckRotation returns an error if to cannot become the stored hash of f.
func CheckRotation(f credential.Factor, to string) error {
	if f != credential.FactorPassword && f != credential.FactorPIN {
		return fmt.Errorf("rotate hash: %s has no stored hash", f)
	}
	if !IsText(to) {
		return fmt.Errorf("rotate hash: the new %s hash is not UTF-8 without NUL", f)
	}
	return nil
}

// CheckPage returns an error if there is no page of ids after that one.
func CheckPage(after string, limit int) error {
	if limit <= 0 {
		return fmt.Errorf("ids: limit %d is not above 0", limit)
	}
	if !IsText(after) {
		return errors.New("ids: after is not UTF-8 without NUL")
	}
	return nil
}
