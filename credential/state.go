package credential

import (
	"slices"
	"time"
)

// State is everything that the library remembers about one account. It is one
// value that is loaded, decided on and saved whole. A host may read it, and may
// build one to bring in devices of another system; once it is stored, only the
// library changes it.
//
// The zero value is the State of an account that was never used.
type State struct {
	// Devices are the issued devices, oldest first.
	Devices []Device
	// Codes are the pending one-time codes, one of a kind. One that has expired is
	// not accepted any more; a later save removes it, though not every save does.
	Codes []OneTimeCode
	// Spent are the proofs that made a device and must not make another. Like an
	// expired code, one that need not be remembered any more stays for a while.
	Spent []SpentProof
	// OTP, Password and PIN are the failures in a row of each factor. Those of OTP
	// only slow down: what a value was compared with has counters of its own, in
	// Kinds and Devices.
	OTP, Password, PIN Attempts
	// Kinds are the failures in a row of each kind of one-time code. A new code
	// does not reset them.
	Kinds []KindAttempts
	// GraceIssued is how many devices were ever issued on grace itself, those that
	// are gone included.
	GraceIssued int
	// Revoked are the ids of devices that were revoked, oldest first, so that a
	// late retry of the request that made one does not bring it back.
	Revoked []RevokedDevice
	// Recovery are the recovery codes.
	Recovery RecoveryCodes
	// Writes are the ids of the last saves, oldest first, one of a writer.
	Writes []WriteID

	unknown []byte // records of a newer release, kept as they are
}

// Device is one issued device TOTP.
type Device struct {
	// ID is a lower-case UUID, unique within the account.
	ID string
	// Name is what the user calls the device; "" for none.
	Name string
	// Sealed is the shared secret, sealed by the Keyring for [DeviceScope], which
	// binds it to the account and to most fields of the device.
	Sealed []byte
	// Algorithm, Digits (6 to 10) and Period (10 to 300 s) are the parameters
	// of RFC 6238.
	Algorithm Algorithm
	Digits    int
	Period    time.Duration
	// Basis is what the device was created on.
	Basis Basis
	// RestsOnGrace reports that the device was created on grace, or on a code of
	// a device that rests on grace.
	RestsOnGrace bool
	// ProofDigest is the digest of the OTP it was created on, so that the same
	// request can be recognized again. It is nil for every other basis.
	ProofDigest []byte
	// CreatedAt is when it was created.
	CreatedAt time.Time
	// LastStep is the newest time step that was accepted: no code of this step
	// or an older one is accepted again. If 0, the device was never used, or it was
	// imported and nobody knows when it was; see [Device.Used].
	LastStep int64
	// MadeBy is the id of the device whose code this one was created on; "" if
	// there is none. If that device was revoked, or made room for this one, it is the
	// id of the device that had made that one, if there is one.
	MadeBy string
	// Attempts are the wrong values in a row that were compared with this
	// device, whatever path they came by. Named counts only verifications that
	// named it, and retries of the request that made or rotated it with another
	// OTP.
	Attempts, Named Attempts
	// Replaced are the OTPs that made earlier devices of this id, so that a late
	// retry of their requests is recognized.
	Replaced []ReplacedProof
	// Rotation is a new secret that has not been used yet; nil if there is none.
	// One that is over stays until the device is next used or rotated.
	Rotation *Rotation
	// PastRotations are the last rotations that were confirmed, replaced or not
	// confirmed in time, oldest first, so that a late retry of their requests is
	// recognized.
	PastRotations []PastRotation

	unknown []byte
}

// Used reports whether the device counts as used: a code of it was accepted, or it
// was imported from a service where it had been in use.
func (d *Device) Used() bool { return d.LastStep > 0 || d.Basis == BasisImported }

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
	// Withdrawn reports that a newer code of the kind has replaced this one, or that an
	// OTP of the same value was accepted. It is not accepted, and kept so that
	// announcing it again is recognized.
	Withdrawn bool

	unknown []byte
}

// ProofID is the name under which State.Spent has the code once it was accepted. It
// is for the library's own use and outside of the compatibility promise.
func (c *OneTimeCode) ProofID() string { return "code:" + c.ID }

// Rotation is a new secret of a device, beside the one that still works.
type Rotation struct {
	// ID is the lower-case UUID that the request chose for the rotation.
	ID string
	// Sealed is the new secret, sealed for [RotationScope].
	Sealed []byte
	// Algorithm, Digits and Period belong to the new secret.
	Algorithm Algorithm
	Digits    int
	Period    time.Duration
	// Basis is what the rotation was made on, RestsOnGrace whether that rests on
	// grace, and ProofDigest the digest of its OTP.
	Basis        Basis
	RestsOnGrace bool
	ProofDigest  []byte
	// StartedAt is when it was made. The new secret is gone at Until if no code of
	// it was accepted before.
	StartedAt, Until time.Time
	// LastStep is the newest time step of the new secret that was accepted. It is
	// its own: the steps of the old secret say nothing about it.
	LastStep int64

	unknown []byte
}

// Pending reports whether o waits at now for the first code of its secret. A nil
// Rotation does not.
func (o *Rotation) Pending(now time.Time) bool { return o != nil && now.Before(o.Until) }

// RevokedDevice is what is remembered of a device that was revoked.
type RevokedDevice struct {
	// ID is the id that the device had.
	ID string
	// At is when it was revoked.
	At time.Time
	// Imported reports that the device was imported. It is remembered for ever:
	// imports are run twice, and must not bring it back. Any other device is
	// forgotten after a while.
	Imported bool
	// Sealed is the SHA-256 of the secret of an imported device, sealed for
	// [RevokedScope]. It is nil if the secret did not open, and for every other
	// device.
	Sealed []byte

	unknown []byte
}

// RecoveryCodes are the saved recovery codes of an account.
type RecoveryCodes struct {
	// Sealed holds the digests of the codes that are left, sealed for
	// [RecoveryScope]; nil if there are none.
	Sealed []byte
	// Left is the number of codes that are left.
	Left int
	// CreatedAt is when the set was made.
	CreatedAt time.Time
	// Attempts are the failures in a row. A new set does not reset them.
	Attempts Attempts

	unknown []byte
}

// KindAttempts are the failures in a row of one kind of one-time code.
type KindAttempts struct {
	// Kind is the kind of the codes; "" for an OTP verifier of the host's own
	// that does not say what it compared.
	Kind     string
	Attempts Attempts

	unknown []byte
}

// PastRotation is what is remembered of a rotation that is not pending any more.
type PastRotation struct {
	// ID was that of the rotation.
	ID string
	// StartedAt is when it was made.
	StartedAt time.Time

	unknown []byte
}

// ReplacedProof is the OTP of a device that was replaced by another of its id.
type ReplacedProof struct {
	// Digest is the ProofDigest of that device.
	Digest []byte
	// CreatedAt is when it was made.
	CreatedAt time.Time

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
	// LastAt is the time of the latest failure.
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

// IsSpent reports whether proof has been used up.
func (s State) IsSpent(proof string) bool {
	return slices.ContainsFunc(s.Spent, func(p SpentProof) bool { return p.ProofID == proof })
}

// KindAttempts returns the failures of the one-time codes of that kind.
func (s *State) KindAttempts(kind string) Attempts {
	for i := range s.Kinds {
		if s.Kinds[i].Kind == kind {
			return s.Kinds[i].Attempts
		}
	}
	return Attempts{}
}

// SetKindAttempts replaces the failures of the one-time codes of that kind. Of
// more than [MaxKinds] kinds with failures, the one that failed first is
// forgotten.
func (s *State) SetKindAttempts(kind string, to Attempts) {
	i := slices.IndexFunc(s.Kinds, func(k KindAttempts) bool { return k.Kind == kind })
	switch {
	case i >= 0 && to == (Attempts{}):
		s.Kinds = slices.Delete(s.Kinds, i, i+1)
	case i >= 0:
		s.Kinds[i].Attempts = to
	case to != (Attempts{}):
		if len(s.Kinds) >= MaxKinds {
			s.Kinds = slices.Delete(s.Kinds, 0, 1)
		}
		s.Kinds = append(s.Kinds, KindAttempts{Kind: kind, Attempts: to})
	}
}
