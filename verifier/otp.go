package verifier

import (
	"context"
	"errors"
	"slices"
	"strconv"

	"example.com/devicetotp/credential"
)

// Kinds of user OTP. Others are the host's to name.
const (
	// KindAccount is a one-time code that the host sent for this purpose.
	KindAccount = "account"
	// KindDeviceTOTP is the current code of one of the account's own devices.
	KindDeviceTOTP = "device-totp"
	// KindRecovery is one of the account's saved recovery codes.
	KindRecovery = "recovery"
)

// Compared is one authenticator that a presented OTP was compared with: a device,
// a pending one-time code, or the recovery codes together. A device with a pending
// rotation may be there twice, once for each of its secrets.
type Compared struct {
	// DeviceID is the device; "" otherwise.
	DeviceID string
	// CodeID and Kind name the one-time code; "" for a device. For the recovery
	// codes, CodeID is "" and Kind is KindRecovery. A verifier of the host's own
	// has a Kind for what the library does not keep, such as a hardware token; its
	// CodeID may be "". A Kind has at most 32 bytes, and all verdicts together at most
	// credential.MaxKinds of them: failures of more are not remembered.
	CodeID, Kind string
	// Right reports that the OTP is right. Spent reports that it was, and is used
	// up.
	Right, Spent bool
	// Match describes a right code of a device.
	Match DeviceMatch
	// Err says why nothing could be compared: a sealed secret or a digest that
	// does not open, or parameters out of bounds.
	Err error
}

// OTP returns the verifier of user OTPs of the given kinds: pending one-time
// codes, for [KindDeviceTOTP] the codes of the account's devices, and for
// [KindRecovery] its recovery codes. keys is what they were sealed and digested
// with.
//
// An OTP of 6 to 10 digits is compared with devices and one-time codes. Any other
// one, of at most 64 bytes, is compared with the recovery codes and nothing else;
// with white space or dashes between so many digits, it is compared with nothing.
//
// What does not open is no match: the rest is compared all the same, and
// Verdict.Compared says what it was. If nothing could be compared, the error
// joins the reasons.
func OTP(keys *credential.Keyring, kinds ...string) Verifier {
	return otpVerifier{keys, slices.Clone(kinds)}
}

type otpVerifier struct {
	keys  *credential.Keyring
	kinds []string
}

// Verify implements [Verifier]. A one-time code goes before the code of a
// device, and a value that was right and has been spent yields to any that is
// valid.
func (v otpVerifier) Verify(_ context.Context, q Query) (Verdict, error) {
	verdict := Verdict{Status: StatusWrong, Compared: v.compare(&q)}
	for _, c := range verdict.Compared {
		verdict.consider(&q, c)
	}
	return verdict, nothingCompared(verdict.Compared)
}

// compare compares the OTP with everything of its form.
func (v otpVerifier) compare(q *Query) []Compared {
	out := []Compared{}
	if !credential.IsCode(q.Presented) {
		return v.compareRecovery(q, out)
	}
	if slices.Contains(v.kinds, KindDeviceTOTP) {
		out = CompareDevices(v.keys, q.AccountID, q.Devices, q.Presented, q.Now)
	}
	for i := range q.Codes {
		if c := &q.Codes[i]; !c.Withdrawn && q.Now.Before(c.ExpiresAt) && slices.Contains(v.kinds, c.Kind) {
			out = append(out, v.compareCode(q, c))
		}
	}
	return out
}

// compareRecovery adds the comparison with the recovery codes, if there are any.
func (v otpVerifier) compareRecovery(q *Query, out []Compared) []Compared {
	_, typed := credential.RecoveryText(q.Presented)
	if !typed || len(q.Recovery.Sealed) == 0 || !slices.Contains(v.kinds, KindRecovery) {
		return out
	}
	right, err := q.Recovery.Has(v.keys, q.AccountID, q.Presented)
	return append(out, Compared{Kind: KindRecovery, Right: right, Err: err})
}

func (v otpVerifier) compareCode(q *Query, c *credential.OneTimeCode) Compared {
	scope := credential.Scope{Purpose: credential.PurposeOneTimeCode, AccountID: q.AccountID, Subject: c.ID}
	right, err := v.keys.Matches(scope, c.Digest, q.Presented)
	spent := right && q.isSpent(c.ProofID())
	return Compared{CodeID: c.ID, Kind: c.Kind, Right: right && !spent, Spent: spent, Err: err}
}

// consider takes c for the verdict if it is better than what was found so far.
func (v *Verdict) consider(q *Query, c Compared) {
	switch {
	case c.Right && c.Kind == KindRecovery && c.CodeID == "":
		v.Status = StatusValid
	case c.Right && c.CodeID != "" && (v.Status != StatusValid || v.DeviceID != ""):
		code := q.code(c.CodeID)
		v.Status, v.ProofID, v.Until = StatusValid, code.ProofID(), code.ExpiresAt
		v.DeviceID, v.Step, v.Rotated, v.Outdated = "", 0, false, false
	case c.Right && c.DeviceID != "" && v.Status != StatusValid:
		v.Status, v.Until = StatusValid, c.Match.ValidUntil
		v.ProofID = stepProof(&c.Match)
		v.DeviceID, v.Step, v.Rotated, v.Outdated = c.DeviceID, c.Match.Step, c.Match.Rotated, c.Match.Outdated
	case c.Spent && v.Status == StatusWrong:
		v.Status = StatusSpent
	}
}

// nothingCompared returns the joined errors if nothing at all could be compared
// although there was something.
func nothingCompared(compared []Compared) error {
	var broken []error
	for _, c := range compared {
		if c.Err == nil {
			return nil
		}
		broken = append(broken, c.Err)
	}
	return errors.Join(broken...)
}

// code returns the pending code of that id, which it has.
func (q *Query) code(id string) *credential.OneTimeCode {
	return &q.Codes[slices.IndexFunc(q.Codes, func(c credential.OneTimeCode) bool { return c.ID == id })]
}

func (q *Query) isSpent(proofID string) bool {
	return slices.ContainsFunc(q.Spent, func(p credential.SpentProof) bool { return p.ProofID == proofID })
}

// stepProof is the name under which the time step of a device is spent. The new
// secret of a rotation has steps of its own.
func stepProof(m *DeviceMatch) string {
	prefix := "totp:"
	if m.Rotated {
		prefix = "totp-rotated:"
	}
	return prefix + m.DeviceID + ":" + strconv.FormatInt(m.Step, 10)
}
