package credential

import "fmt"

// Bounds of a State. One that is beyond them is refused with [ErrStateSize],
// never truncated: by [State.Check], by [State.MarshalBinary] and by
// [State.UnmarshalBinary] alike.
//
// A State that is full in every number fits into MaxStateBytes with the longest
// values that this library writes, and with the longest names that a verifier of
// the host may give its proofs.
const (
	MaxDevices    = 100        // issued devices
	MaxCodes      = 50         // pending one-time codes
	MaxSpent      = 200        // spent proofs: each device may have one, and some were evicted since
	MaxRevoked    = 100        // remembered devices that were revoked
	MaxName       = 256        // bytes of a device's name: 64 runes
	MaxKinds      = 64         // kinds of one-time code with failures
	MaxReplaced   = 4          // remembered OTPs of replaced devices, for each device
	MaxRotations  = 5          // rotations of each device: past ones that are remembered, and the pending one
	MaxWrites     = 32         // remembered write ids, one of a writer; older ones are dropped
	MaxStateBytes = 256 * 1024 // encoded size
)

// Check returns an error that wraps [ErrStateSize] if s is beyond the bounds, in
// number or in bytes, or holds a number that is not stored, such as a negative
// one. It returns nil if, and only if, [State.MarshalBinary] succeeds, and does
// not allocate then.
func (s State) Check() error {
	_, err := s.encodedSize()
	return err
}

// encodedSize returns how many bytes MarshalBinary writes.
func (s *State) encodedSize() (int, error) {
	n := counts{len(s.Devices), len(s.Codes), len(s.Spent), len(s.Writes), len(s.Kinds), len(s.Revoked)}
	if err := n.check(); err != nil {
		return 0, err
	}
	for i := range s.Devices {
		if n := len(s.Devices[i].Replaced); n > MaxReplaced {
			return 0, fmt.Errorf("%w: %d replaced proofs, at most %d", ErrStateSize, n, MaxReplaced)
		}
		if n := len(s.Devices[i].PastRotations); n > MaxRotations {
			return 0, fmt.Errorf("%w: %d past rotations, at most %d", ErrStateSize, n, MaxRotations)
		}
	}
	var w writer // without out: it measures
	s.encode(&w)
	if w.err != nil {
		return 0, w.err
	}
	return w.size, checkSize(w.size)
}

func checkSize(bytes int) error {
	if bytes > MaxStateBytes {
		return fmt.Errorf("%w: %d bytes encoded, at most %d", ErrStateSize, bytes, MaxStateBytes)
	}
	return nil
}

// counts are the numbers of the parts of a State.
type counts struct{ devices, codes, spent, writes, kinds, revoked int }

func (n counts) check() error {
	for _, b := range [...]struct {
		what      string
		have, max int
	}{
		{"devices", n.devices, MaxDevices},
		{"one-time codes", n.codes, MaxCodes},
		{"spent proofs", n.spent, MaxSpent},
		{"write ids", n.writes, MaxWrites},
		{"kinds of one-time code", n.kinds, MaxKinds},
		{"revoked devices", n.revoked, MaxRevoked},
	} {
		if b.have > b.max {
			return fmt.Errorf("%w: %d %s, at most %d", ErrStateSize, b.have, b.what, b.max)
		}
	}
	return nil
}
