package credential

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"strings"
	"time"
	"unicode"
)

const (
	// MaxRecoveryCodes is the most recovery codes that an account may have.
	MaxRecoveryCodes = 20
	// MaxRecoveryCodeSize is the longest OTP in bytes that is compared with
	// recovery codes, with whatever spaces and dashes a person types.
	MaxRecoveryCodeSize = 64
)

// A recovery code is 16 characters drawn evenly from 31, which are 79 random
// bits: NIST SP 800-63B-4 section 4.2.1.1 asks for 64. The alphabet has no 0, 1, i,
// l and o, which people confuse.
const (
	recoveryAlphabet = "23456789abcdefghjkmnpqrstuvwxyz"
	recoveryLength   = 16
	recoveryGroup    = 4
)

// NewRecoveryCode makes a recovery code of 79 random bits from crypto/rand, in
// four groups: "k7pd-2mxa-w9rf-4hbq".
func NewRecoveryCode() Secret {
	var code strings.Builder
	for drawn := 0; drawn < recoveryLength; {
		var b [1]byte
		_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the process instead
		if int(b[0]) >= 256/len(recoveryAlphabet)*len(recoveryAlphabet) {
			continue // or the first characters would come more often
		}
		if drawn > 0 && drawn%recoveryGroup == 0 {
			code.WriteByte('-')
		}
		code.WriteByte(recoveryAlphabet[int(b[0])%len(recoveryAlphabet)])
		drawn++
	}
	return NewSecret(code.String())
}

// RecoveryText returns the form in which an OTP is compared with recovery codes:
// in lower case, without white space and dashes. ok is false for an OTP that is
// never compared with them: it is empty, has more than [MaxRecoveryCodeSize] bytes, or
// has the form of a code ([IsCode]) once these are left out. The latter
// is a code that somebody mistyped, which must not count as a guess at recovery codes.
func RecoveryText(otp Secret) (text Secret, ok bool) {
	if n := len(otp.Reveal()); n == 0 || n > MaxRecoveryCodeSize || IsCode(otp) {
		return Secret{}, false
	}
	text = NewSecret(strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.Is(unicode.Dash, r) {
			return -1
		}
		return unicode.ToLower(r)
	}, otp.Reveal()))
	if IsCode(text) {
		return Secret{}, false
	}
	return text, true
}

// Replace makes codes the recovery codes of the account, in place of all that
// there were. The failures in a row stay. It is for the library's own use and
// outside of the compatibility promise.
func (o *RecoveryCodes) Replace(keys *Keyring, accountID string, codes []Secret, now time.Time) error {
	if len(codes) == 0 || len(codes) > MaxRecoveryCodes {
		return fmt.Errorf("%w: %d recovery codes, must be from 1 to %d", ErrStateSize, len(codes), MaxRecoveryCodes)
	}
	var digests []byte
	for i, code := range codes {
		text, ok := RecoveryText(code)
		if !ok {
			return fmt.Errorf("credential: recovery code %d has the form of a one-time code, or is not 1 to %d bytes long", i+1, MaxRecoveryCodeSize)
		}
		d := digestRecovery(text)
		digests = append(digests, d[:]...)
	}
	if err := o.seal(keys, accountID, digests); err != nil {
		return err
	}
	o.CreatedAt = now
	return nil
}

// Has reports whether otp is one of the recovery codes that are left. It compares
// all of them, in a time that does not depend on which one it is. Errors wrap
// [ErrTampered] or [ErrMissingKey]. It is for the library's own use and outside of
// the compatibility promise.
func (o *RecoveryCodes) Has(keys *Keyring, accountID string, otp Secret) (bool, error) {
	digests, at, err := o.find(keys, accountID, otp)
	return at < len(digests), err
}

// Spend takes otp out of the recovery codes that are left, and seals the rest
// again with the primary key. It reports whether otp was one of them. It is for
// the library's own use and outside of the compatibility promise.
func (o *RecoveryCodes) Spend(keys *Keyring, accountID string, otp Secret) (bool, error) {
	digests, at, err := o.find(keys, accountID, otp)
	if err != nil || at == len(digests) {
		return false, err
	}
	err = o.seal(keys, accountID, append(digests[:at:at], digests[at+recoveryDigestSize:]...))
	return err == nil, err
}

// find returns the digests of the codes that are left, and where that of otp is;
// at their end if it is none of them.
func (o *RecoveryCodes) find(keys *Keyring, accountID string, otp Secret) (digests []byte, at int, err error) {
	text, ok := RecoveryText(otp)
	if !ok || len(o.Sealed) == 0 {
		return nil, 0, nil
	}
	plain, _, err := keys.Open(RecoveryScope(accountID), o.Sealed)
	if err != nil {
		return nil, 0, fmt.Errorf("credential: recovery codes: %w", err)
	}
	digests = []byte(plain.Reveal())
	if n := len(digests); n%recoveryDigestSize != 0 || n > MaxRecoveryCodes*recoveryDigestSize {
		return nil, 0, fmt.Errorf("credential: recovery codes: %w: %d bytes", ErrTampered, n)
	}
	presented := digestRecovery(text)
	at = len(digests)
	for i := 0; i < len(digests); i += recoveryDigestSize {
		same := subtle.ConstantTimeCompare(presented[:], digests[i:i+recoveryDigestSize])
		at = subtle.ConstantTimeSelect(same, i, at)
	}
	return digests, at, nil
}

// seal stores the digests; none of them is nothing.
func (o *RecoveryCodes) seal(keys *Keyring, accountID string, digests []byte) error {
	var sealed []byte
	if len(digests) > 0 {
		var err error
		if sealed, err = keys.Seal(RecoveryScope(accountID), NewSecret(string(digests))); err != nil {
			return err
		}
	}
	o.Sealed, o.Left = sealed, len(digests)/recoveryDigestSize
	return nil
}

const recoveryDigestSize = 16

// digestRecovery is SHA-256, cut to 16 bytes. A salt and many rounds are for what
// people choose; nobody guesses 79 random bits, and the digests are sealed too.
func digestRecovery(text Secret) (digest [recoveryDigestSize]byte) {
	sum := sha256.Sum256([]byte(text.Reveal()))
	copy(digest[:], sum[:])
	return digest
}
