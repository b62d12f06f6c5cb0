package devicetotp

import (
	"errors"
	"slices"
	"time"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/verifier"
)

// How failures of one-time values are counted. What was presented was compared
// with devices and with one-time codes, or with the recovery codes, and each of
// those has a counter of its own; a counter of the account sets the pace.
//
//	counter                        adds one when                           slows down, stops  reset by
//	State.OTP                      an OTP, or a code that names no device, from 5th, never    success of any OTP
//	                               was wrong
//	Device.Attempts (all paths)    a wrong value was compared with it      from 5th, at 80    its own success
//	                                                                       if it is not named
//	Device.Named                   a Verify that names it was wrong, or    from 5th, at 20    its own success
//	                               a retry of its Create or Rotate with
//	                               another OTP that grants nothing
//	State.Kinds                    a wrong value was compared with the     from 5th, at 20    that kind's success
//	                               pending code of the kind
//	State.Recovery                 a wrong value was compared with the     from 5th, at 100   its own success
//	                               recovery codes
//
// All are reset by Unblock, and none by a new code, set or device. A value that is
// right anywhere counts nowhere as wrong, but for one that rests on grace, which is a
// guess at the digest of a proved device that it does not replace; the OTP of a
// retried Rotate is compared with the digest of the first one only. So at most 100
// wrong values in a row are ever compared with one device or with the recovery codes,
// and 20 with the codes of one kind, whatever path they come by, and an attacker who
// has a device cannot use its successes to go on guessing something else.

// otpCheck is one OTP of a request, and what it was compared with.
type otpCheck struct {
	verdict verifier.Verdict
	// A retry sets broken if the digest of its own does not open, and differs if it
	// was compared with that digest, which is then one wrong OTP unless it is right
	// elsewhere.
	broken  error
	differs bool
	except  string // a device whose codes do not count: the one that is replaced
	only    string // the one device whose codes count, if not "": the one that is rotated
	// recovery is what is left once the accepted recovery code is spent; nil if
	// none was accepted.
	recovery *credential.RecoveryCodes
}

// counts reports whether codes of that device count.
func (c *otpCheck) counts(deviceID string) bool {
	return deviceID != c.except && (c.only == "" || deviceID == c.only)
}

// restsOnGrace reports whether what was accepted rests on grace alone.
func (c *otpCheck) restsOnGrace(s *credential.State) bool {
	return rightOnGrace(s, c.verdict.Compared) || slices.ContainsFunc(s.Devices, func(d credential.Device) bool {
		return c.verdict.DeviceID == d.ID && rests(&d, c.verdict.Rotated)
	})
}

// device returns the device that generates what was accepted, even if that is something
// else too; "" if none does.
func (c *otpCheck) device() string {
	if c.verdict.DeviceID != "" {
		return c.verdict.DeviceID
	}
	for i := range c.verdict.Compared {
		if m := &c.verdict.Compared[i]; m.Right && m.DeviceID != "" {
			return m.DeviceID
		}
	}
	return ""
}

// rightOnGrace reports whether the code is one of a device that rests on grace,
// even if it is something else too. If something that does not were enough, each code
// of a device on grace would be a guess at the codes of the others, and at the pending
// one-time codes, that is never counted, because it is right.
func rightOnGrace(s *credential.State, all []verifier.Compared) bool {
	for i := range all { // by index: an account of many devices has many of them
		if m := &all[i]; m.Right {
			if d := s.DeviceIndex(m.DeviceID); d >= 0 && rests(&s.Devices[d], m.Match.Rotated) {
				return true
			}
		}
	}
	return false
}

// rests reports whether codes of d rest on grace: of its secret, or of the new one
// of its rotation, which may have been made on something better.
func rests(d *credential.Device, rotated bool) bool {
	return d.RestsOnGrace && !(rotated && d.Rotation != nil && !d.Rotation.RestsOnGrace)
}

// checkOTP checks the presented OTP, unless it is blocked, and counts a failure.
func (p *proofs) checkOTP(a *credential.Account) (Result, error) {
	const f = credential.FactorOTP
	query := verifier.NewQuery(*a, f, p.otp, p.call.Now)
	query.Kinds = p.kinds
	wait, blocked := p.call.narrow(&query, a, &p.otpSeen)
	if !blocked { // or what is right could not be spent
		wait, blocked = p.call.proofWait(a)
	}
	switch {
	case blocked && !p.otpSeen.differs:
		p.waits = append(p.waits, wait)
		return p.note(a, f, ResultBlocked), nil
	case blocked, p.otp.Reveal() == "": // present, and wrong
		return p.failOTP(a, ResultWrong, []verifier.Compared{}), nil
	}
	verdict, err := p.askOTP(a, query)
	switch {
	case err != nil && p.otpSeen.differs && isBroken(err): // nothing was compared but the digest
		return p.failOTP(a, ResultWrong, []verifier.Compared{}), nil
	case err != nil:
		if p.otpSeen.differs {
			p.countOTP(a)
		}
		p.note(a, f, ResultUndecided)
		return 0, err
	case verdict.Status != verifier.StatusValid || !p.call.Known:
	case verdict.DeviceID != "" && !p.otpSeen.counts(verdict.DeviceID): // as the host's own verifier may say
		verdict.Status = verifier.StatusWrong
	case p.usedUp(a, verdict):
		verdict.Status = verifier.StatusSpent
	default:
		p.counted = true // no verdict, good or bad, leaves before it is recorded
		return p.noteOTP(a, verdict.Kind()), nil
	}
	return p.failOTP(a, resultOf(verdict.Status), verdict.Compared), nil
}

// askOTP asks the verifier of OTPs.
func (p *proofs) askOTP(a *credential.Account, q verifier.Query) (verifier.Verdict, error) {
	verdict, err := p.verify(credential.FactorOTP, q)
	verdict = p.call.ofOpen(a, ofKinds(p.kinds, verdict), &p.otpSeen)
	p.otpSeen.verdict = verdict
	p.unreadable = append(p.unreadable, unreadable(verdict.Compared)...)
	nothing := err == nil && verdict.Status != verifier.StatusValid && verdict.Compared != nil && !compared(verdict.Compared)
	if p.otpSeen.broken != nil && (nothing || isBroken(err)) {
		err = p.call.Internal(errors.Join(p.otpSeen.broken, err))
	}
	if err == nil {
		p.call.Looked()
		err = p.takeRecovery(a)
	}
	return verdict, err
}

// failOTP counts a wrong OTP, against each of what it was compared with.
func (p *proofs) failOTP(a *credential.Account, r Result, all []verifier.Compared) Result {
	p.countOTP(a)
	p.call.failCompared(a, all)
	return p.note(a, credential.FactorOTP, r)
}

// failGuess counts an OTP that differs from the digest which a retry compared it
// with: it is a guess, also where it is compared with nothing else.
func (p *proofs) failGuess(a *credential.Account) {
	if p.otpSeen.differs {
		p.failOTP(a, ResultWrong, []verifier.Compared{})
	}
}

// recognize notes an OTP that is known and was spent, which is no guess. That it is
// known is a verdict all the same, and leaves after a save.
func (p *proofs) recognize(a *credential.Account) {
	p.call.Looked()
	p.counted = true
	p.note(a, credential.FactorOTP, ResultSpent)
}

// countOTP counts a wrong OTP for the pace of the account. Any OTP that is right
// resets that, so a retry counts for the device that it names, too.
func (p *proofs) countOTP(a *credential.Account) {
	policy := &p.call.issuer.policy
	a.State.OTP = policy.OTP.Fail(a.State.OTP, p.call.Now)
	p.countGuess(a)
	p.counted = true
}

// countGuess counts an OTP that differs from the digest which a retry compared it
// with, for the device that the retry names.
func (p *proofs) countGuess(a *credential.Account) {
	if p.otpSeen.differs {
		d := &a.State.Devices[a.State.DeviceIndex(p.call.deviceID)]
		d.Named = p.call.issuer.policy.Device.Fail(d.Named, p.call.Now)
	}
}

// noteOTP notes an accepted OTP.
func (p *proofs) noteOTP(a *credential.Account, kind string) Result {
	p.note(a, credential.FactorOTP, ResultValid)
	p.results[len(p.results)-1].Kind = kind
	return ResultValid
}

// compared reports whether anything could be compared.
func compared(all []verifier.Compared) bool {
	return slices.ContainsFunc(all, func(c verifier.Compared) bool { return c.Err == nil })
}

// usedUp reports whether a valid OTP was used up before.
func (p *proofs) usedUp(a *credential.Account, v verifier.Verdict) bool {
	if v.Kind() == verifier.KindRecovery {
		return p.otpSeen.recovery == nil
	}
	return used(&a.State, v)
}

// used reports whether an OTP that was found valid was used up before: its proof, or
// its time step if a device generated it. Only a host's own verifier finds such a one
// valid, whatever it says that it compared.
func used(s *credential.State, v verifier.Verdict) bool {
	if i := s.DeviceIndex(v.DeviceID); i >= 0 && v.Step <= lastStep(&s.Devices[i], v.Rotated) {
		return true
	}
	return s.IsSpent(v.ProofID)
}

// lastStep returns the newest accepted step of d's secret, or of the new secret of
// its rotation.
func lastStep(d *credential.Device, rotated bool) int64 {
	if rotated && d.Rotation != nil {
		return d.Rotation.LastStep
	}
	return d.LastStep
}

// narrow leaves in the query what an unnamed OTP may be compared with now.
// blocked reports that a block is in the way of all of it, with the shortest wait.
func (c *call) narrow(q *verifier.Query, a *credential.Account, check *otpCheck) (wait time.Duration, blocked bool) {
	policy := &c.issuer.policy
	if wait, blocked := policy.OTP.Blocked(a.State.OTP, c.Now); blocked {
		return wait, true
	}
	if wait, blocked := c.silentBlocked(a); blocked {
		return wait, true
	}
	open, waits := c.narrowDevices(q, check)
	codes, more := c.narrowCodes(q, a)
	open, waits = open+codes, append(waits, more...)
	set, waitsOfSet := c.narrowRecovery(q, a)
	if c.issuer.takesRecovery(q.Presented) {
		open, waits = set, waitsOfSet
	}
	return shortest(waits), open == 0 && len(waits) > 0
}

// silentBlocked reports whether the host's own verifier is blocked as a whole, because
// it did not say what it compared. The library's says it and clears nothing else, so
// the failures of one that was there before would block it for ever.
func (c *call) silentBlocked(a *credential.Account) (wait time.Duration, blocked bool) {
	if !c.issuer.ownOTP {
		return 0, false
	}
	return c.issuer.policy.Code.Blocked(a.State.KindAttempts(""), c.Now)
}

// narrowDevices leaves in the query the devices that are not blocked. It returns
// how many of them generate codes of the presented length, and the waits of those
// that do and are blocked.
func (c *call) narrowDevices(q *verifier.Query, check *otpCheck) (open int, waits []time.Duration) {
	if !accepts(q.Kinds, verifier.KindDeviceTOTP) {
		q.Devices = nil
		return 0, nil
	}
	q.Devices = keep(q.Devices, func(d *credential.Device) bool {
		if !check.counts(d.ID) {
			return false
		}
		wait, blocked := c.issuer.policy.UnnamedDevice.Blocked(d.Attempts, c.Now)
		switch {
		case !shows(d, len(q.Presented.Reveal()), c.Now):
		case blocked:
			waits = append(waits, wait)
		default:
			open++
		}
		return !blocked
	})
	return open, waits
}

// shows reports whether d generates codes of so many digits.
func shows(d *credential.Device, digits int, now time.Time) bool {
	return d.Digits == digits || d.Rotation.Pending(now) && d.Rotation.Digits == digits
}

// narrowCodes does the same for the one-time codes.
func (c *call) narrowCodes(q *verifier.Query, a *credential.Account) (open int, waits []time.Duration) {
	q.Codes = keep(q.Codes, func(code *credential.OneTimeCode) bool {
		if !accepts(q.Kinds, code.Kind) {
			return false
		}
		wait, blocked := c.issuer.policy.Code.Blocked(a.State.KindAttempts(code.Kind), c.Now)
		switch {
		case code.Withdrawn || !c.Now.Before(code.ExpiresAt):
		case blocked:
			waits = append(waits, wait)
		default:
			open++
		}
		return !blocked
	})
	return open, waits
}

// both returns how long two blocks are in the way that must both end: 0 if only
// Unblock ends one of them.
func both(wait time.Duration, blocked bool, other time.Duration, otherBlocked bool) (time.Duration, bool) {
	if blocked && wait == 0 || otherBlocked && other == 0 {
		return 0, true
	}
	return max(wait, other), blocked || otherBlocked
}

// keep returns the elements that are kept: all itself where that is every one.
func keep[T any](all []T, kept func(*T) bool) []T {
	for i := range all {
		if kept(&all[i]) {
			continue
		}
		out := slices.Clone(all[:i])
		for j := i + 1; j < len(all); j++ {
			if kept(&all[j]) {
				out = append(out, all[j])
			}
		}
		return out
	}
	return all
}

// failCompared counts a wrong value against each of what it was compared with: once
// against a device, whichever of its secrets that was.
func (c *call) failCompared(a *credential.Account, all []verifier.Compared) {
	policy := &c.issuer.policy
	if all == nil {
		c.failKind(a, "")
	}
	last := "" // both secrets of a device are next to each other
	var kinds []string
	for _, m := range all {
		switch i := a.State.DeviceIndex(m.DeviceID); {
		case m.Err != nil || m.Spent:
		case i >= 0 && m.DeviceID == last:
		case i >= 0:
			last = m.DeviceID
			d := &a.State.Devices[i]
			d.Attempts = policy.UnnamedDevice.Fail(d.Attempts, c.Now)
		case isRecovery(m):
			a.State.Recovery.Attempts = policy.Recovery.Fail(a.State.Recovery.Attempts, c.Now)
		case !slices.Contains(kinds, m.Kind):
			kinds = append(kinds, m.Kind)
			c.failKind(a, m.Kind)
		}
	}
}

func (c *call) failKind(a *credential.Account, kind string) {
	a.State.SetKindAttempts(kind, c.issuer.policy.Code.Fail(a.State.KindAttempts(kind), c.Now))
}

// unreadable lists what did not open, for the Event.
func unreadable(all []verifier.Compared) (out []Unreadable) {
	for _, m := range all {
		if m.Err != nil {
			out = append(out, Unreadable{Factor: credential.FactorOTP, DeviceID: m.DeviceID, Kind: m.Kind, Err: m.Err})
		}
	}
	return out
}
