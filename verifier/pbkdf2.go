package verifier

import (
	"crypto/pbkdf2"
	"crypto/sha1" //nolint:gosec // other systems have stored PBKDF2 with it
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"fmt"
	"hash"
	"strings"
)

// maxIterations costs less than bcrypt of the highest accepted cost, and is more
// than Django 6 takes (1,200,000) and OWASP's Password Storage cheat sheet asks for.
const maxIterations = 2_000_000

// prf is the hash function in the HMAC of PBKDF2.
type prf struct {
	new  func() hash.Hash
	size int
}

var (
	sha1PRF   = prf{sha1.New, sha1.Size}
	sha256PRF = prf{sha256.New, sha256.Size}
	sha512PRF = prf{sha512.New, sha512.Size}
)

// pbkdf2Scheme parses iterations$salt$tag. The tag has the size of the hash
// function: one of several blocks would cost all the iterations for each.
func pbkdf2Scheme(p prf, saltIn, tagIn encoding) func(rest string) (derivation, error) {
	return func(rest string) (derivation, error) {
		parts := strings.Split(rest, "$")
		if len(parts) != 3 {
			return derivation{}, errors.New("not iterations$salt$tag")
		}
		n, ok := number(parts[0], maxIterations)
		if !ok {
			return derivation{}, fmt.Errorf("iterations are not a number from 1 to %d", maxIterations)
		}
		salt, err := saltIn.read("salt", parts[1], 1, maxSchemeSalt)
		if err != nil {
			return derivation{}, err
		}
		tag, err := tagIn.read("tag", parts[2], p.size, p.size)
		if err != nil {
			return derivation{}, err
		}
		derive := func(value string) ([]byte, error) { return pbkdf2.Key(p.new, value, salt, n, p.size) }
		return derivation{derive: derive, tag: tag, digest: p.size}, nil
	}
}
