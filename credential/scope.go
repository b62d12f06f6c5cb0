package credential

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// A Purpose keeps values apart: what was sealed or digested for one purpose
// opens or matches for no other. Each has a key of its own, derived with HKDF.
type Purpose string

// The purposes.
const (
	PurposeDeviceSecret Purpose = "device-secret" // the shared secret of a device
	PurposePINHash      Purpose = "pin"           // a PIN hash at rest
	PurposeOneTimeCode  Purpose = "one-time-code" // the digest of a pending code
	PurposeProof        Purpose = "proof"         // the digest of the OTP a device was created on
	PurposeRevoked      Purpose = "revoked"       // the hash of a secret that must not be imported again
	PurposeRecovery     Purpose = "recovery"      // the digests of recovery codes
)

var purposes = [...]Purpose{
	PurposeDeviceSecret, PurposePINHash, PurposeOneTimeCode, PurposeProof, PurposeRevoked, PurposeRecovery,
}

// slot returns the index of p in purposes; ok is false if it is none of them.
func (p Purpose) slot() (i int, ok bool) {
	for i := range purposes {
		if purposes[i] == p {
			return i, true
		}
	}
	return 0, false
}

// A Scope says what a sealed or digested value belongs to. It is authenticated
// with the value, so that a value moved elsewhere is refused. The Scope of a
// device secret is made by [DeviceScope] or [RotationScope]; the others are written as
// they are.
type Scope struct {
	Purpose   Purpose
	AccountID string
	Subject   string // a device id, that and the id of a rotation, the id of a one-time code, or the fingerprint of a PIN hash

	facts deviceFacts
}

// deviceFacts are the bound fields of a Device in a fixed layout. The first byte
// is 1 for a device and 2 for a rotation; all zeros are the facts of neither.
type deviceFacts [32]byte

// DeviceScope returns the Scope of the secret of d, which is a device of that
// account. It binds the fields that say how the secret may be used: ID,
// Algorithm, Digits, Period, Basis, RestsOnGrace and CreatedAt. Whoever can
// write the database but has no key can therefore neither weaken the codes of a
// device, nor make a device that was proved, or is old, look like one that was
// just created on grace and is given out again: after any such change the
// secret does not open. Set these fields before the secret is sealed, and seal
// it again when one of them changes.
//
// LastStep, which changes with every use, is not bound. Setting it back to 0
// makes a device look as if it had never been used, and such a device is given
// again to a retry of the request that made it; but only on the basis that is
// bound here (a PIN or password, though, is checked against whatever hash the row
// has), and only within Policy.RetryWindow of the CreatedAt that is bound here.
// Attempts and ProofDigest are not bound either; a digest matches for its own
// account and device only.
func DeviceScope(accountID string, d *Device) Scope {
	s := Scope{Purpose: PurposeDeviceSecret, AccountID: accountID, Subject: d.ID}
	s.facts[0] = 1
	s.facts[1], s.facts[2] = byte(d.Basis), byte(d.Algorithm)
	if d.RestsOnGrace {
		s.facts[3] = 1
	}
	binary.BigEndian.PutUint64(s.facts[4:], uint64(d.Digits))
	binary.BigEndian.PutUint64(s.facts[12:], uint64(d.Period))
	binary.BigEndian.PutUint64(s.facts[20:], uint64(d.CreatedAt.Unix()))
	binary.BigEndian.PutUint32(s.facts[28:], uint32(d.CreatedAt.Nanosecond()))
	return s
}

// RotationScope returns the Scope of the new secret of a rotation of d, which
// binds the same facts of the rotation, and its ID. A value sealed for a rotation
// does not open as the secret of the device or of another rotation, and the other
// way round.
func RotationScope(accountID string, d *Device, r *Rotation) Scope {
	s := DeviceScope(accountID, &Device{
		ID: d.ID, Algorithm: r.Algorithm, Digits: r.Digits, Period: r.Period,
		Basis: r.Basis, RestsOnGrace: r.RestsOnGrace, CreatedAt: r.StartedAt,
	})
	s.facts[0] = 2
	s.Subject += "/" + r.ID
	return s
}

// RevokedScope returns the Scope of what is remembered of a revoked device.
func RevokedScope(accountID, deviceID string) Scope {
	return Scope{Purpose: PurposeRevoked, AccountID: accountID, Subject: deviceID}
}

// RecoveryScope returns the Scope of the recovery codes of an account.
func RecoveryScope(accountID string) Scope {
	return Scope{Purpose: PurposeRecovery, AccountID: accountID}
}

// bind appends the header and the scope to out, encoded without ambiguity: that is
// the additional data of what is sealed, and the beginning of what is digested.
func (s *Scope) bind(out, header []byte) ([]byte, error) {
	if s.Purpose == PurposeDeviceSecret && s.facts == (deviceFacts{}) {
		return nil, errors.New("credential: the scope of a device secret must be made by DeviceScope")
	}
	if n := max(len(s.Purpose), len(s.AccountID), len(s.Subject)); n > math.MaxUint16 {
		return nil, fmt.Errorf("credential: %d bytes are too long for the scope of a sealed value", n)
	}
	out = append(out, header...) // which says how long it is
	for _, part := range [...]string{string(s.Purpose), s.AccountID, s.Subject} {
		out = binary.BigEndian.AppendUint16(out, uint16(len(part)))
		out = append(out, part...)
	}
	if s.Purpose == PurposeDeviceSecret {
		out = append(out, s.facts[:]...)
	}
	return out, nil
}
