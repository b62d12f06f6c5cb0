package verifier

import (
	"crypto/subtle"
	"encoding/base32"
	"fmt"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"

	"example.com/devicetotp/credential"
)

// Bounds of a TOTP. The secret's is RFC 4226 requirement R6; the longest code
// is that of RFC 6238 appendix B.
const (
	MinSecretSize = 16
	MinTOTPDigits = 6
	MaxTOTPDigits = 8
	MinPeriod     = 15 * time.Second
	MaxPeriod     = 120 * time.Second
)

// TOTP makes and matches the codes of one device (RFC 6238). It is a strict
// wrapper around github.com/pquerna/otp, which accepts an empty secret, trims
// white space, and does not tell the time step.
type TOTP struct {
	// Secret is the shared secret as raw bytes, at least 16.
	Secret credential.Secret
	// Algorithm is SHA1, SHA256 or SHA512.
	Algorithm credential.Algorithm
	// Digits is from 6 to 8.
	Digits int
	// Period is from 15 s to 120 s, in whole seconds.
	Period time.Duration
}

// window is the order in which time steps are tried around the current one:
// one step of clock drift or transmission delay (RFC 6238 section 5.2).
var window = [...]int64{0, -1, +1}

// Step returns the time step at t: the number of whole periods since 1970, so
// negative before. A Period below a second, which no other method accepts,
// counts as one.
func (p TOTP) Step(t time.Time) int64 {
	seconds, period := t.Unix(), p.seconds()
	step := seconds / period
	if seconds%period < 0 {
		step--
	}
	return step
}

// AcceptedUntil returns the instant from which a code of step is too old: two
// periods after the step began, one of them for the drift.
func (p TOTP) AcceptedUntil(step int64) time.Time {
	return time.Unix((step+2)*p.seconds(), 0).UTC()
}

// seconds is the period, at least 1, so that the zero TOTP divides nothing by zero.
func (p TOTP) seconds() int64 { return max(1, int64(p.Period/time.Second)) }

// Code returns the code of one time step, which must be positive: the code of
// step 0 would be that of a clock that was never set.
func (p TOTP) Code(step int64) (credential.Secret, error) {
	if err := p.check(); err != nil {
		return credential.Secret{}, err
	}
	var buffer [encodedSize]byte
	code, err := p.generate(string(p.appendEncoded(buffer[:0])), step)
	if err != nil {
		return credential.Secret{}, err
	}
	return credential.NewSecret(code), nil
}

// Match tells whether code is that of a time step newer than after and no more
// than one step from that of now, and which. Each comparison takes constant
// time. A code that is not exactly Digits of ASCII 0-9 matches nothing. An
// error means parameters out of bounds.
func (p TOTP) Match(code credential.Secret, now time.Time, after int64) (step int64, ok bool, err error) {
	if err := p.check(); err != nil {
		return 0, false, err
	}
	if !credential.IsCode(code) || len(code.Reveal()) != p.Digits {
		return 0, false, nil
	}
	var buffer [encodedSize]byte
	encoded, presented := string(p.appendEncoded(buffer[:0])), code.Reveal()
	current := p.Step(now)
	for _, offset := range window {
		step = current + offset
		if step <= after || step <= 0 {
			continue
		}
		want, err := p.generate(encoded, step)
		if err != nil {
			return 0, false, err
		}
		if subtle.ConstantTimeCompare([]byte(want), []byte(presented)) == 1 {
			return step, true, nil
		}
	}
	return 0, false, nil
}

// check holds the bounds against whatever a database or a host says.
func (p TOTP) check() error {
	switch {
	case len(p.Secret.Reveal()) < MinSecretSize:
		return fmt.Errorf("verifier: secret has fewer than %d bytes", MinSecretSize)
	case p.Algorithm.SecretSize() == 0:
		return fmt.Errorf("verifier: %v is not an algorithm", p.Algorithm)
	case p.Digits < MinTOTPDigits || p.Digits > MaxTOTPDigits:
		return fmt.Errorf("verifier: %d digits, must be from %d to %d", p.Digits, MinTOTPDigits, MaxTOTPDigits)
	case p.Period < MinPeriod || p.Period > MaxPeriod || p.Period%time.Second != 0:
		return fmt.Errorf("verifier: period %v, must be whole seconds from %v to %v", p.Period, MinPeriod, MaxPeriod)
	}
	return nil
}

func (p TOTP) generate(encoded string, step int64) (string, error) {
	if step <= 0 {
		return "", fmt.Errorf("verifier: time step %d is not positive", step)
	}
	return hotp.GenerateCodeCustom(encoded, uint64(step), hotp.ValidateOpts{
		Digits: otp.Digits(p.Digits), Algorithm: otpAlgorithm(p.Algorithm),
	})
}

func otpAlgorithm(a credential.Algorithm) otp.Algorithm {
	switch a {
	case credential.AlgorithmSHA256:
		return otp.AlgorithmSHA256
	case credential.AlgorithmSHA512:
		return otp.AlgorithmSHA512
	default:
		return otp.AlgorithmSHA1
	}
}

var unpadded = base32.StdEncoding.WithPadding(base32.NoPadding)

// encodedSize has room for the base32 of the usual secrets, without allocating;
// a longer one grows.
const encodedSize = 128

// appendEncoded appends the secret in the form in which github.com/pquerna/otp
// takes it.
func (p TOTP) appendEncoded(buffer []byte) []byte {
	return unpadded.AppendEncode(buffer, []byte(p.Secret.Reveal()))
}

// DeviceMatch is a code that a device generated.
type DeviceMatch struct {
	DeviceID   string
	Step       int64     // the time step of the code
	Drift      int       // Step minus the current step
	ValidUntil time.Time // when the code is too old
	Outdated   bool      // the secret is sealed with an old key
}

// MatchDevice tells whether code is one that device d of the account may still
// use: of a step newer than its last accepted one. Errors mean that the sealed
// secret does not open or that d's parameters are out of bounds.
func MatchDevice(keys *credential.Keyring, accountID string, d credential.Device, code credential.Secret, now time.Time) (m DeviceMatch, ok bool, err error) {
	secret, outdated, err := keys.Open(credential.DeviceScope(accountID, &d), d.Sealed)
	if err != nil {
		return DeviceMatch{}, false, fmt.Errorf("verifier: device %s: %w", d.ID, err)
	}
	p := TOTP{Secret: secret, Algorithm: d.Algorithm, Digits: d.Digits, Period: d.Period}
	step, ok, err := p.Match(code, now, d.LastStep)
	if err != nil {
		return DeviceMatch{}, false, fmt.Errorf("verifier: device %s: %w", d.ID, err)
	}
	if !ok {
		return DeviceMatch{}, false, nil
	}
	return DeviceMatch{
		DeviceID: d.ID, Step: step, Drift: int(step - p.Step(now)),
		ValidUntil: p.AcceptedUntil(step), Outdated: outdated,
	}, true, nil
}
