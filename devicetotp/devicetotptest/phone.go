package devicetotptest

import (
	"context"
	"encoding/base32"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"

	"example.com/devicetotp/clock"
	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
)

// Phone plays the device: it generates codes from what Create gave it. It does so
// with github.com/pquerna/otp, so that a test of Verify compares two
// implementations.
type Phone struct {
	// DeviceID is the id of the device.
	DeviceID string

	secret string // in base32
	opts   totp.ValidateOpts
	clock  clock.Clock
	t      testing.TB
}

var peerAlgorithms = map[credential.Algorithm]otp.Algorithm{
	credential.AlgorithmSHA1:   otp.AlgorithmSHA1,
	credential.AlgorithmSHA256: otp.AlgorithmSHA256,
	credential.AlgorithmSHA512: otp.AlgorithmSHA512,
}

// Phone returns the phone of an issued device, on the world's clock. A device
// that lacks its secret, period, digits or algorithm fails the test.
func (w *World) Phone(d devicetotp.DeviceTOTP) *Phone {
	w.t.Helper()
	algorithm, known := peerAlgorithms[d.Algorithm]
	switch { // otp takes an empty secret, and a zero for the default or the first value
	case d.Secret.Reveal() == "":
		w.t.Fatalf("devicetotptest: phone: the device has no secret")
	case !known:
		w.t.Fatalf("devicetotptest: phone: %v is not an algorithm", d.Algorithm)
	case d.Digits < 6 || d.Digits > 10:
		w.t.Fatalf("devicetotptest: phone: %d digits, must be from 6 to 10", d.Digits)
	case d.Period < time.Second || d.Period%time.Second != 0:
		w.t.Fatalf("devicetotptest: phone: period %v, must be whole seconds", d.Period)
	}
	return &Phone{
		DeviceID: d.ID,
		secret:   base32.StdEncoding.EncodeToString([]byte(d.Secret.Reveal())),
		opts:     totp.ValidateOpts{Period: uint(d.Period / time.Second), Digits: otp.Digits(d.Digits), Algorithm: algorithm},
		clock:    w.Clock, t: w.t,
	}
}

// Code returns the code of the current time step.
func (p *Phone) Code() credential.Secret { return p.Drifted(0) }

// Drifted returns the code of a phone whose clock is off by that many time
// steps: -1 is one period slow. A time before the first step fails the test.
func (p *Phone) Drifted(steps int) credential.Secret {
	p.t.Helper()
	period := int64(p.opts.Period)
	at := p.clock.Now().Unix() + int64(steps)*period
	if at < period {
		p.t.Fatalf("devicetotptest: generating a code: %v is before the first time step", time.Unix(at, 0).UTC())
	}
	code, err := totp.GenerateCodeCustom(p.secret, time.Unix(at, 0), p.opts)
	if err != nil {
		p.t.Fatalf("devicetotptest: generating a code: %v", err)
	}
	return credential.NewSecret(code)
}

// Secrets is a predictable SecretSource: the scripted secrets first, then
// "secret-0000000001" and so on, with "." behind it or a zero less for the size
// asked for, so that they differ at every size that a Policy allows. It is safe
// for concurrent use.
type Secrets struct {
	mu       sync.Mutex
	scripted []scripted
	made     int
}

type scripted struct {
	secret credential.Secret
	err    error
}

// Next scripts the result of the next request that no earlier script covers:
// secret, or err if it is not nil.
func (s *Secrets) Next(secret credential.Secret, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.scripted = append(s.scripted, scripted{secret, err})
}

// Made returns how often a secret was asked for.
func (s *Secrets) Made() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.made
}

// NewSecret implements devicetotp.SecretSource.
func (s *Secrets) NewSecret(_ context.Context, size int) (credential.Secret, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.made++
	if len(s.scripted) > 0 {
		next := s.scripted[0]
		s.scripted = s.scripted[1:]
		return next.secret, next.err
	}
	text := []byte(fmt.Sprintf("secret-%0*d", min(10, size-len("secret-")), s.made))
	for len(text) < size {
		text = append(text, '.')
	}
	return credential.NewSecret(string(text[:size])), nil
}
