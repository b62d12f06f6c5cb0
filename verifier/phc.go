package verifier

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// ErrHash says that a stored hash is of no accepted form, or beyond the limits.
// The error around it names the rule, and the form if another known system has
// it ("$6$"); it never quotes the hash.
var ErrHash = errors.New("verifier: stored hash is not accepted")

// Limits of a stored argon2id hash. One beyond them is refused before any
// memory is taken: m and t are otherwise spent as told.
const (
	maxArgonMemory  = 262144 // KiB, so 256 MiB
	maxArgonTime    = 10
	maxArgonThreads = 255 // Go programs hash with as many as there are processors
	minArgonSalt    = 8
	maxArgonSalt    = 48
	minArgonTag     = 16
	maxArgonTag     = 64
	argonVersion    = 19
)

// argonHash is a parsed argon2id hash.
type argonHash struct {
	memory  uint32 // KiB
	time    uint32
	threads uint8
	salt    []byte
	tag     []byte
}

// parseArgon reads an argon2id hash in PHC string format, in the one form that
// the reference implementation writes: $argon2id$v=19$m=M,t=T,p=P$salt$tag.
func parseArgon(s string) (argonHash, error) {
	parts := strings.Split(s, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" {
		return argonHash{}, fmt.Errorf("%w: not $argon2id$v=...$m=...,t=...,p=...$salt$tag", ErrHash)
	}
	if parts[2] != "v="+strconv.Itoa(argonVersion) {
		return argonHash{}, fmt.Errorf("%w: version is not v=%d", ErrHash, argonVersion)
	}
	params := strings.Split(parts[3], ",")
	if len(params) != 3 {
		return argonHash{}, fmt.Errorf("%w: parameters are not m,t,p", ErrHash)
	}
	m, err := phcNumber(params[0], "m=", maxArgonMemory)
	if err != nil {
		return argonHash{}, err
	}
	t, err := phcNumber(params[1], "t=", maxArgonTime)
	if err != nil {
		return argonHash{}, err
	}
	p, err := phcNumber(params[2], "p=", maxArgonThreads)
	if err != nil {
		return argonHash{}, err
	}
	if m < 8*p { // RFC 9106 section 3.1
		return argonHash{}, fmt.Errorf("%w: m is below 8*p", ErrHash)
	}
	salt, err := phcBytes(parts[4], "salt", minArgonSalt, maxArgonSalt)
	if err != nil {
		return argonHash{}, err
	}
	tag, err := phcBytes(parts[5], "tag", minArgonTag, maxArgonTag)
	if err != nil {
		return argonHash{}, err
	}
	return argonHash{memory: m, time: t, threads: uint8(p), salt: salt, tag: tag}, nil
}

// phcNumber reads prefix and a decimal number from 1 to limit without a sign or
// a leading zero.
func phcNumber(s, prefix string, limit uint64) (uint32, error) {
	digits, ok := strings.CutPrefix(s, prefix)
	n, err := strconv.ParseUint(digits, 10, 32)
	if !ok || err != nil || n < 1 || n > limit || strconv.FormatUint(n, 10) != digits {
		return 0, fmt.Errorf("%w: %s is not a number from 1 to %d", ErrHash, strings.TrimSuffix(prefix, "="), limit)
	}
	return uint32(n), nil
}

// phcBytes reads unpadded standard base64 in its canonical form.
func phcBytes(s, name string, least, most int) ([]byte, error) {
	if base64.RawStdEncoding.DecodedLen(len(s)) > most || strings.ContainsAny(s, "\r\n") {
		return nil, fmt.Errorf("%w: %s is not base64 of %d to %d bytes", ErrHash, name, least, most)
	}
	b, err := base64.RawStdEncoding.Strict().DecodeString(s)
	if err != nil || len(b) < least {
		return nil, fmt.Errorf("%w: %s is not base64 of %d to %d bytes", ErrHash, name, least, most)
	}
	return b, nil
}

// String writes the hash in PHC string format.
func (h argonHash) String() string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argonVersion, h.memory, h.time, h.threads,
		base64.RawStdEncoding.EncodeToString(h.salt), base64.RawStdEncoding.EncodeToString(h.tag))
}

// Limits of a stored bcrypt hash.
const (
	bcryptLength  = 60
	minBcryptCost = 4  // of the algorithm
	maxBcryptCost = 14 // a second or so
)

const bcryptAlphabet = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// isBcrypt reports whether s claims to be a bcrypt hash of an accepted version.
func isBcrypt(s string) bool {
	return strings.HasPrefix(s, "$2a$") || strings.HasPrefix(s, "$2b$") || strings.HasPrefix(s, "$2y$")
}

// isArgon reports whether s claims to be an argon2id hash.
func isArgon(s string) bool { return strings.HasPrefix(s, "$argon2id$") }

// parseBcrypt checks the form of a bcrypt hash and returns its cost.
func parseBcrypt(s string) (cost int, err error) {
	if len(s) != bcryptLength || s[0] != '$' || s[1] != '2' || !strings.ContainsRune("aby", rune(s[2])) ||
		s[3] != '$' || s[6] != '$' || strings.Trim(s[7:], bcryptAlphabet) != "" {
		return 0, fmt.Errorf("%w: not a bcrypt hash of %d characters ($2a$, $2b$ or $2y$)", ErrHash, bcryptLength)
	}
	if cost, err = strconv.Atoi(s[4:6]); err != nil || s[4] < '0' || s[4] > '9' || cost < minBcryptCost || cost > maxBcryptCost {
		return 0, fmt.Errorf("%w: bcrypt cost is not from %d to %d", ErrHash, minBcryptCost, maxBcryptCost)
	}
	return cost, nil
}
