package devicetotp

import (
	"time"

	"example.com/devicetotp/credential"
	totperrors "example.com/devicetotp/errors"
	"example.com/devicetotp/verifier"
)

// matchFunc tells which of the devices generated the presented code, if any.
// decided is false if that cannot be said.
type matchFunc func(candidates []credential.Device) (m verifier.DeviceMatch, ok, decided bool)

// verification is what Verify comes to.
type verification struct {
	code       Code // of the refusal; "" if the code is accepted
	retryAfter time.Duration
	undecided  bool
	match      verifier.DeviceMatch
	factors    []FactorResult
	save       bool
}

// decideVerify holds every rule of Verify. It is pure, like decideCreate.
func decideVerify(a credential.Account, r *VerifyRequest, now time.Time, p *Policy, match matchFunc) (credential.Account, verification) {
	a.State = a.State.Clone()
	v := verifying{account: a, request: r, now: now, policy: p}
	v.decide(match)
	return v.account, v.out
}

type verifying struct {
	account credential.Account
	request *VerifyRequest
	now     time.Time
	policy  *Policy
	out     verification
}

func (v *verifying) decide(match matchFunc) {
	state := &v.account.State
	switch {
	case v.account.Locked:
		v.out.code = totperrors.CodeAccountLocked
		return
	case !v.request.Code.Present():
		v.out.code = totperrors.CodeCredentialsRequired
		return
	}
	candidates, open := v.candidates()
	if !open {
		v.out.code = totperrors.CodeTooManyAttempts
		v.note(ResultBlocked)
		return
	}
	m, ok, decided := match(candidates)
	switch {
	case !decided:
		v.out.undecided = true
		v.note(ResultUndecided)
		return
	case ok:
		device := &state.Devices[state.DeviceIndex(m.DeviceID)]
		device.LastStep = m.Step
		device.Attempts, state.OTP = device.Attempts.Cleared(), state.OTP.Cleared()
		v.out.match = m
		v.note(ResultValid)
	default:
		v.fail(candidates)
		v.note(ResultWrong)
	}
	dropExpired(state, v.now)
	v.out.save = true
}

// candidates returns the devices that may be matched: the one that is named, or
// every one that is not blocked itself. open is false if a block is in the way.
func (v *verifying) candidates() (candidates []credential.Device, open bool) {
	state := &v.account.State
	if wait, blocked := v.blocked(&state.OTP, v.policy.OTP); blocked {
		v.out.retryAfter = wait
		return nil, false
	}
	waits := make([]time.Duration, 0, len(state.Devices))
	for i := range state.Devices {
		device := &state.Devices[i]
		if v.request.DeviceID != "" && v.request.DeviceID != device.ID {
			continue
		}
		if wait, blocked := v.blocked(&device.Attempts, v.policy.Device); blocked {
			waits = append(waits, wait)
			continue
		}
		candidates = append(candidates, *device)
	}
	if len(candidates) == 0 && len(waits) > 0 {
		v.out.retryAfter = shortest(waits)
		return nil, false
	}
	return candidates, true
}

// blocked asks the policy, after bringing back a failure that was counted by a
// clock that was ahead.
func (v *verifying) blocked(a *credential.Attempts, p verifier.AttemptPolicy) (wait time.Duration, blocked bool) {
	if a.LastAt.After(v.now) {
		a.LastAt = v.now
		v.out.save = true
	}
	return p.Blocked(*a, v.now)
}

// fail counts one failure, however many devices there are, and one for the
// device that the request names.
func (v *verifying) fail(candidates []credential.Device) {
	state := &v.account.State
	state.OTP = v.policy.OTP.Fail(state.OTP, v.now)
	if v.request.DeviceID == "" {
		return
	}
	for _, d := range candidates {
		device := &state.Devices[state.DeviceIndex(d.ID)]
		device.Attempts = v.policy.Device.Fail(device.Attempts, v.now)
	}
}

func (v *verifying) note(r Result) {
	v.out.factors = append(v.out.factors, FactorResult{Factor: credential.FactorOTP, Result: r, Failures: v.account.State.OTP.Failures})
}

// shortest returns the shortest wait that ends; 0 if none does.
func shortest(waits []time.Duration) (least time.Duration) {
	for _, w := range waits {
		if w > 0 && (least == 0 || w < least) {
			least = w
		}
	}
	return least
}
