package credential

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// Bounds of a State. Beyond them it is refused with [ErrStateSize], never
// truncated.
const (
	MaxDevices    = 100       // issued devices
	MaxCodes      = 50        // pending one-time codes
	MaxSpent      = 50        // spent proofs
	MaxWrites     = 16        // remembered write ids; older ones are dropped
	MaxStateBytes = 64 * 1024 // encoded size
)

// State is all that the library remembers about one account. It is one value
// that is loaded, decided on and saved whole. A host may read it, and a test
// may build it; only the library changes it.
//
// The zero value is the State of an account that was never used.
type State struct {
	// Devices are the issued devices, oldest first.
	Devices []Device
	// Codes are the pending one-time codes, one of a kind. Expired ones go with
	// the next save.
	Codes []OneTimeCode
	// Spent are the proofs that made a device and must not make another.
	Spent []SpentProof
	// OTP, Password and PIN are the failures in a row of each factor.
	OTP, Password, PIN Attempts
	// Writes are the ids of the last saves, oldest first.
	Writes []WriteID

	unknown []byte // records of a newer release, kept as they are
}

// Device is one issued device TOTP.
type Device struct {
	// ID is a lower-case UUID, unique within the account.
	ID string
	// Sealed is the shared secret, sealed by the Keyring for this account and
	// this device.
	Sealed []byte
	// Algorithm, Digits (6 to 8) and Period (15 to 120 s) are those of RFC 6238.
	Algorithm Algorithm
	Digits    int
	Period    time.Duration
	// Basis is what the device was created on.
	Basis Basis
	// ProofDigest is the digest of the OTP it was created on, so that the same
	// request can be recognised again. Nil for every other basis.
	ProofDigest []byte
	// CreatedAt is when it was created.
	CreatedAt time.Time
	// LastStep is the newest time step that was accepted: no code of this step
	// or an older one is accepted again. 0: never used.
	LastStep int64
	// Attempts are the failures in a row of verifications that named this
	// device.
	Attempts Attempts

	unknown []byte
}

// OneTimeCode is a code that the host has sent to the user.
type OneTimeCode struct {
	// ID names the code; 16 hexadecimal digits drawn at random.
	ID string
	// Kind is the host's word for the channel or purpose, such as "account".
	Kind string
	// Digest is the code under a key of the Keyring.
	Digest []byte
	// ExpiresAt is the first instant at which it is no longer accepted.
	ExpiresAt time.Time

	unknown []byte
}

// SpentProof is a proof that has been used up.
type SpentProof struct {
	// ProofID is the name that the OTP verifier gave it.
	ProofID string
	// Until is how long it must be remembered.
	Until time.Time

	unknown []byte
}

// Attempts counts failures in a row. The zero value is none.
type Attempts struct {
	// Failures in a row. Only a success of the same factor, the host, or a new
	// hash sets it to zero.
	Failures int
	// LastAt is when the last one was.
	LastAt time.Time
	// Against is the [Fingerprint] of the hash that the failures were counted
	// against; "" for OTP and where none is set.
	Against string

	unknown string // a string, so that Attempts stays comparable
}

// Cleared returns a without its failures.
func (a Attempts) Cleared() Attempts {
	a.Failures, a.LastAt, a.Against = 0, time.Time{}, ""
	return a
}

// WriteID marks one save, so that a save whose answer was lost is recognised.
type WriteID [8]byte

// Attempts returns the stored counter of f, whichever hash it was counted
// against. [Account.Attempts] is what a decision asks.
func (s State) Attempts(f Factor) Attempts {
	if at := s.attempts(f); at != nil {
		return *at
	}
	return Attempts{}
}

// SetAttempts replaces the stored counter of f; it does nothing if f is not a
// factor.
func (s *State) SetAttempts(f Factor, to Attempts) {
	if at := s.attempts(f); at != nil {
		*at = to
	}
}

// attempts returns the place of f's counter; nil if f is not a factor.
func (s *State) attempts(f Factor) *Attempts {
	switch f {
	case FactorOTP:
		return &s.OTP
	case FactorPassword:
		return &s.Password
	case FactorPIN:
		return &s.PIN
	default:
		return nil
	}
}

// DeviceIndex returns the index of the device of that id; -1 if there is none.
func (s State) DeviceIndex(id string) int {
	return slices.IndexFunc(s.Devices, func(d Device) bool { return d.ID == id })
}

// IsSpent tells whether proof has been used up.
func (s State) IsSpent(proof string) bool {
	return slices.ContainsFunc(s.Spent, func(p SpentProof) bool { return p.ProofID == proof })
}

// Clone returns a State that shares nothing with s that can be altered.
func (s State) Clone() State {
	c := s
	c.Devices, c.Codes = slices.Clone(s.Devices), slices.Clone(s.Codes)
	c.Spent, c.Writes = slices.Clone(s.Spent), slices.Clone(s.Writes)
	free := make(room, s.byteSize())
	for i := range c.Devices {
		d := &c.Devices[i]
		d.Sealed, d.ProofDigest, d.unknown = free.copy(d.Sealed), free.copy(d.ProofDigest), free.copy(d.unknown)
	}
	for i := range c.Codes {
		code := &c.Codes[i]
		code.Digest, code.unknown = free.copy(code.Digest), free.copy(code.unknown)
	}
	for i := range c.Spent {
		c.Spent[i].unknown = free.copy(c.Spent[i].unknown)
	}
	c.unknown = free.copy(s.unknown)
	return c
}

// byteSize is how long all byte slices in s are together.
func (s *State) byteSize() int {
	n := len(s.unknown)
	for i := range s.Devices {
		n += len(s.Devices[i].Sealed) + len(s.Devices[i].ProofDigest) + len(s.Devices[i].unknown)
	}
	for i := range s.Codes {
		n += len(s.Codes[i].Digest) + len(s.Codes[i].unknown)
	}
	for i := range s.Spent {
		n += len(s.Spent[i].unknown)
	}
	return n
}

// room is one piece of memory for many copies, none of which can grow into the
// next.
type room []byte

func (r *room) copy(b []byte) []byte {
	if b == nil {
		return nil
	}
	n := copy(*r, b)
	out := (*r)[:n:n]
	*r = (*r)[n:]
	return out
}

// Check returns an error that wraps [ErrStateSize] if s holds more than the
// bounds allow, in number or in bytes, or a number that does not encode.
func (s State) Check() error {
	if err := s.checkCounts(); err != nil {
		return err
	}
	if s.sizeAtMost() <= MaxStateBytes && s.numbersEncode() {
		return nil
	}
	_, err := s.MarshalBinary()
	return err
}

// numbersEncode reports whether every number is one that [State.MarshalBinary]
// takes.
func (s *State) numbersEncode() bool {
	ok := func(failures int) bool { return 0 <= failures && failures <= math.MaxInt32 }
	for i := range s.Devices {
		d := &s.Devices[i]
		if !ok(d.Digits) || !ok(d.Attempts.Failures) || d.Period < 0 || d.LastStep < 0 {
			return false
		}
	}
	return ok(s.OTP.Failures) && ok(s.Password.Failures) && ok(s.PIN.Failures)
}

// sizeAtMost is a bound of the encoded size that is found without encoding.
func (s *State) sizeAtMost() int {
	const fixed = 256 // more than the headers and numbers of any record take
	n := fixed + s.byteSize() + s.OTP.stringSize() + s.Password.stringSize() + s.PIN.stringSize() + len(s.Writes)*len(WriteID{})
	for i := range s.Devices {
		n += fixed + len(s.Devices[i].ID) + s.Devices[i].Attempts.stringSize()
	}
	for i := range s.Codes {
		n += fixed + len(s.Codes[i].ID) + len(s.Codes[i].Kind)
	}
	for i := range s.Spent {
		n += fixed + len(s.Spent[i].ProofID)
	}
	return n
}

func (a *Attempts) stringSize() int { return len(a.Against) + len(a.unknown) }

func (s *State) checkCounts() error {
	for _, b := range []struct {
		what      string
		have, max int
	}{
		{"devices", len(s.Devices), MaxDevices},
		{"one-time codes", len(s.Codes), MaxCodes},
		{"spent proofs", len(s.Spent), MaxSpent},
		{"write ids", len(s.Writes), MaxWrites},
	} {
		if b.have > b.max {
			return fmt.Errorf("%w: %d %s, at most %d", ErrStateSize, b.have, b.what, b.max)
		}
	}
	return nil
}
