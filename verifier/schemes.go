package verifier

import (
	"context"
	"crypto/subtle"
	"fmt"
	"strings"
	"unicode/utf8"

	"example.com/devicetotp/credential"
)

// schemes are how other systems keep hashes. They are accepted, so that users can
// sign in, and never made: what matches is outdated, whatever it cost.
var schemes = []struct {
	form  string
	parse func(rest string) (derivation, error) // what follows the form
}{
	{"pbkdf2_sha256$", pbkdf2Scheme(sha256PRF, inText, inBase64)}, // Django
	{"pbkdf2_sha1$", pbkdf2Scheme(sha1PRF, inText, inBase64)},
	{"$pbkdf2-sha512$", pbkdf2Scheme(sha512PRF, inAdaptedBase64, inAdaptedBase64)}, // passlib
	{"$pbkdf2-sha256$", pbkdf2Scheme(sha256PRF, inAdaptedBase64, inAdaptedBase64)},
	{"$pbkdf2$", pbkdf2Scheme(sha1PRF, inAdaptedBase64, inAdaptedBase64)},
	{"pbkdf2:sha512:", pbkdf2Scheme(sha512PRF, inText, inHex)}, // Werkzeug
	{"pbkdf2:sha256:", pbkdf2Scheme(sha256PRF, inText, inHex)},
	{"pbkdf2:sha1:", pbkdf2Scheme(sha1PRF, inText, inHex)},
	{"scrypt$", djangoScrypt},
	{"$scrypt$", phcScrypt},
	{"scrypt:", werkzeugScrypt},
}

// derivation is a parsed hash: a key that is derived from the value.
type derivation struct {
	derive func(value string) ([]byte, error)
	tag    []byte
	memory uint32 // KiB
	digest int    // bytes of the hash function in the HMAC
}

// parseScheme returns the derivation of a stored hash. What is of no scheme is an
// error that says what it is instead, if that is known.
func parseScheme(stored string) (derivation, error) {
	for _, s := range schemes {
		rest, ok := strings.CutPrefix(stored, s.form)
		if !ok {
			continue
		}
		d, err := s.parse(rest)
		if err != nil {
			return derivation{}, fmt.Errorf("%w: %s...: %w", ErrHash, s.form, err)
		}
		return d, nil
	}
	return derivation{}, unknownForm(stored)
}

// compareScheme compares with a hash that is neither argon2id nor bcrypt.
func (h *Hasher) compareScheme(ctx context.Context, stored string, value credential.Secret) (bool, error) {
	d, err := parseScheme(stored)
	if err != nil || !fits(value, MaxPasswordSize) {
		return false, err
	}
	// At least what a new hash takes, because it keeps a processor busy.
	release, err := h.take(ctx, max(d.memory, h.cfg.Memory))
	if err != nil {
		return false, err
	}
	defer release()
	tag, err := d.derive(value.Reveal())
	if err != nil {
		return false, fmt.Errorf("%w: %w", ErrHash, err)
	}
	return subtle.ConstantTimeCompare(tag, d.tag) == 1 && tellable(value.Reveal(), d.digest), nil
}

// tellable reports whether HMAC can tell value from others, as far as one can see.
// It fills its key up with NULs, and replaces a long one by its digest: "ab" and
// "ab\x00" are one to it, and so are a long password and 32 bytes of SHA-256.
func tellable(value string, digest int) bool {
	return !strings.Contains(value, "\x00") && (len(value) != digest || utf8.ValidString(value))
}
