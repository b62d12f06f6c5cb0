package devicetotp_test

import (
	"time"

	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/verifier"
)

// The rules of Verify, stated once more and apart from the code, for the truth
// table. No published description has them; RFC 6238 section 5.2 has the window
// ("at most one time step is allowed as the network delay") and that a code is
// accepted once ("The verifier MUST NOT accept the second attempt of the OTP after
// the successful validation has been issued for the first OTP").

// verifyExpectation is the answer that a row must get, what the host must be told,
// and what must be stored afterwards.
type verifyExpectation struct {
	facts
	saved bool

	code       devicetotp.Code
	field      string
	retryAfter time.Duration
	match      devicetotp.Match

	deviceID     string // that the host is told of
	restsOnGrace bool
	factors      []devicetotp.FactorResult
	unreadable   []unreadableFact

	row      verifyRow
	named    *deviceFacts // nil where the request names none of the account's
	compared []*deviceFacts
}

// expectVerify states the rules in their order.
func expectVerify(r verifyRow) verifyExpectation {
	e := verifyExpectation{facts: r.before(), row: r, deviceID: r.names}
	e.named = e.device(r.names)
	switch {
	case r.account == lockedAccount:
		e.code = devicetotp.CodeAccountLocked
	case r.code.absent:
		e.code, e.field = devicetotp.CodeCredentialsRequired, "Code"
	default:
		if wait, blocked := e.candidates(); blocked {
			e.tell(devicetotp.ResultBlocked)
			e.code, e.retryAfter = devicetotp.CodeTooManyAttempts, wait
		} else {
			e.decide()
		}
	}
	if r.account == unknownAccount { // there is nothing to save
		e.facts, e.saved = facts{}, false
	}
	return e
}

// candidates: the device that is named, unless it is blocked as one that is named or
// has seen a hundred wrong values; or else every device that generates codes of this
// length and is not blocked, unless the account must wait. Where everything is
// blocked, the shortest wait is named.
func (e *verifyExpectation) candidates() (wait time.Duration, blocked bool) {
	if e.named != nil {
		if e.named.attempts.n >= 100 {
			return 0, true // only the host can unblock it
		}
		e.compare(e.named)
		return ofNamed.wait(e.named.named)
	}
	if wait, blocked := ofOTP.wait(e.otp); blocked {
		return wait, true
	}
	var waits []time.Duration
	for i := range e.devices {
		d := &e.devices[i]
		if e.row.names != "" || d.digits != len(e.row.code.text) {
			continue
		}
		if wait, blocked := ofUnnamed.wait(d.attempts); blocked {
			waits = append(waits, wait)
		} else {
			e.compare(d)
		}
	}
	return shortestOf(waits), len(waits) > 0 && len(waits) == e.ofThisLength()
}

// ofThisLength returns how many devices generate codes of the presented length.
func (e *verifyExpectation) ofThisLength() (n int) {
	for _, d := range e.devices {
		if d.digits == len(e.row.code.text) {
			n++
		}
	}
	return n
}

// compare: exactly the device's digits, ASCII 0-9 only.
func (e *verifyExpectation) compare(d *deviceFacts) {
	if d.digits == len(e.row.code.text) && !e.row.code.malformed {
		e.compared = append(e.compared, d)
	}
}

// right: a code of the current step or of one beside it, which is newer than the
// last accepted one.
func (e *verifyExpectation) right(d *deviceFacts) bool {
	c := e.row.code
	return c.phone != "" && e.row.phone(d) == c.phone && d.digits == len(c.text) && e.row.opens(d) &&
		c.drift >= -1 && c.drift <= 1 && verifyStep+int64(c.drift) > d.step
}

// decide: everything is compared, and a value that is right anywhere is wrong
// nowhere. Where nothing opens, it is a fault and nobody's failure.
func (e *verifyExpectation) decide() {
	opened := 0
	var match *deviceFacts
	for _, d := range e.compared {
		switch {
		case !e.row.opens(d):
			e.unreadable = append(e.unreadable, unreadableFact{factor: otpFactor, device: d.id})
		case match == nil && e.right(d):
			match, opened = d, opened+1
		default:
			opened++
		}
	}
	switch {
	case match != nil:
		e.accept(match)
	case len(e.compared) > 0 && opened == 0:
		e.tell(devicetotp.ResultUndecided)
		e.code = devicetotp.CodeInternal
	default:
		e.fail()
	}
}

// accept: the step is stored on every device that generates the code, compared or
// not. A success resets the pace of the account and what it proved. It rests on grace
// if any device does whose code it was found to be: were it the first one found, each
// code of a device on grace would be a free guess at the codes of the others.
func (e *verifyExpectation) accept(match *deviceFacts) {
	step := verifyStep + int64(e.row.code.drift)
	e.otp, e.saved = failures{}, true
	e.match = devicetotp.Match{DeviceID: match.id, Step: step, Drift: e.row.code.drift, ValidUntil: time.Unix((step+2)*30, 0).UTC()}
	e.deviceID = match.id
	right := map[string]bool{}
	for _, d := range e.compared {
		right[d.id] = e.right(d)
		e.restsOnGrace = e.restsOnGrace || right[d.id] && d.rests
	}
	e.match.RestsOnGrace = e.restsOnGrace
	for i := range e.devices {
		d := &e.devices[i]
		if !e.right(d) {
			continue
		}
		if d.step = step; right[d.id] {
			d.attempts, d.named = failures{}, failures{}
		}
	}
	e.tell(devicetotp.ResultValid)
}

// fail: one more for each device that it was compared with, whatever the path; one
// for the device as one that was named; or else one for the account.
func (e *verifyExpectation) fail() {
	for _, d := range e.compared {
		if e.row.opens(d) {
			d.attempts = ofUnnamed.fail(d.attempts)
		}
	}
	if e.named != nil {
		e.named.named = ofNamed.fail(e.named.named)
	} else {
		e.otp = ofOTP.fail(e.otp)
	}
	e.saved = true
	e.tell(devicetotp.ResultWrong)
	e.code, e.field = devicetotp.CodeInvalidCredentials, "Code"
}

// tell: the failures are those of the device that is named, or of the account.
func (e *verifyExpectation) tell(result devicetotp.Result) {
	n := e.otp.n
	if e.named != nil {
		n = e.named.named.n
	}
	told := devicetotp.FactorResult{Factor: otpFactor, Result: result, Failures: n}
	if result == devicetotp.ResultValid {
		told.Kind = verifier.KindDeviceTOTP
	}
	e.factors = append(e.factors, told)
}
