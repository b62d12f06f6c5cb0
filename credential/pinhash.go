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
// whoever seals the hashes of a whole table anew, without knowing the PINs, also
// sets the PIN failures of its accounts to zero and opens those that are blocked.
func (k *Keyring) SealPINHash(accountID, hash string) (string, error) {
	sealed, err := k.Seal(Scope{Purpose: PurposePINHash, AccountID: accountID}, NewSecret(hash))
	if err != nil {
		return "", err
	}
	return sealedPINPrefix + base64.RawStdEncoding.EncodeToString(sealed), nil
}

// OpenPINHash returns the hash in a stored PIN hash. A bare one is returned as
// it is. outdated tells that it should be sealed (again).
func (k *Keyring) OpenPINHash(accountID, stored string) (hash string, outdated bool, err error) {
	text, ok := strings.CutPrefix(stored, sealedPINPrefix)
	if !ok {
		return stored, stored != "", nil
	}
	sealed, ok := strictBase64(base64.RawStdEncoding, text)
	if !ok {
		return "", false, ErrTampered
	}
	plain, outdated, err := k.Open(Scope{Purpose: PurposePINHash, AccountID: accountID}, sealed)
	return plain.Reveal(), outdated, err
}
