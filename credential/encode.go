package credential

import (
	"fmt"
	"math"
	"time"

	"golang.org/x/crypto/cryptobyte"
)

// The encoding of a State:
//
//	state  = format record*
//	record = tag value        tag: one byte, value: length-prefixed with two bytes
//
// Nested values are records again. Integers are eight bytes, times are eight
// bytes of Unix seconds and four of nanoseconds, all big-endian. A field with
// its zero value is left out. Tags are never given a new meaning.
const stateFormat = 1

const (
	tagDevice uint8 = iota + 1
	tagCode
	tagSpent
	tagOTPAttempts
	tagPasswordAttempts
	tagPINAttempts
	tagWrites
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
)

const (
	tagCodeID uint8 = iota + 1
	tagCodeKind
	tagCodeDigest
	tagCodeExpiresAt
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
// error that wraps [ErrStateSize] if s is beyond its bounds, a negative number
// included: what it writes, [State.UnmarshalBinary] reads.
func (s State) MarshalBinary() ([]byte, error) {
	if err := s.checkCounts(); err != nil {
		return nil, err
	}
	b := cryptobyte.NewBuilder(make([]byte, 0, 64+320*len(s.Devices)+128*(len(s.Codes)+len(s.Spent))))
	b.AddUint8(stateFormat)
	w := writer{b}
	for i := range s.Devices {
		w.record(tagDevice, s.Devices[i].encode)
	}
	for i := range s.Codes {
		w.record(tagCode, s.Codes[i].encode)
	}
	for i := range s.Spent {
		w.record(tagSpent, s.Spent[i].encode)
	}
	w.attempts(tagOTPAttempts, s.OTP)
	w.attempts(tagPasswordAttempts, s.Password)
	w.attempts(tagPINAttempts, s.PIN)
	if len(s.Writes) > 0 {
		w.record(tagWrites, func(w writer) {
			for i := range s.Writes {
				w.b.AddBytes(s.Writes[i][:])
			}
		})
	}
	b.AddBytes(s.unknown)
	out, err := b.Bytes()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrStateSize, err)
	}
	if len(out) > MaxStateBytes {
		return nil, fmt.Errorf("%w: %d bytes encoded, at most %d", ErrStateSize, len(out), MaxStateBytes)
	}
	return out, nil
}

func (d *Device) encode(w writer) {
	w.string(tagDeviceID, d.ID)
	w.string(tagDeviceSealed, string(d.Sealed))
	w.int(tagDeviceAlgorithm, int64(d.Algorithm), math.MaxUint8)
	w.int(tagDeviceDigits, int64(d.Digits), math.MaxInt32)
	w.int(tagDevicePeriod, int64(d.Period), math.MaxInt64)
	w.int(tagDeviceBasis, int64(d.Basis), math.MaxUint8)
	w.string(tagDeviceProof, string(d.ProofDigest))
	w.time(tagDeviceCreatedAt, d.CreatedAt)
	w.int(tagDeviceLastStep, d.LastStep, math.MaxInt64)
	w.attempts(tagDeviceAttempts, d.Attempts)
	w.bool(tagDeviceRestsOnGrace, d.RestsOnGrace)
	w.b.AddBytes(d.unknown)
}

func (c *OneTimeCode) encode(w writer) {
	w.string(tagCodeID, c.ID)
	w.string(tagCodeKind, c.Kind)
	w.string(tagCodeDigest, string(c.Digest))
	w.time(tagCodeExpiresAt, c.ExpiresAt)
	w.b.AddBytes(c.unknown)
}

func (p *SpentProof) encode(w writer) {
	w.string(tagSpentProof, p.ProofID)
	w.time(tagSpentUntil, p.Until)
	w.b.AddBytes(p.unknown)
}

// A writer adds tagged records to a builder, which remembers the first error.
type writer struct{ b *cryptobyte.Builder }

func (w writer) record(tag uint8, body func(writer)) {
	w.b.AddUint8(tag)
	w.b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { body(writer{b}) })
}

func (w writer) string(tag uint8, v string) {
	if v == "" {
		return
	}
	w.b.AddUint8(tag)
	w.b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes([]byte(v)) })
}

// int writes a number from 0 to limit, as the reader takes it.
func (w writer) int(tag uint8, v, limit int64) {
	if v < 0 || v > limit {
		w.b.SetError(fmt.Errorf("record %d: %d is not from 0 to %d", tag, v, limit))
		return
	}
	if v == 0 {
		return
	}
	w.b.AddUint8(tag)
	w.b.AddUint16(8)
	w.b.AddUint64(uint64(v))
}

func (w writer) bool(tag uint8, v bool) {
	if v {
		w.int(tag, 1, 1)
	}
}

func (w writer) time(tag uint8, t time.Time) {
	if t.IsZero() {
		return
	}
	w.b.AddUint8(tag)
	w.b.AddUint16(12)
	w.b.AddUint64(uint64(t.Unix()))
	w.b.AddUint32(uint32(t.Nanosecond()))
}

func (w writer) attempts(tag uint8, a Attempts) {
	if a == (Attempts{}) {
		return
	}
	w.record(tag, func(w writer) {
		w.int(tagAttemptsFailures, int64(a.Failures), math.MaxInt32)
		w.time(tagAttemptsLastAt, a.LastAt)
		w.string(tagAttemptsAgainst, a.Against)
		w.b.AddBytes([]byte(a.unknown))
	})
}
