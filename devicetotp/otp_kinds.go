package devicetotp

import (
	"slices"

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
