package devicetotp

import (
	"time"

	"example.com/devicetotp/credential"
	totperrors "example.com/devicetotp/errors"
	"example.com/devicetotp/verifier"
)

// lookFunc asks whether the value that the request presents for f is right.
// With a device it asks whether it is what that device was created on.
type lookFunc func(f credential.Factor, createdOn *credential.Device) verifier.Verdict

// decision is what Create comes to. It says what the answer will be once the
// account has been saved.
type decision struct {
	code       Code          // of the refusal; "" if a device is given
	field      string        // at fault, with a refusal
	retryAfter time.Duration // with a refusal
	undecided  bool          // a verifier gave no answer: neither given nor refused
	device     int           // index of the device given; -1 if none
	replayed   bool          // the device was there before
	factors    []FactorResult
	verdict    verifier.Verdict // of the factor that grants
	evicted    []string
	save       bool // the account was changed and must be saved first
}

// decideCreate holds every rule of Create. It is pure: it alters nothing that
// it is given, and asks look for one factor at a time, so that nothing is
// hashed that the precedence does not ask for. The device that it adds has no
// sealed secret yet.
func decideCreate(a credential.Account, r *CreateRequest, now time.Time, p *Policy, look lookFunc) (credential.Account, decision) {
	a.State = a.State.Clone()
	c := creation{account: a, request: r, now: now, policy: p, look: look, out: decision{device: -1}}
	c.decide()
	return c.account, c.out
}

// creation is one decision in the making.
type creation struct {
	account credential.Account
	request *CreateRequest
	now     time.Time
	policy  *Policy
	look    lookFunc
	waits   []time.Duration // of the blocked factors
	out     decision
}

func (c *creation) decide() {
	taken := c.account.State.DeviceIndex(c.request.DeviceID)
	switch {
	case c.account.Locked:
		c.refuse(totperrors.CodeAccountLocked)
	case taken >= 0:
		c.repeat(taken)
	case !c.hasRoom():
		c.refuse(totperrors.CodeDeviceLimitReached)
	case !c.request.nothingPresented():
		c.prove()
	case c.graceOpen():
		c.grant(credential.BasisGrace)
	default:
		c.refuse(totperrors.CodeCredentialsRequired)
	}
}

// prove is the precedence, as the published API description has it: "In case
// the PIN, password or OTP is invalid 403 is returned. If multiple values are
// provided first the OTP is checked, then the password, then the PIN. In case
// the one of the provided values is correct, a TOTP will be created."
func (c *creation) prove() {
	for _, factor := range [...]credential.Factor{credential.FactorOTP, credential.FactorPassword, credential.FactorPIN} {
		if !c.request.presented(factor).Present() {
			continue
		}
		switch c.check(factor, nil) {
		case ResultValid:
			c.grant(credential.BasisOf(factor))
			return
		case ResultUndecided:
			return
		}
	}
	c.refuseProofs()
}

// check looks at one presented factor, unless it is blocked, and counts a
// failure. createdOn is the device of a repeated request.
func (c *creation) check(f credential.Factor, createdOn *credential.Device) Result {
	policy, attempts := c.policy.attempts(f), c.account.Attempts(f)
	if attempts.LastAt.After(c.now) {
		attempts.LastAt = c.now // counted by a clock that was ahead
		c.setAttempts(f, attempts)
	}
	if wait, blocked := policy.Blocked(attempts, c.now); blocked {
		c.waits = append(c.waits, wait)
		return c.note(f, ResultBlocked)
	}
	result := ResultWrong // what is present but empty
	if c.request.presented(f).Reveal() != "" {
		result = c.ask(f, createdOn)
	}
	switch result {
	case ResultValid:
		c.out.save = true // no verdict, good or bad, is given before it is recorded
	case ResultWrong, ResultSpent:
		c.setAttempts(f, policy.Fail(attempts, c.now))
	}
	return c.note(f, result)
}

// ask gets the verdict on one factor.
func (c *creation) ask(f credential.Factor, createdOn *credential.Device) Result {
	verdict := c.look(f, createdOn)
	switch verdict.Status {
	case verifier.StatusValid:
		if f == credential.FactorOTP && createdOn == nil && c.used(verdict) {
			return ResultSpent
		}
		c.out.verdict = verdict
		return ResultValid
	case verifier.StatusWrong:
		return ResultWrong
	case verifier.StatusSpent:
		return ResultSpent
	default:
		c.out.undecided = true
		return ResultUndecided
	}
}

// used tells whether a valid OTP was used up before: its proof, or its time step
// if one of the account's devices generated it.
func (c *creation) used(verdict verifier.Verdict) bool {
	state := &c.account.State
	if i := state.DeviceIndex(verdict.DeviceID); i >= 0 && verdict.Step <= state.Devices[i].LastStep {
		return true
	}
	return state.IsSpent(verdict.ProofID)
}

func (c *creation) setAttempts(f credential.Factor, at credential.Attempts) {
	c.account.State.SetAttempts(f, at)
	c.out.save = true
}

func (c *creation) note(f credential.Factor, r Result) Result {
	c.out.factors = append(c.out.factors, FactorResult{Factor: f, Result: r, Failures: c.account.Attempts(f).Failures})
	return r
}

// refuseProofs answers when nothing that was presented grants.
func (c *creation) refuseProofs() {
	for _, f := range c.out.factors {
		if f.Result != ResultBlocked {
			c.refuse(totperrors.CodeInvalidCredentials)
			return
		}
	}
	c.out.retryAfter = shortest(c.waits)
	c.refuse(totperrors.CodeTooManyAttempts)
}

func (c *creation) refuse(code Code) { c.out.code = code }

// graceOpen tells whether nothing needs to be presented.
func (c *creation) graceOpen() bool {
	if c.request.NoGrace || c.account.RegisteredAt.IsZero() || c.policy.GraceWindow == 0 {
		return false
	}
	age, ok := c.age(c.account.RegisteredAt)
	return ok && age <= c.policy.GraceWindow && c.graceDevices() < c.policy.GraceDevices
}

func (c *creation) graceDevices() (n int) {
	for i := range c.account.State.Devices {
		if c.account.State.Devices[i].Basis == credential.BasisGrace {
			n++
		}
	}
	return n
}

// age returns how long ago t was. A little in the future counts as now; more is
// not ok.
func (c *creation) age(t time.Time) (age time.Duration, ok bool) {
	age = c.now.Sub(t)
	return max(0, age), age >= -c.policy.ClockTolerance
}

// hasRoom tells whether another device fits, if need be in place of ones that
// were never used.
func (c *creation) hasRoom() bool {
	over := len(c.account.State.Devices) + 1 - c.policy.MaxDevices
	for _, d := range c.account.State.Devices {
		if over > 0 && c.stale(d) {
			over--
		}
	}
	return over <= 0
}

// stale tells whether d may make room: never used, and old enough.
func (c *creation) stale(d credential.Device) bool {
	return d.LastStep == 0 && c.now.Sub(d.CreatedAt) > c.policy.UnusedAfter
}
