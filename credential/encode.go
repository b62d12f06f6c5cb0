package credential

import "math"

// The encoding of a State:
//
//	state  = format record*
//	record = tag value        tag: one byte, value: length-prefixed with two bytes
//
// Nested values are records again. Integers are eight bytes, times are eight
// bytes of Unix seconds and four of nanoseconds, all big-endian. A field with
// its zero value is left out. Tags are never given a new meaning. A release keeps
// what it does not know; only if it would do harm with that, the format is another.
//
// Format 1 was never released. It had no ids of rotations, so that a retry of one
// that was over began another.
const stateFormat = 2

const (
	tagDevice uint8 = iota + 1
	tagCode
	tagSpent
	tagOTPAttempts
	tagPasswordAttempts
	tagPINAttempts
	tagWrites
	tagKind
	tagGraceIssued
	tagRevoked
	tagRecovery
)

const (
	tagDeviceID uint8 = iota + 1
	tagDeviceSealed
	tagDeviceAlgorithm
	tagDeviceDigits
	tagDevicePeriod
	tagDeviceBasis
	tagDeviceProof
	tagDeviceCreatedAt
	tagDeviceLastStep
	tagDeviceAttempts
	tagDeviceRestsOnGrace
	tagDeviceMadeBy
	tagDeviceNamed
	tagDeviceReplaced
	tagDeviceName
	tagDeviceRotation
	tagDevicePastRotation
)

const (
	tagCodeID uint8 = iota + 1
	tagCodeKind
	tagCodeDigest
	tagCodeExpiresAt
	tagCodeWithdrawn
)

const (
	tagReplacedDigest uint8 = iota + 1
	tagReplacedCreatedAt
)

const (
	tagRotationSealed uint8 = iota + 1
	tagRotationAlgorithm
	tagRotationDigits
	tagRotationPeriod
	tagRotationBasis
	tagRotationRestsOnGrace
	tagRotationProof
	tagRotationStartedAt
	tagRotationUntil
	tagRotationLastStep
	tagRotationID
)

const (
	tagPastRotationID uint8 = iota + 1
	tagPastRotationStartedAt
)

const (
	tagRevokedID uint8 = iota + 1
	tagRevokedAt
	tagRevokedSealed
	tagRevokedImported
)

const (
	tagRecoverySealed uint8 = iota + 1
	tagRecoveryLeft
	tagRecoveryCreatedAt
	tagRecoveryAttempts
)

const (
	tagKindName uint8 = iota + 1
	tagKindAttempts
)

const (
	tagSpentProof uint8 = iota + 1
	tagSpentUntil
)

const (
	tagAttemptsFailures uint8 = iota + 1
	tagAttemptsLastAt
	tagAttemptsAgainst
)

// MarshalBinary encodes s for a store: at most [MaxStateBytes]. It returns an
// error that wraps [ErrStateSize] where [State.Check] does. What it writes,
// [State.UnmarshalBinary] reads.
func (s State) MarshalBinary() ([]byte, error) {
	size, err := s.encodedSize()
	if err != nil {
		return nil, err
	}
	w := writer{out: make([]byte, 0, size)}
	s.encode(&w)
	return w.out, nil
}

func (s *State) encode(w *writer) {
	w.addBytes([]byte{stateFormat})
	for i := range s.Devices {
		at := w.begin(tagDevice)
		s.Devices[i].encode(w)
		w.end(at)
	}
	for i := range s.Codes {
		at := w.begin(tagCode)
		s.Codes[i].encode(w)
		w.end(at)
	}
	for i := range s.Spent {
		at := w.begin(tagSpent)
		s.Spent[i].encode(w)
		w.end(at)
	}
	w.attempts(tagOTPAttempts, &s.OTP)
	w.attempts(tagPasswordAttempts, &s.Password)
	w.attempts(tagPINAttempts, &s.PIN)
	if len(s.Writes) > 0 {
		at := w.begin(tagWrites)
		for i := range s.Writes {
			w.addBytes(s.Writes[i][:])
		}
		w.end(at)
	}
	for i := range s.Kinds {
		at := w.begin(tagKind)
		s.Kinds[i].encode(w)
		w.end(at)
	}
	w.int(tagGraceIssued, int64(s.GraceIssued), math.MaxInt32)
	for i := range s.Revoked {
		at := w.begin(tagRevoked)
		s.Revoked[i].encode(w)
		w.end(at)
	}
	if !s.Recovery.empty() {
		at := w.begin(tagRecovery)
		s.Recovery.encode(w)
		w.end(at)
	}
	w.addBytes(s.unknown)
}

func (d *Device) encode(w *writer) {
	w.string(tagDeviceID, d.ID)
	w.bytes(tagDeviceSealed, d.Sealed)
	w.int(tagDeviceAlgorithm, int64(d.Algorithm), math.MaxUint8)
	w.int(tagDeviceDigits, int64(d.Digits), math.MaxInt32)
	w.int(tagDevicePeriod, int64(d.Period), math.MaxInt64)
	w.int(tagDeviceBasis, int64(d.Basis), math.MaxUint8)
	w.bytes(tagDeviceProof, d.ProofDigest)
	w.time(tagDeviceCreatedAt, d.CreatedAt)
	w.int(tagDeviceLastStep, d.LastStep, math.MaxInt64)
	w.attempts(tagDeviceAttempts, &d.Attempts)
	w.bool(tagDeviceRestsOnGrace, d.RestsOnGrace)
	w.string(tagDeviceMadeBy, d.MadeBy)
	w.attempts(tagDeviceNamed, &d.Named)
	for i := range d.Replaced {
		at := w.begin(tagDeviceReplaced)
		d.Replaced[i].encode(w)
		w.end(at)
	}
	w.string(tagDeviceName, d.Name)
	if d.Rotation != nil {
		at := w.begin(tagDeviceRotation)
		d.Rotation.encode(w)
		w.end(at)
	}
	for i := range d.PastRotations {
		at := w.begin(tagDevicePastRotation)
		d.PastRotations[i].encode(w)
		w.end(at)
	}
	w.addBytes(d.unknown)
}

func (c *OneTimeCode) encode(w *writer) {
	w.string(tagCodeID, c.ID)
	w.string(tagCodeKind, c.Kind)
	w.bytes(tagCodeDigest, c.Digest)
	w.time(tagCodeExpiresAt, c.ExpiresAt)
	w.bool(tagCodeWithdrawn, c.Withdrawn)
	w.addBytes(c.unknown)
}

func (p *ReplacedProof) encode(w *writer) {
	w.bytes(tagReplacedDigest, p.Digest)
	w.time(tagReplacedCreatedAt, p.CreatedAt)
	w.addBytes(p.unknown)
}

func (o *Rotation) encode(w *writer) {
	w.bytes(tagRotationSealed, o.Sealed)
	w.int(tagRotationAlgorithm, int64(o.Algorithm), math.MaxUint8)
	w.int(tagRotationDigits, int64(o.Digits), math.MaxInt32)
	w.int(tagRotationPeriod, int64(o.Period), math.MaxInt64)
	w.int(tagRotationBasis, int64(o.Basis), math.MaxUint8)
	w.bool(tagRotationRestsOnGrace, o.RestsOnGrace)
	w.bytes(tagRotationProof, o.ProofDigest)
	w.time(tagRotationStartedAt, o.StartedAt)
	w.time(tagRotationUntil, o.Until)
	w.int(tagRotationLastStep, o.LastStep, math.MaxInt64)
	w.string(tagRotationID, o.ID)
	w.addBytes(o.unknown)
}

func (o *PastRotation) encode(w *writer) {
	w.string(tagPastRotationID, o.ID)
	w.time(tagPastRotationStartedAt, o.StartedAt)
	w.addBytes(o.unknown)
}

func (o *RevokedDevice) encode(w *writer) {
	w.string(tagRevokedID, o.ID)
	w.time(tagRevokedAt, o.At)
	w.bytes(tagRevokedSealed, o.Sealed)
	w.bool(tagRevokedImported, o.Imported)
	w.addBytes(o.unknown)
}

func (o *RecoveryCodes) empty() bool {
	return o.Sealed == nil && o.Left == 0 && o.CreatedAt.IsZero() && o.Attempts == (Attempts{}) && o.unknown == nil
}

func (o *RecoveryCodes) encode(w *writer) {
	w.bytes(tagRecoverySealed, o.Sealed)
	w.int(tagRecoveryLeft, int64(o.Left), math.MaxUint8)
	w.time(tagRecoveryCreatedAt, o.CreatedAt)
	w.attempts(tagRecoveryAttempts, &o.Attempts)
	w.addBytes(o.unknown)
}

func (k *KindAttempts) encode(w *writer) {
	w.string(tagKindName, k.Kind)
	w.attempts(tagKindAttempts, &k.Attempts)
	w.addBytes(k.unknown)
}

func (p *SpentProof) encode(w *writer) {
	w.string(tagSpentProof, p.ProofID)
	w.time(tagSpentUntil, p.Until)
	w.addBytes(p.unknown)
}

func (w *writer) attempts(tag uint8, a *Attempts) {
	if *a == (Attempts{}) {
		return
	}
	at := w.begin(tag)
	w.int(tagAttemptsFailures, int64(a.Failures), math.MaxInt32)
	w.time(tagAttemptsLastAt, a.LastAt)
	w.string(tagAttemptsAgainst, a.Against)
	w.add(a.unknown)
	w.end(at)
}
