package credential

import (
	"encoding/base32"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/pquerna/otp"
)

// URI is what an otpauth address says: the secret of a device and its labels.
type URI struct {
	// Secret is the shared secret as raw bytes.
	Secret Secret
	// Algorithm, Digits and Period are the parameters of RFC 6238. If the
	// address leaves them out they are SHA1, 6 and 30 s, as the Key URI format
	// says.
	Algorithm Algorithm
	Digits    int
	Period    time.Duration
	// Issuer and Account are the labels; "" for none.
	Issuer, Account string
}

// ParseURI reads an otpauth address of a TOTP (Key URI format), for instance
// for Issuer.Import of package devicetotp. White space around it is left out,
// labels are decoded, and the parameter issuer counts before an issuer in the
// label. What it does not understand is an error, never a default: a duplicate
// parameter, an algorithm other than SHA1, SHA256 and SHA512, a number that is
// none. Digits and Period are not checked against the bounds of an import,
// which does so itself.
//
// No error shows the address or a part of it. An error has no code of package errors:
// a service that was sent the address must respond with 422 itself.
func ParseURI(address string) (URI, error) {
	key, err := otp.NewKeyFromURL(address)
	if err != nil { // which quotes the address
		return URI{}, errors.New("credential: not an address")
	}
	u, err := url.Parse(key.URL())
	if err != nil {
		return URI{}, errors.New("credential: not an address")
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return URI{}, errors.New("credential: the parameters of the address cannot be read")
	}
	for _, name := range [...]string{"secret", "issuer", "algorithm", "digits", "period", "encoder"} {
		if len(query[name]) > 1 {
			return URI{}, fmt.Errorf("credential: the address has the parameter %s twice", name)
		}
	}
	switch {
	case u.Scheme != "otpauth":
		return URI{}, errors.New("credential: the address is not an otpauth address")
	case !strings.EqualFold(key.Type(), "totp"):
		return URI{}, errors.New("credential: the address is not that of a TOTP")
	case query.Get("encoder") != "":
		return URI{}, errors.New("credential: the address asks for codes that are not digits")
	}
	return readURI(key, query)
}

// readURI reads the parameters. Those that pquerna/otp replaces by a default where
// they are not understood are read from query.
func readURI(key *otp.Key, query url.Values) (out URI, err error) {
	out = URI{Algorithm: AlgorithmSHA1, Digits: 6, Issuer: key.Issuer(), Account: strings.TrimSpace(key.AccountName())}
	if out.Secret, err = ParseBase32(key.Secret()); err != nil {
		return URI{}, err
	}
	if query.Has("algorithm") {
		if out.Algorithm, err = ParseAlgorithm(query.Get("algorithm")); err != nil {
			return URI{}, err
		}
	}
	digits, seconds := uint64(6), uint64(30)
	for _, p := range [...]struct {
		name   string
		number *uint64
	}{{"digits", &digits}, {"period", &seconds}} {
		if !query.Has(p.name) {
			continue
		}
		if *p.number, err = strconv.ParseUint(query.Get(p.name), 10, 16); err != nil || *p.number == 0 {
			return URI{}, fmt.Errorf("credential: the parameter %s of the address is not a small positive number", p.name)
		}
	}
	out.Digits, out.Period = int(digits), time.Duration(seconds)*time.Second
	return out, nil
}

// ParseBase32 reads a shared secret in base32 (RFC 4648) as people and systems
// write it: in any case, with or without padding, with spaces and dashes
// anywhere. No error shows the text or a part of it, or has a code: see [ParseURI].
func ParseBase32(text string) (Secret, error) {
	var b strings.Builder
	for _, r := range text {
		switch {
		case unicode.IsSpace(r) || unicode.Is(unicode.Pd, r):
		case 'a' <= r && r <= 'z': // nothing else: other letters become ASCII ones in upper case
			b.WriteRune(r - 'a' + 'A')
		default:
			b.WriteRune(r)
		}
	}
	digits := strings.TrimRight(b.String(), "=")
	if digits == "" {
		return Secret{}, errors.New("credential: the base32 text is empty")
	}
	for i := range len(digits) {
		if c := digits[i]; (c < 'A' || c > 'Z') && (c < '2' || c > '7') {
			return Secret{}, errors.New("credential: the base32 text has a character that is not one of A-Z and 2-7")
		}
	}
	raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(digits)
	if rest := len(digits) % 8; err != nil || rest == 1 || rest == 3 || rest == 6 { // no number of bytes has that length
		return Secret{}, errors.New("credential: the base32 text is cut short")
	}
	return NewSecret(string(raw)), nil
}

// ParseAlgorithm reads the name of an algorithm as services write it: SHA1,
// SHA256 or SHA512 in any case, also with a dash as in SHA-256, and after "Hmac".
// An error has no code: see [ParseURI].
func ParseAlgorithm(name string) (Algorithm, error) {
	plain := strings.ReplaceAll(strings.TrimPrefix(strings.ToLower(name), "hmac"), "-", "")
	for a := AlgorithmSHA1; a.SecretSize() != 0; a++ {
		if plain == strings.ToLower(a.String()) {
			return a, nil
		}
	}
	return 0, errors.New("credential: the algorithm is not SHA1, SHA256 or SHA512")
}
