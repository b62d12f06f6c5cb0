package credential

import (
	"encoding/base64"
	"errors"
	"strings"
)

// A sealed PIN hash is stored as this prefix and the base64 of
//
//	fingerprint sealed
//
// The fingerprint is computed from the hash itself, and is bound to what is
// sealed. It gives nothing away: a hash holds a random salt, which is sealed
// with it.
const sealedPINPrefix = "$sealed$"

// SealPINHash seals a PIN hash for storing. A four-digit PIN has 10,000 values
// and a hash takes milliseconds, so that a bare hash falls in minutes to
// whoever reads the database; a sealed one needs the keyring too.
//
// Failures that are counted against a hash stay counted when it is sealed, or
// sealed again: see [Fingerprint]. A hash that is sealed already is refused.
func (k *Keyring) SealPINHash(accountID, hash string) (string, error) {
	if strings.HasPrefix(hash, sealedPINPrefix) {
		return "", errors.New("credential: the PIN hash is sealed already; see ResealPINHash")
	}
	fingerprint := hashFingerprint(hash)
	sealed, err := k.Seal(pinScope(accountID, fingerprint), NewSecret(hash))
	if err != nil {
		return "", err
	}
	return sealedPINPrefix + base64.RawStdEncoding.EncodeToString(append([]byte(fingerprint), sealed...)), nil
}

// OpenPINHash returns the hash in a stored PIN hash. A bare one is returned as
// it is. outdated reports that it should be sealed (again).
func (k *Keyring) OpenPINHash(accountID, stored string) (hash string, outdated bool, err error) {
	if !strings.HasPrefix(stored, sealedPINPrefix) {
		return stored, stored != "", nil
	}
	fingerprint, sealed, ok := splitPINHash(stored)
	if !ok {
		return "", false, ErrTampered
	}
	plain, outdated, err := k.Open(pinScope(accountID, fingerprint), sealed)
	return plain.Reveal(), outdated, err
}

// ResealPINHash returns a stored PIN hash sealed with the primary key, whether
// it was bare or sealed with an older key; otherwise stored as it is, also if
// it is "". The PIN need not be known, and failures stay counted. It returns
// the errors of [Keyring.OpenPINHash].
func (k *Keyring) ResealPINHash(accountID, stored string) (string, error) {
	hash, outdated, err := k.OpenPINHash(accountID, stored)
	if err != nil {
		return "", err
	}
	if !outdated {
		return stored, nil
	}
	return k.SealPINHash(accountID, hash)
}

// SealedPINHash returns the sealed value in a stored PIN hash, for [KeyID] and
// for [Keyring.Has], [Keyring.Foreign] and [Keyring.Outdated]. ok is false for a
// bare hash, and for a text that SealPINHash did not make.
func SealedPINHash(stored string) (sealed []byte, ok bool) {
	_, sealed, ok = splitPINHash(stored)
	return sealed, ok
}

func splitPINHash(stored string) (fingerprint string, sealed []byte, ok bool) {
	text, ok := strings.CutPrefix(stored, sealedPINPrefix)
	if !ok {
		return "", nil, false
	}
	b, ok := strictBase64(base64.RawStdEncoding, text)
	if !ok || len(b) < fingerprintSize {
		return "", nil, false
	}
	return string(b[:fingerprintSize]), b[fingerprintSize:], true
}

func pinScope(accountID, fingerprint string) Scope {
	return Scope{Purpose: PurposePINHash, AccountID: accountID, Subject: fingerprint}
}
