package verifier

import (
	"context"
	"errors"

	"example.com/devicetotp/credential"
)

// Longest values in bytes. A longer one is wrong where it is presented, without
// hashing, and refused with [ErrSize] where it would be set.
const (
	MaxPasswordSize = 1024
	MaxPINSize      = 64
)

// ErrSize says that a value is empty or too long to be hashed: no verifier would
// ever accept it.
var ErrSize = errors.New("verifier: value is not hashed")

// fits reports whether value is worth hashing: it is neither empty nor longer
// than most bytes. Whatever hashes asks it.
func fits(value credential.Secret, most int) bool {
	n := len(value.Reveal())
	return n >= 1 && n <= most
}

// Password returns the verifier that compares with the account's PasswordHash.
// A nil h means [DefaultHasher].
func Password(h *Hasher) Rehasher { return hashVerifier{hasherOr(h), passwordHashes{}} }

// PIN returns the verifier that compares with the account's PINHash, sealed by
// keys or bare. A nil h means [DefaultHasher].
func PIN(keys *credential.Keyring, h *Hasher) Rehasher {
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
	open(accountID, stored string) (hash string, outdated bool, err error)
	// seal turns a new hash into what is stored.
	seal(accountID, hash string) (string, error)
}

// hashVerifier compares with a stored hash.
type hashVerifier struct {
	hasher *Hasher
	stored storedHashes
}

// Verify implements [Verifier].
func (v hashVerifier) Verify(ctx context.Context, q Query) (Verdict, error) {
	if !fits(q.Presented, v.stored.maxSize()) {
		return Verdict{Status: StatusWrong}, nil
	}
	hash, unsealed, err := v.stored.open(q.AccountID, q.Hash.Reveal())
	if err != nil {
		return Verdict{}, err
	}
	m, err := v.hasher.compare(ctx, hash, q.Presented)
	if err != nil {
		return Verdict{}, err
	}
	if !m.ok {
		return Verdict{Status: StatusWrong}, nil
	}
	// Not for what is below the standard alone: if less is configured, renewing
	// would bring nothing, or a weaker hash.
	return Verdict{Status: StatusValid, Outdated: m.behind || unsealed}, nil
}

// Rehash implements [Rehasher].
func (v hashVerifier) Rehash(ctx context.Context, q Query) (string, error) {
	hash, err := v.hasher.hash(ctx, q.Presented, v.stored.maxSize())
	if err != nil {
		return "", err
	}
	return v.stored.seal(q.AccountID, hash)
}

type passwordHashes struct{}

func (passwordHashes) maxSize() int { return MaxPasswordSize }

func (passwordHashes) open(_, stored string) (string, bool, error) {
	return stored, false, nil
}

func (passwordHashes) seal(_, hash string) (string, error) { return hash, nil }

type pinHashes struct{ keys *credential.Keyring }

func (pinHashes) maxSize() int { return MaxPINSize }

func (p pinHashes) open(accountID, stored string) (string, bool, error) {
	return p.keys.OpenPINHash(accountID, stored)
}

func (p pinHashes) seal(accountID, hash string) (string, error) {
	return p.keys.SealPINHash(accountID, hash)
}
