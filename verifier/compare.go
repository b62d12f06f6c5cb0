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

// Compare reports whether stored is a hash of value, and if so whether it is
// outdated: it is not argon2id, or has the prefix of another system, or m or t
// below those of new hashes, or a salt below 16 bytes, or is below every row of
// OWASP's Password Storage cheat sheet (m=47104 t=1, 19456 2, 12288 3, 9216 4,
// 7168 5), whatever is configured.
// More or fewer lanes (p) make a hash no weaker: an attacker who tries many
// values keeps every processor busy with either. Compare waits for its share of
// the budget: errors wrap [ErrBusy] or that of ctx.
//
// stored is argon2id in PHC string format, with m up to 262144 KiB, t up to 10,
// p up to 255, a salt of 8 to 48 and a tag of 16 to 64 bytes; or bcrypt as $2a$,
// $2b$ or $2y$ with a cost of 4 to 14; or of a form of another system that the
// package documentation lists. Anything else is an error that wraps [ErrHash],
// before any work. If stored is "", or what Django stores for a user who has no
// password, the work of a new hash is done and the answer is false.
//
// So the time of a comparison depends on the stored hash: if its cost is not
// the configured one, it takes another time than an account without a hash,
// until it is renewed. A hash with a higher cost is fresh and keeps its own
// time.
//
// A value that is empty or longer than [MaxPasswordSize] never matches, and is
// not hashed. Against anything but argon2id, nor does one with a NUL in it, nor
// against bcrypt one beyond 72 bytes: such values are not read whole, so that
// others would match too.
func (h *Hasher) Compare(ctx context.Context, stored string, value credential.Secret) (ok, outdated bool, err error) {
	m, err := h.compare(ctx, stored, value)
	return m.ok, m.ok && (m.behind || m.substandard), err
}

// match is what a comparison found. Without ok it says nothing about the hash.
type match struct {
	ok          bool
	behind      bool // a new hash would be stronger in some number, or of the form that is made here
	substandard bool // below OWASP's rows
}

func (h *Hasher) compare(ctx context.Context, stored string, value credential.Secret) (match, error) {
	want, err := h.decoy, error(nil)
	prefix, hash := splitPrefix(stored)
	switch {
	case isUnset(stored):
	case isBcrypt(hash):
		ok, err := h.compareBcrypt(ctx, hash, value)
		return match{ok: ok, behind: true}, err
	case isArgon(hash):
		want, err = parseArgon(hash)
	default:
		ok, err := h.compareScheme(ctx, stored, value)
		return match{ok: ok, behind: true}, err
	}
	if err != nil || !fits(value, MaxPasswordSize) {
		return match{}, err
	}
	tag, err := h.argon(ctx, want, value.Reveal())
	if err != nil {
		return match{}, err
	}
	ok := subtle.ConstantTimeCompare(tag, want.tag) == 1 && !isUnset(stored)
	return match{ok: ok, behind: h.behind(want) || prefix != "", substandard: !meetsStandard(want)}, nil
}

// behind reports whether a new hash would be stronger than stored in some number.
func (h *Hasher) behind(stored argonHash) bool {
	return stored.memory < h.cfg.Memory || stored.time < h.cfg.Time || len(stored.salt) < newSaltSize
}

// standardCosts are the rows of OWASP's Password Storage cheat sheet for argon2id.
var standardCosts = []struct{ memory, time uint32 }{{47104, 1}, {19456, 2}, {12288, 3}, {9216, 4}, {7168, 5}}

// meetsStandard reports whether stored has the cost of one of these rows or more
// in each number.
func meetsStandard(stored argonHash) bool {
	for _, row := range standardCosts {
		if stored.memory >= row.memory && stored.time >= row.time {
			return true
		}
	}
	return false
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
