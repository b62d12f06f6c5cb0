package verifier

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/bcrypt"

	"example.com/devicetotp/credential"
)

// Compare reports whether stored is a hash of value, and whether it is outdated:
// bcrypt, or argon2id of a lower cost (m times t) than new hashes have. It
// waits for its share of the budget: errors wrap [ErrBusy] or that of ctx.
//
// stored is argon2id in PHC string format, with m up to 262144 KiB, t up to 10,
// p up to 255, a salt of 8 to 48 and a tag of 16 to 64 bytes; or bcrypt as $2a$,
// $2b$ or $2y$ with a cost of 4 to 14. Anything else is an error that wraps
// [ErrHash], before any work. If stored is "", the work of a new hash is done
// and the answer is false.
//
// A value that is empty or longer than [MaxPasswordSize] never matches, and is
// not hashed. Against bcrypt, nor does one beyond 72 bytes or with a NUL in it:
// bcrypt does not read such values whole, so that others would match too.
func (h *Hasher) Compare(ctx context.Context, stored string, value credential.Secret) (ok, outdated bool, err error) {
	want := h.decoy
	switch {
	case stored == "":
	case isBcrypt(stored):
		ok, err = h.compareBcrypt(ctx, stored, value)
		return ok, ok, err
	case isArgon(stored):
		if want, err = parseArgon(stored); err != nil {
			return false, false, err
		}
	default:
		return false, false, unknownForm(stored)
	}
	if !fits(value, MaxPasswordSize) {
		return false, false, nil
	}
	tag, err := h.argon(ctx, want, value.Reveal())
	if err != nil {
		return false, false, err
	}
	ok = subtle.ConstantTimeCompare(tag, want.tag) == 1 && stored != ""
	return ok, ok && h.behind(want), nil
}

// behind reports whether stored costs an attacker less than a new hash.
func (h *Hasher) behind(stored argonHash) bool {
	return uint64(stored.memory)*uint64(stored.time) < uint64(h.cfg.Memory)*uint64(h.cfg.Time)
}

// maxBcryptInput is where bcrypt stops reading. It also reads its key in a
// circle with a NUL at the end, so that "ab" and "ab\x00ab" are one to it.
const maxBcryptInput = 72

// compareBcrypt refuses what bcrypt cannot tell apart, after the same work.
func (h *Hasher) compareBcrypt(ctx context.Context, stored string, value credential.Secret) (bool, error) {
	if _, err := parseBcrypt(stored); err != nil {
		return false, err
	}
	if !fits(value, MaxPasswordSize) {
		return false, nil
	}
	release, err := h.take(ctx, h.cfg.Memory)
	if err != nil {
		return false, err
	}
	defer release()
	presented := value.Reveal()
	readable := len(presented) <= maxBcryptInput && !strings.Contains(presented, "\x00")
	err = bcrypt.CompareHashAndPassword([]byte(stored), []byte(presented)[:min(len(presented), maxBcryptInput)])
	if err != nil && !errors.Is(err, bcrypt.ErrMismatchedHashAndPassword) {
		return false, fmt.Errorf("%w: %w", ErrHash, err)
	}
	return err == nil && readable, nil
}
