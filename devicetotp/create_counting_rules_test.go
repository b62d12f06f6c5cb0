package devicetotp_test

import (
	"slices"
	"time"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/verifier"
)

// The rules of Create go on here: how what is presented is looked at, counted and
// spent.

// look looks at one presented factor, unless it is blocked, and counts.
func (e *createExpectation) look(r createRow, f credential.Factor) devicetotp.Result {
	if f == credential.FactorOTP {
		return e.lookOTP(r)
	}
	p, at := e.hash(f)
	if wait, blocked := p.wait(*at); blocked {
		return e.blocked(f, wait)
	}
	state := r.hash(f)
	if state != hashEmpty {
		e.asked = append(e.asked, f)
	}
	switch {
	case state == hashUndecided:
		return e.note(f, devicetotp.ResultUndecided)
	case e.isBroken(r, f):
		e.unreadable = append(e.unreadable, unreadableFact{factor: f})
		return e.note(f, devicetotp.ResultUndecided)
	case state == hashValid && !r.place.unknown:
		e.saved = true
		return e.note(f, devicetotp.ResultValid)
	case state == hashSpent:
		return e.fail(f, devicetotp.ResultSpent)
	default: // wrong, empty, or none is set
		return e.wrong(f)
	}
}

// lookOTP compares an OTP with everything that may be compared with it now. One
// that is right anywhere is wrong nowhere; a wrong one adds one to each counter of
// what it was compared with, and to the pace of the account.
func (e *createExpectation) lookOTP(r createRow) devicetotp.Result {
	const f = credential.FactorOTP
	o := r.otp
	open, wait, blocked := e.candidates(o)
	switch {
	case blocked && e.differs: // from the digest, which it was compared with
		return e.wrong(f)
	case blocked:
		return e.blocked(f, wait)
	case o.empty:
		return e.wrong(f)
	}
	e.asked = append(e.asked, f)
	right, result := o.rightFor(r.place), o.resultFor(r.place)
	if !o.silent {
		for _, c := range open {
			if o.breaks(c) {
				e.unreadable = append(e.unreadable, c.unreadable())
			}
		}
	}
	switch {
	case o.says == saysUndecided:
		if e.differs {
			e.count(f)
		}
		return e.note(f, devicetotp.ResultUndecided)
	case right:
		e.saved = true
		e.note(f, devicetotp.ResultValid)
		e.factors[len(e.factors)-1].Kind = o.kindName()
		return devicetotp.ResultValid
	case e.isBroken(r, f) && e.differs: // nothing could be compared but the digest
		return e.wrong(f)
	case e.isBroken(r, f):
		return e.note(f, devicetotp.ResultUndecided)
	case o.silent:
		e.kinds[kindSilent] = ofKind.fail(e.kinds[kindSilent])
	default:
		e.failCompared(o, open)
	}
	return e.fail(f, result)
}

// kindName is the kind of an OTP that is right; "" where the verifier does not say.
func (o *otpState) kindName() string {
	if len(o.own) > 0 {
		return verifier.KindDeviceTOTP
	}
	return kindNames[o.kind]
}

// candidates returns what the OTP may be compared with: devices that generate
// codes of its length, and pending one-time codes, whose failures do not make them
// wait. blocked: there are some, and all must wait; or the account must.
func (e *createExpectation) candidates(o *otpState) (open []candidate, wait time.Duration, blocked bool) {
	if wait, blocked := ofOTP.wait(e.otp); blocked {
		return nil, wait, true
	}
	if wait, blocked := ofKind.wait(e.kinds[kindSilent]); blocked {
		return nil, wait, true
	}
	var waits []time.Duration
	consider := func(c candidate, p pace, f failures) {
		if wait, blocked := p.wait(f); blocked {
			waits = append(waits, wait)
		} else {
			open = append(open, c)
		}
	}
	for _, d := range e.devices {
		if d.digits == codeDigits && !o.empty && d.id != tableID { // its own codes do not replace it
			consider(candidate{device: d.id}, ofUnnamed, d.attempts)
		}
	}
	for k := range e.pendingKinds {
		consider(candidate{kind: e.pendingKinds[k]}, ofKind, e.kinds[e.pendingKinds[k]])
	}
	return open, shortestOf(waits), len(open) == 0 && len(waits) > 0
}

// failCompared counts a wrong value against each of what it was compared with. A
// code that was right once is not wrong for its own kind.
func (e *createExpectation) failCompared(o *otpState, open []candidate) {
	for _, c := range open {
		switch d := e.device(c.device); {
		case o.breaks(c) || c.device == "" && o.says == saysSpent && c.kind == o.kind:
		case d != nil:
			d.attempts = ofUnnamed.fail(d.attempts)
		default:
			e.kinds[c.kind] = ofKind.fail(e.kinds[c.kind])
		}
	}
}

// spendOTP: the step is burnt on every device that generates the code, and what
// succeeded resets what it proved and nothing else.
func (e *createExpectation) spendOTP(o *otpState) {
	e.otp = failures{}
	for i := range e.factors {
		if e.factors[i].Factor == credential.FactorOTP {
			e.factors[i].Failures = 0
		}
	}
	if o.silent {
		e.kinds[kindSilent] = failures{}
	}
	if o.kind != kindNone {
		e.kinds[o.kind] = failures{}
	}
	for _, id := range o.own {
		if d := e.device(id); d != nil {
			d.step, d.attempts, d.named = tableStep, failures{}, failures{}
		}
	}
	if len(o.own) == 0 || e.device(o.own[0]) == nil {
		e.spent = append(e.spent, tableProof)
	}
}

// codeRests: whatever rests on grace alone, and codes of it.
func (e *createExpectation) codeRests(o *otpState) bool {
	return slices.ContainsFunc(o.own, func(id string) bool { d := e.device(id); return d != nil && d.rests })
}

// isBroken: what f would be compared with does not open, all of it.
func (e *createExpectation) isBroken(r createRow, f credential.Factor) bool {
	if f != credential.FactorOTP {
		return r.hash(f) == hashBroken && !r.place.unknown
	}
	if r.otp.broken == nothingOpens {
		open, _, _ := e.candidates(r.otp)
		return len(open) > 0
	}
	return false
}

func (e *createExpectation) wrong(f credential.Factor) devicetotp.Result {
	return e.fail(f, devicetotp.ResultWrong)
}

func (e *createExpectation) fail(f credential.Factor, result devicetotp.Result) devicetotp.Result {
	e.count(f)
	e.compared = true
	return e.note(f, result)
}

func (e *createExpectation) count(f credential.Factor) {
	p, at := e.hash(f)
	*at, e.saved = p.fail(*at), true
	if f == credential.FactorOTP {
		e.countGuess()
	}
}

// countGuess: an OTP that was compared with the digest of another and grants nothing.
func (e *createExpectation) countGuess() {
	if e.differs {
		asked := e.device(tableID)
		asked.named = ofNamed.fail(asked.named)
	}
}

func (e *createExpectation) blocked(f credential.Factor, wait time.Duration) devicetotp.Result {
	e.waits = append(e.waits, wait)
	return e.note(f, devicetotp.ResultBlocked)
}

func (e *createExpectation) note(f credential.Factor, result devicetotp.Result) devicetotp.Result {
	_, at := e.hash(f)
	e.factors = append(e.factors, devicetotp.FactorResult{Factor: f, Result: result, Failures: at.n})
	e.compared = e.compared || result == devicetotp.ResultValid
	return result
}
