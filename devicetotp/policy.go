package devicetotp

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/verifier"
)

// Policy holds the limits and durations of the rules. Start from
// [DefaultPolicy] and change what you must: [NewIssuer] does not fill in zero
// fields, it checks them, so a Policy that is half filled is refused. A
// GraceWindow of 0 disables grace.
type Policy struct {
	// GraceWindow is how long after registration a device is issued without a
	// credential, both ends included. From 0, which closes it, to 24 hours.
	// Default: 5 minutes, as the published API description says.
	GraceWindow time.Duration
	// ClockTolerance is how far in the future a registration (or the creation
	// of a device that is asked for again) may lie and still count as now.
	// From 0 to 5 minutes. Default: 30 s.
	ClockTolerance time.Duration
	// GraceDevices is how many devices an account is ever issued on grace, and how
	// many may rest on grace at a time: those, and the ones made on their codes.
	// From 0, which closes it, to credential.MaxDevices. Default: 5.
	GraceDevices int

	// RetryWindow is how long a retry of the request is given the same device
	// again, counted from the creation of the device: the device of a request at
	// the end of GraceWindow is given again for so long after it. From 0, which is
	// never, to 10 minutes. Default: 5 minutes; a published client retries for
	// about two.
	RetryWindow time.Duration

	// MaxDevices is how many devices an account may have; from 1 to
	// credential.MaxDevices. One that was revoked takes its place for RetryWindow.
	// Default: 20.
	MaxDevices int
	// UnusedAfter is the age beyond which a never-used device makes room for a
	// new one, oldest first. At least RetryWindow and at least a minute.
	// Default: 24 hours.
	UnusedAfter time.Duration

	// RotationOverlap is how long a device that is being rotated has two secrets:
	// if no code of the new one is accepted within it, the new one is gone. From a
	// minute to 30 days. Default: 24 hours.
	RotationOverlap time.Duration

	// Algorithm, Digits and Period are the parameters of new secrets (RFC
	// 6238). Default: SHA1, 6, 30 s, which every authenticator app can do.
	// Digits are 6 or 8, because apps do not generate codes of 7; Period is
	// from 15 s to 120 s in whole seconds.
	Algorithm credential.Algorithm
	Digits    int
	Period    time.Duration
	// SecretSize is the length of a new secret in bytes. 0, the default, is
	// Algorithm.SecretSize(): 20 bytes for SHA1, 32 for SHA256, 64 for SHA512.
	// With SHA1 it may be from 16 (RFC 4226 requirement R6) to 64 (a block of
	// the hash). With the others there is no choice: some apps pad a secret
	// that is shorter than the hash, and then generate other codes.
	SecretSize int

	// OTPKinds are the kinds of user OTP that Create, Prove and Rotate accept:
	// verifier.KindAccount, verifier.KindDeviceTOTP, verifier.KindRecovery, or
	// the host's own words of 1 to 32 characters of a-z, 0-9 and "-"; each
	// once, at most credential.MaxCodes. Default: the first two. If it is
	// empty, no OTP is right, unless Config.OTP is the host's own: that decides
	// itself which kinds are right, and the list bounds only AddCode and
	// ProveRequest.Kinds.
	OTPKinds []string

	// Password and PIN are the attempt policies of those factors. Default: a wait
	// from the fifth failure on; blocked at 100 and 10.
	Password, PIN verifier.AttemptPolicy
	// OTP is the pace of one-time values that name no device: it slows down the
	// account. Default: a wait from the fifth failure on; it never blocks.
	OTP verifier.AttemptPolicy
	// Code is the attempt policy of each kind of one-time code. Default: a wait
	// from the fifth failure on; blocked at 20.
	Code verifier.AttemptPolicy
	// Recovery is the attempt policy of an account's recovery codes together.
	// Default: a wait from the fifth failure on; blocked at 100.
	Recovery verifier.AttemptPolicy
	// Device is the attempt policy of a device that requests name, and
	// UnnamedDevice that of a device which is compared with codes that name none.
	// Their BlockAt together must not exceed verifier.MaxFailures: so many wrong
	// values in a row are compared with a device at most. Default: a wait from the
	// fifth failure on, blocked at 20; 30 s from the fifth failure on, blocked at
	// 80.
	Device, UnnamedDevice verifier.AttemptPolicy
}

// DefaultPolicy returns the defaults named at each field.
func DefaultPolicy() Policy {
	return Policy{
		GraceWindow:     5 * time.Minute,
		ClockTolerance:  30 * time.Second,
		GraceDevices:    5,
		RetryWindow:     5 * time.Minute,
		MaxDevices:      20,
		UnusedAfter:     24 * time.Hour,
		RotationOverlap: 24 * time.Hour,
		Algorithm:       credential.AlgorithmSHA1,
		Digits:          6,
		Period:          30 * time.Second,
		OTPKinds:        []string{verifier.KindAccount, verifier.KindDeviceTOTP},
		Password:        verifier.DefaultAttempts(100),
		PIN:             verifier.DefaultAttempts(10),
		OTP:             verifier.AttemptPolicy{BackoffFrom: 5, Backoff: 30 * time.Second, MaxBackoff: time.Hour, BlockAt: verifier.NeverBlock},
		Code:            verifier.DefaultAttempts(20),
		Recovery:        verifier.DefaultAttempts(100),
		Device:          verifier.DefaultAttempts(20),
		UnnamedDevice:   verifier.AttemptPolicy{BackoffFrom: 5, Backoff: 30 * time.Second, MaxBackoff: 30 * time.Second, BlockAt: 80},
	}
}

// attempts returns the attempt policy of f.
func (p *Policy) attempts(f credential.Factor) verifier.AttemptPolicy {
	switch f {
	case credential.FactorPassword:
		return p.Password
	case credential.FactorPIN:
		return p.PIN
	default:
		return p.OTP
	}
}

// check reports every broken rule, by field, to m.
func (p *Policy) check(m *mistakes) {
	m.duration("GraceWindow", p.GraceWindow, 0, 24*time.Hour)
	m.duration("ClockTolerance", p.ClockTolerance, 0, 5*time.Minute)
	m.number("GraceDevices", p.GraceDevices, 0, credential.MaxDevices)
	m.duration("RetryWindow", p.RetryWindow, 0, 10*time.Minute)
	m.number("MaxDevices", p.MaxDevices, 1, credential.MaxDevices)
	m.duration("UnusedAfter", p.UnusedAfter, max(time.Minute, p.RetryWindow), 100*365*24*time.Hour)
	m.duration("RotationOverlap", p.RotationOverlap, time.Minute, 30*24*time.Hour)
	p.checkTOTP(m)
	p.checkKinds(m)
	p.checkAttempts(m)
}

func (p *Policy) checkAttempts(m *mistakes) {
	for _, a := range []struct {
		field  string
		policy verifier.AttemptPolicy
	}{{"OTP", p.OTP}, {"Password", p.Password}, {"PIN", p.PIN}, {"Code", p.Code}, {"Recovery", p.Recovery}, {"Device", p.Device}, {"UnnamedDevice", p.UnnamedDevice}} {
		var broken verifier.FieldErrors
		errors.As(a.policy.Check(), &broken)
		for _, b := range broken {
			m.add(a.field+"."+b.Field, "%s", b.Rule)
		}
		if a.field != "OTP" && a.policy.BlockAt == verifier.NeverBlock {
			m.add(a.field+".BlockAt", "is verifier.NeverBlock, so that guessing would never end")
		}
	}
	if sum := p.Device.BlockAt + p.UnnamedDevice.BlockAt; sum > verifier.MaxFailures {
		m.add("UnnamedDevice.BlockAt", "and Device.BlockAt are %d together, must be at most %d", sum, verifier.MaxFailures)
	}
}

// Bounds of new devices, narrower than those of verifier.TOTP, which also matches
// the codes of devices of other services.
const (
	minIssuedPeriod     = 15 * time.Second
	maxIssuedPeriod     = 120 * time.Second
	minIssuedSecretSize = 16 // RFC 4226 requirement R6
	// The block size of SHA-1. HMAC hashes a longer key first, which adds nothing
	// and which not every app does.
	maxIssuedSecretSize = 64
)

// checkTOTP holds the parameters of new devices to what authenticator apps can
// use, since a secret that was issued is never changed.
func (p *Policy) checkTOTP(m *mistakes) {
	fitted := p.Algorithm.SecretSize()
	if fitted == 0 {
		m.add("Algorithm", "%v is not an algorithm", p.Algorithm)
	}
	if p.Digits != 6 && p.Digits != 8 {
		m.add("Digits", "is %d, must be 6 or 8: authenticator apps do not generate codes of %d digits", p.Digits, p.Digits)
	}
	if p.Period%time.Second != 0 && minIssuedPeriod <= p.Period && p.Period <= maxIssuedPeriod {
		m.add("Period", "is %v, must be in whole seconds", p.Period)
	}
	m.duration("Period", p.Period, minIssuedPeriod, maxIssuedPeriod)
	switch {
	case p.SecretSize == 0, fitted == 0, p.SecretSize == fitted:
	case p.Algorithm != credential.AlgorithmSHA1:
		m.add("SecretSize", "is %d, must be %d, or 0 for that, with %v: some authenticator apps pad a shorter secret and then generate other codes",
			p.SecretSize, fitted, p.Algorithm)
	case p.SecretSize < minIssuedSecretSize || p.SecretSize > maxIssuedSecretSize:
		m.add("SecretSize", "is %d, must be from %d (RFC 4226 requirement R6) to %d (a block of the hash), or 0 for %d, with %v",
			p.SecretSize, minIssuedSecretSize, maxIssuedSecretSize, fitted, p.Algorithm)
	}
}

// secretSize returns the length of a new secret in bytes.
func (p *Policy) secretSize() int {
	if p.SecretSize == 0 {
		return p.Algorithm.SecretSize()
	}
	return p.SecretSize
}

func (p *Policy) checkKinds(m *mistakes) {
	for i, kind := range p.OTPKinds {
		if !validKind(kind) {
			m.add("OTPKinds", "%q is not 1 to 32 characters of a-z 0-9 -", kind)
		}
		if slices.Contains(p.OTPKinds[:i], kind) {
			m.add("OTPKinds", "duplicate kind %q", kind)
		}
	}
	if len(p.OTPKinds) > credential.MaxCodes {
		m.add("OTPKinds", "%d kinds, at most %d", len(p.OTPKinds), credential.MaxCodes)
	}
}

func validKind(kind string) bool {
	for i := range len(kind) {
		c := kind[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return len(kind) >= 1 && len(kind) <= 32
}

// mistakes gathers what is wrong with a configuration.
type mistakes struct {
	prefix string
	found  []error
}

func (m *mistakes) add(field, format string, args ...any) {
	m.found = append(m.found, &Error{Op: OpNewIssuer, Code: CodeInvalidArgument, Field: m.prefix + field, Err: fmt.Errorf(format, args...)})
}

func (m *mistakes) duration(field string, have, least, most time.Duration) {
	if have < least || have > most {
		m.add(field, "is %v, must be from %v to %v", have, least, most)
	}
}

func (m *mistakes) number(field string, have, least, most int) {
	if have < least || have > most {
		m.add(field, "is %d, must be from %d to %d", have, least, most)
	}
}

func (m *mistakes) err() error { return errors.Join(m.found...) }
