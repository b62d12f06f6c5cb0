package devicetotp

import (
	"slices"
	"time"

	"example.com/devicetotp/credential"
)

// What is spent is not forgotten by time alone: a clock that is ahead for a
// moment would forget it, and a code be good again once the clock is right. It is
// forgotten when newer entries need the room.
const (
	keptProofs = 20 // spent proofs that are kept whatever the clock says
	keptCodes  = 8  // one-time codes that are not pending any more, likewise
)

// remember adds a spent proof. There is room for it, see hasProofRoom.
func remember(s *credential.State, p credential.SpentProof, now time.Time) {
	for len(s.Spent) >= keptProofs {
		i := forgettable(s.Spent, now)
		if i < 0 {
			break
		}
		s.Spent = slices.Delete(s.Spent, i, i+1)
	}
	s.Spent = append(s.Spent, p)
}

// forgettable returns the index of the first expired proof; -1 if there is none.
func forgettable(spent []credential.SpentProof, now time.Time) int {
	return slices.IndexFunc(spent, func(p credential.SpentProof) bool { return now.After(p.Until) })
}

// hasProofRoom reports whether another proof can be remembered.
func (c *call) hasProofRoom(a *credential.Account) bool {
	return len(a.State.Spent) < credential.MaxSpent || forgettable(a.State.Spent, c.Now) >= 0
}

// proofWait reports whether no other proof can be remembered, and how long yet.
func (c *call) proofWait(a *credential.Account) (wait time.Duration, full bool) {
	if c.hasProofRoom(a) {
		return 0, false
	}
	first := a.State.Spent[0].Until
	for _, p := range a.State.Spent {
		if p.Until.Before(first) {
			first = p.Until
		}
	}
	return first.Sub(c.Now) + 1, true // an instant behind it
}

// forgetCodes makes room for one more one-time code: the oldest ones that are not
// pending go first.
func forgetCodes(s *credential.State, now time.Time) {
	over := -keptCodes
	for i := range s.Codes {
		if done(&s.Codes[i], now) {
			over++
		}
	}
	s.Codes = slices.DeleteFunc(s.Codes, func(c credential.OneTimeCode) bool {
		if over > 0 && done(&c, now) {
			over--
			return true
		}
		return false
	})
}

func done(c *credential.OneTimeCode, now time.Time) bool {
	return c.Withdrawn || !now.Before(c.ExpiresAt)
}
