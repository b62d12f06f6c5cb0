package devicetotptest

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"example.com/devicetotp/clock"
	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/verifier"
)

// Phone plays the device: it generates codes from what Create gave it.
type Phone struct {
	totp  verifier.TOTP
	clock clock.Clock
	t     testing.TB
}

// Phone returns the phone of an issued device, on the world's
// clock.
func (w *World) Phone(d devicetotp.DeviceTOTP) *Phone {
	return &Phone{
		totp:  verifier.TOTP{Secret: d.Secret, Algorithm: d.Algorithm, Digits: d.Digits, Period: d.Period},
		clock: w.Clock, t: w.t,
	}
}

// Code returns the code of the current time step.
func (a *Phone) Code() credential.Secret { return a.Drifted(0) }

// Drifted returns the code of an authenticator whose clock is off by that many
// time steps: -1 is one period slow.
func (a *Phone) Drifted(steps int) credential.Secret {
	a.t.Helper()
	code, err := a.totp.Code(a.totp.Step(a.clock.Now()) + int64(steps))
	if err != nil {
		a.t.Fatalf("devicetotptest: generating a code: %v", err)
	}
	return code
}

// Secrets is a SecretSource that can be foretold: the scripted secrets first,
// then "secret-0000000001" and so on, with "." behind it or a zero less for the
// size asked for, so that they differ at every size that a Policy allows. It is
// safe for concurrent use.
type Secrets struct {
	mu       sync.Mutex
	scripted []scripted
	made     int
}

type scripted struct {
	secret credential.Secret
	err    error
}

// Next scripts the answer to a request that no earlier script answers: secret,
// or err if it is not nil.
func (s *Secrets) Next(secret credential.Secret, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.scripted = append(s.scripted, scripted{secret, err})
}

// Made tells how often a secret was asked for.
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
