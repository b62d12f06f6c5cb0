package devicetotp

import (
	"fmt"
	"slices"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp/internal/rounds"
	"example.com/devicetotp/verifier"
)

// accepts reports whether a request that names those kinds of OTP accepts kind;
// one that names none accepts every kind.
func accepts(kinds []string, kind string) bool {
	return len(kinds) == 0 || slices.Contains(kinds, kind)
}

// kindOfCompared returns the kind of OTP that m is about.
func kindOfCompared(m verifier.Compared) string {
	if m.DeviceID != "" {
		return verifier.KindDeviceTOTP
	}
	return m.Kind
}

// ofKinds returns v as far as it is about OTPs of the kinds: an OTP of another
// kind is wrong and counts against nothing of that kind. The verifier of this
// library has compared nothing else. One of the host's own may have, and if it
// does not say what is right, that is not of the kinds.
func ofKinds(kinds []string, v verifier.Verdict) verifier.Verdict {
	if len(kinds) == 0 {
		return v
	}
	if v.Compared != nil {
		v.Compared = slices.DeleteFunc(slices.Clone(v.Compared), func(m verifier.Compared) bool {
			return !accepts(kinds, kindOfCompared(m))
		})
	}
	if v.Status == verifier.StatusValid && !accepts(kinds, v.Kind()) {
		v = verifier.Verdict{Status: verifier.StatusWrong, Compared: v.Compared}
	}
	return v
}

// maxKind is the longest kind of OTP in bytes, as in Policy.OTPKinds: with longer ones
// of a host's own verifier, a State that is full would not be saved.
const maxKind = 32

// checkKinds refuses kinds that failures could not be counted against.
func checkKinds(all []verifier.Compared) error {
	var kinds []string
	for _, m := range all {
		switch {
		case len(m.Kind) > maxKind:
			return fmt.Errorf("%w: a kind of OTP of more than %d bytes", rounds.ErrNonsense, maxKind)
		case slices.Contains(kinds, m.Kind):
		case len(kinds) == credential.MaxKinds:
			return fmt.Errorf("%w: more than %d kinds of OTP", rounds.ErrNonsense, credential.MaxKinds)
		default:
			kinds = append(kinds, m.Kind)
		}
	}
	return nil
}

// isRecovery reports whether m is about the recovery codes.
func isRecovery(m verifier.Compared) bool {
	return m.DeviceID == "" && m.CodeID == "" && m.Kind == verifier.KindRecovery
}

// ofOpen returns v as far as it is about what is not blocked, and about devices whose
// codes count. The verifier of this library is given nothing else. One of the host's own
// may have OTPs that the library knows only by their kind, and devices from elsewhere:
// what it says of them is left out then, so that a right guess is answered like a wrong
// one.
func (c *call) ofOpen(a *credential.Account, v verifier.Verdict, check *otpCheck) verifier.Verdict {
	if !c.issuer.ownOTP || v.Compared == nil {
		return v
	}
	open := make([]verifier.Compared, 0, len(v.Compared))
	for _, m := range v.Compared {
		if m.DeviceID != "" && a.State.DeviceIndex(m.DeviceID) < 0 { // one that the verifier keeps itself
			m.DeviceID, m.CodeID = "", m.DeviceID
		}
		if (m.DeviceID == "" || check.counts(m.DeviceID)) && !c.isBlocked(a, m) {
			open = append(open, m)
		}
	}
	right := slices.ContainsFunc(open, func(m verifier.Compared) bool { return m.Right })
	if v.DeviceID != "" && c.isBlocked(a, verifier.Compared{DeviceID: v.DeviceID}) {
		v.DeviceID, v.Step, v.Rotated = "", 0, false
	}
	if len(open) < len(v.Compared) && v.Status == verifier.StatusValid && !right && a.State.DeviceIndex(v.DeviceID) < 0 {
		return verifier.Verdict{Status: verifier.StatusWrong, Compared: open}
	}
	v.Compared = open
	return v
}

// isBlocked reports whether guesses at the device, the recovery codes or the kind of m
// are blocked.
func (c *call) isBlocked(a *credential.Account, m verifier.Compared) (blocked bool) {
	policy := &c.issuer.policy
	switch {
	case m.DeviceID != "":
		if i := a.State.DeviceIndex(m.DeviceID); i >= 0 {
			_, blocked = policy.UnnamedDevice.Blocked(a.State.Devices[i].Attempts, c.Now)
		}
	case isRecovery(m):
		_, blocked = policy.Recovery.Blocked(a.State.Recovery.Attempts, c.Now)
	default:
		_, blocked = policy.Code.Blocked(a.State.KindAttempts(m.Kind), c.Now)
	}
	return blocked
}
