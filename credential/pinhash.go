package credential

import (
	"encoding/base64"
	"strings"
)

const sealedPINPrefix = "$sealed$"

// SealPINHash seals a PIN hash for storing. A four-digit PIN has 10,000 values
// and a hash takes milliseconds, so that a bare hash falls in minutes to
// whoever reads the database; a sealed one needs the keyring too.
//
// Failures are counted against the stored text, see [Account.Attempts]. So
// sealing the hashes of a whole table again, without knowing the PINs, also
// sets the PIN failures of its accounts to zero and opens those that are blocked.
func (k *Keyring) SealPINHash(accountID, hash string) (string, error) {
	sealed, err := k.Seal(pinScope(accountID), NewSecret(hash))
	if err != nil {
		return "", err
	}
	return sealedPINPrefix + base64.RawStdEncoding.EncodeToString(sealed), nil
}

// OpenPINHash returns the hash in a stored PIN hash. A bare one is returned as
// it is. outdated reports that it should be sealed (again).
func (k *Keyring) OpenPINHash(accountID, stored string) (hash string, outdated bool, err error) {
	if !strings.HasPrefix(stored, sealedPINPrefix) {
		return stored, stored != "", nil
	}
	sealed, ok := SealedPINHash(stored)
	if !ok {
		return "", false, ErrTampered
	}
	plain, outdated, err := k.Open(pinScope(accountID), sealed)
	return plain.Reveal(), outdated, err
}

// SealedPINHash returns the sealed value in a stored PIN hash, for [KeyID] and
// for [Keyring.Has], [Keyring.Foreign] and [Keyring.Outdated]. ok is false for a
// bare hash, and for a text that SealPINHash did not make.
func SealedPINHash(stored string) (sealed []byte, ok bool) {
	text, ok := strings.CutPrefix(stored, sealedPINPrefix)
	if !ok {
		return nil, false
	}
	return strictBase64(base64.RawStdEncoding, text)
}

func pinScope(accountID string) Scope {
	return Scope{Purpose: PurposePINHash, AccountID: accountID}
}
