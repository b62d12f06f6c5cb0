package verifier

import (
	"context"
	"time"

	"example.com/devicetotp/credential"
)

// Longest presented values in bytes. A longer one is wrong, without hashing.
const (
	MaxPasswordSize = 1024
	MaxPINSize      = 64
)

// Password returns the verifier that compares with the account's PasswordHash.
// A nil h means [DefaultHasher].
func Password(h *Hasher) Verifier { return hashVerifier{hasherOr(h), passwordHashes{}} }

// PIN returns the verifier that compares with the account's PINHash, sealed by
// keys or bare. A nil h means [DefaultHasher].
func PIN(h *Hasher, keys *credential.Keyring) Verifier {
	return hashVerifier{hasherOr(h), pinHashes{keys}}
}

func hasherOr(h *Hasher) *Hasher {
	if h == nil {
		return DefaultHasher()
	}
	return h
}

// storedHashes is how one factor keeps its hashes.
type storedHashes interface {
	maxSize() int
	// open returns the hash to compare with; outdated: how it is kept is behind.
	open(a credential.Account) (hash string, outdated bool, err error)
	// seal turns a new hash into what is stored.
	seal(accountID, hash string) (string, error)
}

// hashVerifier compares with a stored hash.
type hashVerifier struct {
	hasher *Hasher
	stored storedHashes
}

// Verify implements [Verifier].
func (v hashVerifier) Verify(ctx context.Context, a credential.Account, presented credential.Secret, _ time.Time) (Verdict, error) {
	if n := len(presented.Reveal()); n < 1 || n > v.stored.maxSize() {
		return Verdict{Status: Invalid}, nil
	}
	hash, unsealed, err := v.stored.open(a)
	if err != nil {
		return Verdict{}, err
	}
	ok, behind, err := v.hasher.Compare(ctx, hash, presented)
	if err != nil {
		return Verdict{}, err
	}
	if !ok {
		return Verdict{Status: Invalid}, nil
	}
	return Verdict{Status: Valid, Outdated: behind || unsealed}, nil
}

// Rehash implements [Rehasher].
func (v hashVerifier) Rehash(ctx context.Context, a credential.Account, presented credential.Secret) (string, error) {
	hash, err := v.hasher.Hash(ctx, presented)
	if err != nil {
		return "", err
	}
	return v.stored.seal(a.ID, hash)
}

type passwordHashes struct{}

func (passwordHashes) maxSize() int { return MaxPasswordSize }

func (passwordHashes) open(a credential.Account) (string, bool, error) {
	return a.PasswordHash, false, nil
}

func (passwordHashes) seal(_, hash string) (string, error) { return hash, nil }

type pinHashes struct{ keys *credential.Keyring }

func (pinHashes) maxSize() int { return MaxPINSize }

func (p pinHashes) open(a credential.Account) (string, bool, error) {
	return p.keys.OpenPINHash(a.ID, a.PINHash)
}

func (p pinHashes) seal(accountID, hash string) (string, error) {
	return p.keys.SealPINHash(accountID, hash)
}
