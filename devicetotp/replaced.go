package devicetotp

import (
	"slices"
	"time"

	"example.com/devicetotp/credential"
)

// madeEarlier reports whether the OTP made, within the retry window, an earlier
// device of d's id. A late retry of that request must neither undo the later one
// nor count as a guess.
func (p *proofs) madeEarlier(d *credential.Device) bool {
	return slices.ContainsFunc(d.Replaced, func(earlier credential.ReplacedProof) bool {
		if !p.call.isRecent(earlier.CreatedAt) {
			return false
		}
		_, same, err := p.isDigestOf(proofScope(p.call.accountID, d.ID), earlier.Digest)
		return err == nil && same
	})
}

// remembered returns the OTPs that are remembered once another is replaced: those
// within the retry window, and of too many the newest. digest is nil if what is
// replaced was not made on an OTP.
func (c *call) remembered(earlier []credential.ReplacedProof, digest []byte, madeAt time.Time) []credential.ReplacedProof {
	all := slices.Clone(earlier)
	if digest != nil {
		all = append(all, credential.ReplacedProof{Digest: digest, CreatedAt: madeAt})
	}
	all = slices.DeleteFunc(all, func(p credential.ReplacedProof) bool { return !c.isRecent(p.CreatedAt) })
	return all[max(0, len(all)-credential.MaxReplaced):]
}

// isRecent reports whether t is within the retry window.
func (c *call) isRecent(t time.Time) bool {
	age, ok := c.age(t)
	return ok && age <= c.issuer.policy.RetryWindow
}
