package verifier

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"example.com/devicetotp/credential"
)

// DeviceMatch is a code that a device generated.
type DeviceMatch struct {
	DeviceID   string
	Step       int64     // the time step of the code
	Drift      int       // Step minus the current step
	ValidUntil time.Time // when the code is too old
	Outdated   bool      // the secret is sealed with an old key
	Rotated    bool      // the code is of the new secret of a rotation, which has steps of its own
}

// MatchDevice reports whether code is one that device d of the account may still
// use: of a step newer than the last accepted one. While a rotation of d is
// pending, that is a code of either secret, each with its own last step; a code
// that both generate is one of the old secret. If neither does, the error says
// which sealed secret does not open, or that parameters are out of bounds.
func MatchDevice(keys *credential.Keyring, accountID string, d *credential.Device, code credential.Secret, now time.Time) (m DeviceMatch, ok bool, err error) {
	secrets, n := secretsOf(accountID, d, now)
	for i := range secrets[:n] {
		m, ok, broken := secrets[i].match(keys, d.ID, code, now)
		if ok {
			return m, true, nil
		}
		if broken != nil {
			err = errors.Join(err, broken)
		}
	}
	return DeviceMatch{}, false, err
}

// CompareDevices compares code with each secret of each of the devices that
// generates codes of its length: with that of the device, and with the new one of
// a pending rotation. A code is right if it is of a step newer than the last
// accepted one of that secret. Everything is compared even after a match.
func CompareDevices(keys *credential.Keyring, accountID string, devices []credential.Device, code credential.Secret, now time.Time) []Compared {
	out := make([]Compared, 0, len(devices))
	if !credential.IsCode(code) {
		return out
	}
	for i := range devices {
		d := &devices[i]
		secrets, n := secretsOf(accountID, d, now)
		for j := range secrets[:n] {
			s := &secrets[j]
			if s.digits != len(code.Reveal()) {
				continue
			}
			m, right, err := s.match(keys, d.ID, code, now)
			out = append(out, Compared{DeviceID: d.ID, Right: right, Match: m, Err: err})
		}
	}
	return out
}

// deviceSecret is one secret of a device, sealed, with its parameters.
type deviceSecret struct {
	scope     credential.Scope
	sealed    []byte
	algorithm credential.Algorithm
	digits    int
	period    time.Duration
	lastStep  int64
	rotated   bool
}

// secretsOf returns the n secrets of d: its own, and then the new one of a rotation
// that is pending.
func secretsOf(accountID string, d *credential.Device, now time.Time) (secrets [2]deviceSecret, n int) {
	secrets[0] = deviceSecret{
		scope: credential.DeviceScope(accountID, d), sealed: d.Sealed,
		algorithm: d.Algorithm, digits: d.Digits, period: d.Period, lastStep: d.LastStep,
	}
	r := d.Rotation
	if !r.Pending(now) {
		return secrets, 1
	}
	secrets[1] = deviceSecret{
		scope: credential.RotationScope(accountID, d, r), sealed: r.Sealed,
		algorithm: r.Algorithm, digits: r.Digits, period: r.Period, lastStep: r.LastStep, rotated: true,
	}
	return secrets, 2
}

// match reports whether code is one of the secret, of a step that is not spent.
func (s *deviceSecret) match(keys *credential.Keyring, deviceID string, code credential.Secret, now time.Time) (m DeviceMatch, ok bool, err error) {
	p := TOTP{Algorithm: s.algorithm, Digits: s.digits, Period: s.period}
	var step int64
	var unusable error
	outdated, err := keys.OpenFor(s.scope, s.sealed, func(secret []byte) {
		step, ok, unusable = matchSecret(p, secret, code, now, s.lastStep)
	})
	if err = cmp.Or(err, unusable); err != nil {
		return DeviceMatch{}, false, s.broken(deviceID, err)
	}
	if !ok {
		return DeviceMatch{}, false, nil
	}
	return DeviceMatch{
		DeviceID: deviceID, Step: step, Drift: int(step - p.Step(now)),
		ValidUntil: p.AcceptedUntil(step), Outdated: outdated, Rotated: s.rotated,
	}, true, nil
}

// broken says which secret err is about.
func (s *deviceSecret) broken(deviceID string, err error) error {
	if s.rotated {
		return fmt.Errorf("verifier: device %s, the new secret of its rotation: %w", deviceID, err)
	}
	return fmt.Errorf("verifier: device %s: %w", deviceID, err)
}
