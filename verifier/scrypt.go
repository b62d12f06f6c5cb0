package verifier

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/crypto/scrypt"
)

// Limits of scrypt. The work is N*r*p blocks of 128 bytes, and the memory N*r of
// them: at most 256 MiB, as for argon2id.
const (
	maxScryptWork = 1 << 21
	maxScryptR    = 32
	maxScryptP    = 32
	minScryptTag  = 16
	maxScryptTag  = 64
)

// djangoScrypt parses N$salt$r$p$tag.
func djangoScrypt(rest string) (derivation, error) {
	parts := strings.Split(rest, "$")
	if len(parts) != 5 {
		return derivation{}, errors.New("not N$salt$r$p$tag")
	}
	return scryptOf(scryptCost{parts[0], parts[2], parts[3]}, parts[1], inText, parts[4], inBase64)
}

// werkzeugScrypt parses N:r:p$salt$tag.
func werkzeugScrypt(rest string) (derivation, error) {
	parts := strings.Split(rest, "$")
	cost := strings.Split(parts[0], ":")
	if len(parts) != 3 || len(cost) != 3 {
		return derivation{}, errors.New("not N:r:p$salt$tag")
	}
	return scryptOf(scryptCost{cost[0], cost[1], cost[2]}, parts[1], inText, parts[2], inHex)
}

// phcScrypt parses ln=L,r=R,p=P$salt$tag, as passlib writes it. N is 2 to the L.
func phcScrypt(rest string) (derivation, error) {
	parts := strings.Split(rest, "$")
	if len(parts) != 3 {
		return derivation{}, errors.New("not ln=...,r=...,p=...$salt$tag")
	}
	cost := strings.Split(parts[0], ",")
	for i, name := range []string{"ln=", "r=", "p="} {
		if len(cost) != 3 || !strings.HasPrefix(cost[i], name) {
			return derivation{}, errors.New("not ln=...,r=...,p=...$salt$tag")
		}
		cost[i] = cost[i][len(name):]
	}
	ln, ok := number(cost[0], 21)
	if !ok {
		return derivation{}, errors.New("ln is not a number from 1 to 21")
	}
	return scryptOf(scryptCost{strconv.Itoa(1 << ln), cost[1], cost[2]}, parts[1], inRawBase64, parts[2], inRawBase64)
}

// scryptCost is N, r and p as they are stored.
type scryptCost struct{ n, r, p string }

// scryptOf returns the derivation, if its cost is within the limits.
func scryptOf(cost scryptCost, saltText string, saltIn encoding, tagText string, tagIn encoding) (derivation, error) {
	n, nOK := number(cost.n, maxScryptWork)
	r, rOK := number(cost.r, maxScryptR)
	p, pOK := number(cost.p, maxScryptP)
	if !nOK || !rOK || !pOK || n < 2 || n&(n-1) != 0 || uint64(n)*uint64(r)*uint64(p) > maxScryptWork {
		return derivation{}, fmt.Errorf("N, r and p are not a power of 2 from 2, a number from 1 to %d and one from 1 to %d, of a product up to %d",
			maxScryptR, maxScryptP, maxScryptWork)
	}
	salt, err := saltIn.read("salt", saltText, 1, maxSchemeSalt)
	if err != nil {
		return derivation{}, err
	}
	tag, err := tagIn.read("tag", tagText, minScryptTag, maxScryptTag)
	if err != nil {
		return derivation{}, err
	}
	derive := func(value string) ([]byte, error) { return scrypt.Key([]byte(value), salt, n, r, p, len(tag)) }
	return derivation{derive: derive, tag: tag, memory: uint32((n + p) * r / 8), digest: sha256.Size}, nil
}
