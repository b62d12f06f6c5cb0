package devicetotp

import (
	"slices"
	"time"

	"example.com/devicetotp/credential"
	totperrors "example.com/devicetotp/errors"
)

// grant adds the device, spends the proof and clears the failures of the factor
// that granted, and of no other.
func (c *creation) grant(basis credential.Basis) {
	state := &c.account.State
	if f, ok := basis.Factor(); ok {
		state.SetAttempts(f, state.Attempts(f).Cleared())
		c.out.factors[len(c.out.factors)-1].Failures = 0
	}
	c.makeRoom()
	if basis == credential.BasisOTP {
		c.spend()
	}
	dropExpired(state, c.now)
	state.Devices = append(state.Devices, credential.Device{
		ID:        c.request.DeviceID,
		Algorithm: c.policy.Algorithm,
		Digits:    c.policy.Digits,
		Period:    c.policy.Period,
		Basis:     basis,
		CreatedAt: c.now.UTC(),
	})
	c.out.device = len(state.Devices) - 1
	c.out.save = true
}

// makeRoom takes away never-used devices until one more fits, oldest first, and
// the one that generated the OTP of this request last. hasRoom saw that there
// are enough.
func (c *creation) makeRoom() {
	state := &c.account.State
	for len(state.Devices) >= c.policy.MaxDevices {
		oldest := -1
		for i, d := range state.Devices {
			if c.stale(d) && (oldest < 0 || c.goesBefore(d, state.Devices[oldest])) {
				oldest = i
			}
		}
		c.out.evicted = append(c.out.evicted, state.Devices[oldest].ID)
		state.Devices = slices.Delete(state.Devices, oldest, oldest+1)
	}
}

func (c *creation) goesBefore(d, other credential.Device) bool {
	if proved := c.out.verdict.DeviceID; proved == d.ID || proved == other.ID {
		return proved == other.ID
	}
	return d.CreatedAt.Before(other.CreatedAt)
}

// spend uses up the OTP that grants: the time step of the device that generated
// it, or else the proof that the verifier named.
func (c *creation) spend() {
	state, verdict := &c.account.State, c.out.verdict
	if i := state.DeviceIndex(verdict.DeviceID); i >= 0 {
		state.Devices[i].LastStep = max(state.Devices[i].LastStep, verdict.Step)
		state.Devices[i].Attempts = state.Devices[i].Attempts.Cleared()
		return
	}
	state.Spent = append(state.Spent, credential.SpentProof{ProofID: verdict.ProofID, Until: verdict.Until})
}

// repeat answers a request for an id that the account has already. If the
// answer to the request that made the device may have been lost, it is given
// again on what it was created on; nothing else is looked at, so that no
// credential can be tried out here that the device does not stand on.
func (c *creation) repeat(i int) {
	device := c.account.State.Devices[i]
	if !c.repeatable(&device) {
		c.out.field = totperrors.FieldDeviceID
		c.refuse(totperrors.CodeIDInUse)
		return
	}
	if factor, ok := device.Basis.Factor(); ok {
		switch c.check(factor, &device) {
		case ResultValid:
		case ResultUndecided:
			return
		default:
			c.refuseProofs()
			return
		}
	}
	c.out.device, c.out.replayed = i, true
}

// repeatable tells whether the request can be the one that made the device: it
// is young, was never used, and what it was created on is presented.
func (c *creation) repeatable(d *credential.Device) bool {
	age, ok := c.age(d.CreatedAt)
	if !ok || age > c.policy.RetryWindow || c.policy.RetryWindow == 0 || d.LastStep != 0 {
		return false
	}
	if factor, ok := d.Basis.Factor(); ok {
		return c.request.presented(factor).Present()
	}
	return d.Basis == credential.BasisGrace && c.request.nothingPresented() && !c.request.NoGrace
}

// spentSlack is how much longer than needed a spent proof is remembered, so
// that a clock that goes back does not revive it.
const spentSlack = 10 * time.Minute

// dropExpired forgets one-time codes and spent proofs that time has overtaken.
func dropExpired(s *credential.State, now time.Time) {
	s.Codes = slices.DeleteFunc(s.Codes, func(c credential.OneTimeCode) bool { return !now.Before(c.ExpiresAt) })
	s.Spent = slices.DeleteFunc(s.Spent, func(p credential.SpentProof) bool { return now.After(p.Until.Add(spentSlack)) })
}
