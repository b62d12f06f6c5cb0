package devicetotp

import (
	"slices"

	"example.com/devicetotp/credential"
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

// isRecovery reports whether m is about the recovery codes.
func isRecovery(m verifier.Compared) bool {
	return m.DeviceID == "" && m.CodeID == "" && m.Kind == verifier.KindRecovery
}

// ofUnblocked returns v as far as it is about what is not blocked. The verifier of this
// library is given nothing that is blocked. One of the host's own may have OTPs that the
// library knows only by their kind: what it says of them while they are blocked is left
// out, so that a right guess is answered like a wrong one.
func (c *call) ofUnblocked(a *credential.Account, v verifier.Verdict) verifier.Verdict {
	if !c.issuer.ownOTP || v.Compared == nil {
		return v
	}
	open := make([]verifier.Compared, 0, len(v.Compared))
	for _, m := range v.Compared {
		if m.DeviceID != "" && a.State.DeviceIndex(m.DeviceID) < 0 { // one that the verifier keeps itself
			m.DeviceID, m.CodeID = "", m.DeviceID
		}
		if !c.isBlocked(a, m) {
			open = append(open, m)
		}
	}
	right := slices.ContainsFunc(open, func(m verifier.Compared) bool { return m.Right })
	if len(open) < len(v.Compared) && v.Status == verifier.StatusValid && !right && a.State.DeviceIndex(v.DeviceID) < 0 {
		return verifier.Verdict{Status: verifier.StatusWrong, Compared: open}
	}
	v.Compared = open
	return v
}

// isBlocked reports whether guesses at the recovery codes or the kind of m are blocked.
func (c *call) isBlocked(a *credential.Account, m verifier.Compared) (blocked bool) {
	policy := &c.issuer.policy
	switch {
	case m.DeviceID != "":
	case isRecovery(m):
		_, blocked = policy.Recovery.Blocked(a.State.Recovery.Attempts, c.Now)
	default:
		_, blocked = policy.Code.Blocked(a.State.KindAttempts(m.Kind), c.Now)
	}
	return blocked
}
