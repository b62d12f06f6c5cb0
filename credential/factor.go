package credential

import "strconv"

// A Factor is one kind of proof that an account may present. The zero value is
// no factor.
type Factor uint8

// The factors, in the order in which they are checked.
const (
	FactorOTP      Factor = iota + 1 // a one-time code, or the code of an own device
	FactorPassword                   // the account's password
	FactorPIN                        // the account's PIN
)

// Factors returns every factor in the order of precedence: OTP, password, PIN.
func Factors() [3]Factor { return [3]Factor{FactorOTP, FactorPassword, FactorPIN} }

// String returns "otp", "password" or "pin".
func (f Factor) String() string {
	switch f {
	case FactorOTP:
		return "otp"
	case FactorPassword:
		return "password"
	case FactorPIN:
		return "pin"
	default:
		return "factor(" + strconv.Itoa(int(f)) + ")"
	}
}

// A Basis says on what a device was created. The zero value is none.
type Basis uint8

// The bases.
const (
	BasisGrace    Basis = iota + 1 // within the grace window, nothing presented
	BasisOTP                       // a user OTP
	BasisPassword                  // the password
	BasisPIN                       // the PIN
	BasisImported                  // imported: another system made the device
)

// BasisOf returns the basis of a device that was created on f.
func BasisOf(f Factor) Basis {
	switch f {
	case FactorOTP:
		return BasisOTP
	case FactorPassword:
		return BasisPassword
	case FactorPIN:
		return BasisPIN
	default:
		return 0
	}
}

// Factor returns the factor that the device was created on; ok is false if it
// was none.
func (b Basis) Factor() (f Factor, ok bool) {
	switch b {
	case BasisOTP:
		return FactorOTP, true
	case BasisPassword:
		return FactorPassword, true
	case BasisPIN:
		return FactorPIN, true
	default:
		return 0, false
	}
}

// String returns "grace", "otp", "password", "pin" or "imported"; "none" for
// the zero value.
func (b Basis) String() string {
	switch b {
	case 0:
		return "none"
	case BasisGrace:
		return "grace"
	case BasisImported:
		return "imported"
	}
	if f, ok := b.Factor(); ok {
		return f.String()
	}
	return "basis(" + strconv.Itoa(int(b)) + ")"
}

// An Algorithm is the HMAC hash of a TOTP. The zero value is none. MD5, which
// some published enumerations list, does not exist here: clients compute SHA1
// where MD5 is asked for.
type Algorithm uint8

// The algorithms of RFC 6238.
const (
	AlgorithmSHA1 Algorithm = iota + 1
	AlgorithmSHA256
	AlgorithmSHA512
)

// String returns "SHA1", "SHA256" or "SHA512".
func (a Algorithm) String() string {
	switch a {
	case AlgorithmSHA1:
		return "SHA1"
	case AlgorithmSHA256:
		return "SHA256"
	case AlgorithmSHA512:
		return "SHA512"
	default:
		return "algorithm(" + strconv.Itoa(int(a)) + ")"
	}
}

// SecretSize returns the length in bytes of a new secret for a: the output
// length of the hash (RFC 6238 section 5.1), so 20, 32 or 64. Zero if a is not
// an algorithm.
func (a Algorithm) SecretSize() int {
	switch a {
	case AlgorithmSHA1:
		return 20
	case AlgorithmSHA256:
		return 32
	case AlgorithmSHA512:
		return 64
	default:
		return 0
	}
}
