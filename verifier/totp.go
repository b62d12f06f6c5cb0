package verifier

import (
	"crypto/subtle"
	"fmt"
	"time"

	"example.com/devicetotp/credential"
)

// Bounds of a TOTP. They fit the devices that other services have issued: 10
// bytes are the secret of old authenticator apps, and the 31 bits of RFC 4226
// section 5.3 fill at most 10 digits. devicetotp.Policy has narrower bounds for
// new devices.
const (
	MinSecretSize = 10  // bytes
	MaxSecretSize = 128 // bytes
	MinTOTPDigits = 6
	MaxTOTPDigits = 10
	MinPeriod     = 10 * time.Second
	MaxPeriod     = 300 * time.Second
)

// TOTP generates and matches the codes of one device (RFC 4226 and RFC 6238).
// Its methods return an error if a field is out of bounds.
type TOTP struct {
	// Secret is the shared secret as raw bytes, from 10 to 128.
	Secret credential.Secret
	// Algorithm is SHA1, SHA256 or SHA512.
	Algorithm credential.Algorithm
	// Digits is from 6 to 10.
	Digits int
	// Period is from 10 s to 300 s, in whole seconds.
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
	secret := p.Secret.Reveal()
	if err := p.check(len(secret)); err != nil {
		return credential.Secret{}, err
	}
	if step <= 0 {
		return credential.Secret{}, fmt.Errorf("verifier: time step %d is not positive", step)
	}
	g := newGenerator(p, secret)
	defer p.release(g)
	return credential.NewSecret(fmt.Sprintf("%0*d", p.Digits, g.code(step))), nil
}

// Match reports whether code belongs to a time step that is newer than after
// and no more than one step from the current one, and to which. Each comparison
// takes constant time. A code that is not exactly Digits of ASCII 0-9 matches
// nothing. An error means that a field of p is out of bounds.
func (p TOTP) Match(code credential.Secret, now time.Time, after int64) (step int64, ok bool, err error) {
	return matchSecret(p, p.Secret.Reveal(), code, now, after)
}

// matchSecret is Match with a secret that is not in p.
func matchSecret[S string | []byte](p TOTP, secret S, code credential.Secret, now time.Time, after int64) (step int64, ok bool, err error) {
	if err := p.check(len(secret)); err != nil {
		return 0, false, err
	}
	if len(code.Reveal()) != p.Digits || !credential.IsCode(code) {
		return 0, false, nil
	}
	var presented uint64
	for _, digit := range []byte(code.Reveal()) {
		presented = presented*10 + uint64(digit-'0')
	}
	g := newGenerator(p, secret)
	defer p.release(g)
	current := p.Step(now)
	for _, offset := range window {
		step = current + offset
		if step <= after || step <= 0 {
			continue
		}
		if equal(g.code(step), presented) {
			return step, true, nil
		}
	}
	return 0, false, nil
}

// check holds the bounds, with a secret of that size, against whatever a database
// or a host says.
func (p TOTP) check(size int) error {
	switch {
	case size < MinSecretSize || size > MaxSecretSize:
		return fmt.Errorf("verifier: secret of %d bytes, must be from %d to %d", size, MinSecretSize, MaxSecretSize)
	case p.Algorithm.SecretSize() == 0:
		return fmt.Errorf("verifier: %v is not an algorithm", p.Algorithm)
	case p.Digits < MinTOTPDigits || p.Digits > MaxTOTPDigits:
		return fmt.Errorf("verifier: %d digits, must be from %d to %d", p.Digits, MinTOTPDigits, MaxTOTPDigits)
	case p.Period < MinPeriod || p.Period > MaxPeriod || p.Period%time.Second != 0:
		return fmt.Errorf("verifier: period %v, must be whole seconds from %v to %v", p.Period, MinPeriod, MaxPeriod)
	}
	return nil
}

// equal compares in constant time. A code of ten digits can need more than the
// 32 bits that subtle compares at once.
func equal(a, b uint64) bool {
	return subtle.ConstantTimeEq(int32(a>>32), int32(b>>32))&subtle.ConstantTimeEq(int32(a), int32(b)) == 1
}
