package credential

import (
	"fmt"
	"math"
	"time"
)

// UnmarshalBinary decodes what [State.MarshalBinary] wrote, now or in another
// release: fields it does not know are kept and written back. Empty data is the
// zero State. Errors wrap [ErrStateFormat], or [ErrStateSize] if data holds more
// than the bounds of a State allow, and s is left as it was. What is read,
// [State.Check] accepts.
func (s *State) UnmarshalBinary(data []byte) error {
	if len(data) == 0 {
		*s = State{}
		return nil
	}
	if err := checkSize(len(data)); err != nil {
		return err
	}
	if data[0] != stateFormat {
		return fmt.Errorf("%w: format %d", ErrStateFormat, data[0])
	}
	n, err := count(data[1:])
	if err != nil {
		return err
	}
	out := n.empty()
	if err := out.decode(data[1:]); err != nil {
		return err
	}
	*s = out
	return nil
}

// count counts the parts of an encoded State and checks them against the bounds,
// before anything is made of them.
func count(data []byte) (n counts, err error) {
	r := reader{rest: data}
	for r.next() {
		switch r.tag {
		case tagDevice:
			n.devices++
		case tagCode:
			n.codes++
		case tagSpent:
			n.spent++
		case tagWrites:
			n.writes += len(r.value) / len(WriteID{})
		case tagKind:
			n.kinds++
		case tagRevoked:
			n.revoked++
		}
	}
	if r.err != nil {
		return counts{}, r.err
	}
	return n, n.check()
}

// empty returns a State with room for so many parts.
func (n counts) empty() State {
	return State{
		Devices: roomFor[Device](n.devices), Codes: roomFor[OneTimeCode](n.codes),
		Spent: roomFor[SpentProof](n.spent), Writes: roomFor[WriteID](n.writes), Kinds: roomFor[KindAttempts](n.kinds),
		Revoked: roomFor[RevokedDevice](n.revoked),
	}
}

// roomFor returns a slice with that capacity; nil if it is 0.
func roomFor[T any](capacity int) []T {
	if capacity == 0 {
		return nil
	}
	return make([]T, 0, capacity)
}

func (s *State) decode(data []byte) error {
	r := reader{rest: data, unknown: &s.unknown}
	for r.next() {
		switch r.tag {
		case tagDevice:
			s.Devices = append(s.Devices, Device{})
			r.check(s.Devices[len(s.Devices)-1].decode(r.value))
		case tagCode:
			s.Codes = append(s.Codes, OneTimeCode{})
			r.check(s.Codes[len(s.Codes)-1].decode(r.value))
		case tagSpent:
			s.Spent = append(s.Spent, SpentProof{})
			r.check(s.Spent[len(s.Spent)-1].decode(r.value))
		case tagOTPAttempts:
			r.attempts(&s.OTP)
		case tagPasswordAttempts:
			r.attempts(&s.Password)
		case tagPINAttempts:
			r.attempts(&s.PIN)
		case tagWrites:
			r.writes(&s.Writes)
		case tagKind:
			s.Kinds = append(s.Kinds, KindAttempts{})
			r.check(s.Kinds[len(s.Kinds)-1].decode(r.value))
		case tagGraceIssued:
			s.GraceIssued = int(r.int(math.MaxInt32))
		case tagRevoked:
			s.Revoked = append(s.Revoked, RevokedDevice{})
			r.check(s.Revoked[len(s.Revoked)-1].decode(r.value))
		case tagRecovery:
			r.check(s.Recovery.decode(r.value))
		default:
			r.keep()
		}
	}
	return r.err
}

func (d *Device) decode(data []byte) error {
	r := reader{rest: data, unknown: &d.unknown}
	for r.next() {
		switch r.tag {
		case tagDeviceID:
			d.ID = string(r.value)
		case tagDeviceSealed:
			d.Sealed = append([]byte(nil), r.value...)
		case tagDeviceAlgorithm:
			d.Algorithm = Algorithm(r.int(math.MaxUint8))
		case tagDeviceDigits:
			d.Digits = int(r.int(math.MaxInt32))
		case tagDevicePeriod:
			d.Period = time.Duration(r.int(math.MaxInt64))
		case tagDeviceBasis:
			d.Basis = Basis(r.int(math.MaxUint8))
		case tagDeviceProof:
			d.ProofDigest = append([]byte(nil), r.value...)
		case tagDeviceCreatedAt:
			r.time(&d.CreatedAt)
		case tagDeviceLastStep:
			d.LastStep = r.int(math.MaxInt64)
		case tagDeviceAttempts:
			r.attempts(&d.Attempts)
		case tagDeviceRestsOnGrace:
			d.RestsOnGrace = r.int(1) == 1
		case tagDeviceMadeBy:
			d.MadeBy = string(r.value)
		case tagDeviceNamed:
			r.attempts(&d.Named)
		case tagDeviceReplaced:
			r.check(d.decodeReplaced(r.value))
		case tagDeviceName:
			d.Name = string(r.value)
		case tagDeviceRotation:
			d.Rotation = &Rotation{}
			r.check(d.Rotation.decode(r.value))
		case tagDevicePastRotation:
			r.check(d.decodePastRotation(r.value))
		default:
			r.keep()
		}
	}
	return r.err
}

func (d *Device) decodeReplaced(data []byte) error {
	if len(d.Replaced) == MaxReplaced {
		return fmt.Errorf("%w: more than %d replaced proofs", ErrStateSize, MaxReplaced)
	}
	d.Replaced = append(d.Replaced, ReplacedProof{})
	return d.Replaced[len(d.Replaced)-1].decode(data)
}

func (d *Device) decodePastRotation(data []byte) error {
	if len(d.PastRotations) == MaxRotations {
		return fmt.Errorf("%w: more than %d past rotations", ErrStateSize, MaxRotations)
	}
	d.PastRotations = append(d.PastRotations, PastRotation{})
	return d.PastRotations[len(d.PastRotations)-1].decode(data)
}

func (c *OneTimeCode) decode(data []byte) error {
	r := reader{rest: data, unknown: &c.unknown}
	for r.next() {
		switch r.tag {
		case tagCodeID:
			c.ID = string(r.value)
		case tagCodeKind:
			c.Kind = string(r.value)
		case tagCodeDigest:
			c.Digest = append([]byte(nil), r.value...)
		case tagCodeExpiresAt:
			r.time(&c.ExpiresAt)
		case tagCodeWithdrawn:
			c.Withdrawn = r.int(1) == 1
		default:
			r.keep()
		}
	}
	return r.err
}

func (p *ReplacedProof) decode(data []byte) error {
	r := reader{rest: data, unknown: &p.unknown}
	for r.next() {
		switch r.tag {
		case tagReplacedDigest:
			p.Digest = append([]byte(nil), r.value...)
		case tagReplacedCreatedAt:
			r.time(&p.CreatedAt)
		default:
			r.keep()
		}
	}
	return r.err
}

func (o *Rotation) decode(data []byte) error {
	r := reader{rest: data, unknown: &o.unknown}
	for r.next() {
		switch r.tag {
		case tagRotationSealed:
			o.Sealed = append([]byte(nil), r.value...)
		case tagRotationAlgorithm:
			o.Algorithm = Algorithm(r.int(math.MaxUint8))
		case tagRotationDigits:
			o.Digits = int(r.int(math.MaxInt32))
		case tagRotationPeriod:
			o.Period = time.Duration(r.int(math.MaxInt64))
		case tagRotationBasis:
			o.Basis = Basis(r.int(math.MaxUint8))
		case tagRotationRestsOnGrace:
			o.RestsOnGrace = r.int(1) == 1
		case tagRotationProof:
			o.ProofDigest = append([]byte(nil), r.value...)
		case tagRotationStartedAt:
			r.time(&o.StartedAt)
		case tagRotationUntil:
			r.time(&o.Until)
		case tagRotationLastStep:
			o.LastStep = r.int(math.MaxInt64)
		case tagRotationID:
			o.ID = string(r.value)
		default:
			r.keep()
		}
	}
	return r.err
}

func (o *PastRotation) decode(data []byte) error {
	r := reader{rest: data, unknown: &o.unknown}
	for r.next() {
		switch r.tag {
		case tagPastRotationID:
			o.ID = string(r.value)
		case tagPastRotationStartedAt:
			r.time(&o.StartedAt)
		default:
			r.keep()
		}
	}
	return r.err
}

func (o *RevokedDevice) decode(data []byte) error {
	r := reader{rest: data, unknown: &o.unknown}
	for r.next() {
		switch r.tag {
		case tagRevokedID:
			o.ID = string(r.value)
		case tagRevokedAt:
			r.time(&o.At)
		case tagRevokedSealed:
			o.Sealed = append([]byte(nil), r.value...)
		case tagRevokedImported:
			o.Imported = r.int(1) == 1
		default:
			r.keep()
		}
	}
	return r.err
}

func (o *RecoveryCodes) decode(data []byte) error {
	r := reader{rest: data, unknown: &o.unknown}
	for r.next() {
		switch r.tag {
		case tagRecoverySealed:
			o.Sealed = append([]byte(nil), r.value...)
		case tagRecoveryLeft:
			o.Left = int(r.int(math.MaxUint8))
		case tagRecoveryCreatedAt:
			r.time(&o.CreatedAt)
		case tagRecoveryAttempts:
			r.attempts(&o.Attempts)
		default:
			r.keep()
		}
	}
	return r.err
}

func (k *KindAttempts) decode(data []byte) error {
	r := reader{rest: data, unknown: &k.unknown}
	for r.next() {
		switch r.tag {
		case tagKindName:
			k.Kind = string(r.value)
		case tagKindAttempts:
			r.attempts(&k.Attempts)
		default:
			r.keep()
		}
	}
	return r.err
}

func (p *SpentProof) decode(data []byte) error {
	r := reader{rest: data, unknown: &p.unknown}
	for r.next() {
		switch r.tag {
		case tagSpentProof:
			p.ProofID = string(r.value)
		case tagSpentUntil:
			r.time(&p.Until)
		default:
			r.keep()
		}
	}
	return r.err
}

func (a *Attempts) decode(data []byte) error {
	var unknown []byte
	r := reader{rest: data, unknown: &unknown}
	for r.next() {
		switch r.tag {
		case tagAttemptsFailures:
			a.Failures = int(r.int(math.MaxInt32))
		case tagAttemptsLastAt:
			r.time(&a.LastAt)
		case tagAttemptsAgainst:
			a.Against = string(r.value)
		default:
			r.keep()
		}
	}
	a.unknown = string(unknown)
	return r.err
}
