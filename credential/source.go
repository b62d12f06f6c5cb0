package credential

import (
	"context"
	"crypto/rand"
	"fmt"
	"math/big"
)

// A SecretSource makes the shared secrets of new devices, for instance in a
// hardware module. NewSecret returns size bytes from a cryptographically strong
// source (RFC 4226 requirement R6); another length is refused as an internal
// error. It must be safe for concurrent use.
type SecretSource interface {
	NewSecret(ctx context.Context, size int) (Secret, error)
}

// RandomSecrets returns the source that reads crypto/rand.
func RandomSecrets() SecretSource { return randomSecrets{} }

type randomSecrets struct{}

func (randomSecrets) NewSecret(_ context.Context, size int) (Secret, error) {
	b := make([]byte, size)
	_, _ = rand.Read(b) // never fails: crypto/rand ends the process instead
	return NewSecret(string(b)), nil
}

// Lengths of a one-time code in digits. Eight is the default that the library
// recommends; NIST SP 800-63B-4 section 3.1.3.2 asks for at least six.
const (
	MinCodeDigits     = 6
	DefaultCodeDigits = 8
	MaxCodeDigits     = 10
)

// NewCode makes a one-time code of [MinCodeDigits] to [MaxCodeDigits] decimal
// digits, evenly drawn from crypto/rand. Send it to the user and give it to
// Issuer.AddCode.
func NewCode(digits int) (Secret, error) {
	if digits < MinCodeDigits || digits > MaxCodeDigits {
		return Secret{}, fmt.Errorf("credential: a one-time code has %d to %d digits, not %d",
			MinCodeDigits, MaxCodeDigits, digits)
	}
	limit := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(digits)), nil)
	n, err := rand.Int(rand.Reader, limit)
	if err != nil {
		return Secret{}, fmt.Errorf("credential: drawing a one-time code: %w", err)
	}
	return NewSecret(fmt.Sprintf("%0*d", digits, n)), nil
}

// IsCode reports whether s has the form of a code: [MinCodeDigits] to
// [MaxCodeDigits] ASCII digits and nothing else. White space and the digits of
// other scripts are not: they would make one code look like several.
func IsCode(s Secret) bool {
	text := s.Reveal()
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return false
		}
	}
	return len(text) >= MinCodeDigits && len(text) <= MaxCodeDigits
}
