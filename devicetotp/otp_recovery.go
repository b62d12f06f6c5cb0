package devicetotp

import (
	"slices"
	"time"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/verifier"
)

// takesRecovery reports whether otp is compared with recovery codes, and with
// nothing else: its form says so, and Policy.OTPKinds has them. A host's own
// verifier may have OTPs of that form too, so there nothing follows from it.
func (i *Issuer) takesRecovery(otp credential.Secret) bool {
	_, typed := credential.RecoveryText(otp)
	return typed && !i.ownOTP && slices.Contains(i.policy.OTPKinds, verifier.KindRecovery)
}

// narrowRecovery leaves the recovery codes in the query unless they are blocked.
func (c *call) narrowRecovery(q *verifier.Query, a *credential.Account) (open int, waits []time.Duration) {
	wait, blocked := c.issuer.policy.Recovery.Blocked(a.State.Recovery.Attempts, c.Now)
	switch {
	case !accepts(q.Kinds, verifier.KindRecovery):
		q.Recovery = credential.RecoveryCodes{}
		return 0, nil
	case len(a.State.Recovery.Sealed) == 0:
		return 0, nil
	case blocked:
		q.Recovery = credential.RecoveryCodes{}
		return 0, []time.Duration{wait}
	default:
		return 1, nil
	}
}

// takeRecovery takes an accepted recovery code out of those that are left, for
// succeed. It finds none if the code is not one of them, which only a host's own
// verifier can have said.
func (p *proofs) takeRecovery(a *credential.Account) error {
	if p.otpSeen.verdict.Kind() != verifier.KindRecovery {
		return nil
	}
	if err := p.call.disputed(&a.State); err != nil {
		return err // the codes that are left would be sealed with the wrong key
	}
	left := a.State.Recovery
	taken, err := left.Spend(p.call.issuer.keys, p.call.accountID, p.otp)
	if err != nil {
		p.unreadable = append(p.unreadable, Unreadable{Factor: credential.FactorOTP, Kind: verifier.KindRecovery, Err: err})
		return p.call.Internal(err)
	}
	if taken {
		left.Attempts = left.Attempts.Cleared()
		p.otpSeen.recovery = &left
	}
	return nil
}

// The digest of the OTP that made something recognizes a retry of its request. Of
// a recovery code it is the digest of its text, because people type it in several
// ways; the mark keeps it apart from an OTP of a host's verifier, which must be
// repeated to the letter.
const recoveryMark = "recovery:"

// digestOTP returns the digest of the OTP that was accepted.
func (p *proofs) digestOTP(scope credential.Scope) ([]byte, error) {
	value := p.otp
	if p.otpSeen.verdict.Kind() == verifier.KindRecovery {
		value, _ = markedRecovery(p.otp)
	}
	return p.call.issuer.keys.Digest(scope, value)
}

// isDigestOf reports whether digestOTP made digest of the presented OTP, and the
// kind of the OTP if that shows.
func (p *proofs) isDigestOf(scope credential.Scope, digest []byte) (kind string, same bool, err error) {
	keys := p.call.issuer.keys
	same, err = keys.Matches(scope, digest, p.otp)
	if text, ok := markedRecovery(p.otp); ok && err == nil && !same {
		same, err = keys.Matches(scope, digest, text)
		kind = verifier.KindRecovery
	}
	if !same {
		kind = ""
	}
	return kind, same, err
}

func markedRecovery(otp credential.Secret) (credential.Secret, bool) {
	text, ok := credential.RecoveryText(otp)
	return credential.NewSecret(recoveryMark + text.Reveal()), ok
}
