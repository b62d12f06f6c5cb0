package devicetotp

import (
	"fmt"
	"slices"
	"time"

	"example.com/devicetotp/credential"
)

// retry answers a retry of the request that began the pending rotation of d, whose
// response may have been lost. It checks only what that rotation was made on:
// anything else would be checked for nothing.
func (o *rotate) retry(a *credential.Account, d *credential.Device) (answer[DeviceTOTP], bool) {
	factor, _ := d.Rotation.Basis.Factor()
	if !o.proofs.presented(factor).Present() {
		return o.inUse()
	}
	var err error
	if factor == credential.FactorOTP {
		err = o.sameOTP(a, d)
	} else {
		err = o.proofs.only(a, factor)
	}
	if err != nil {
		return o.refused(err)
	}
	return o.again(d)
}

// sameOTP returns nil if the OTP is the one that made the pending rotation of d,
// which is spent: it is compared with the digest that is kept of it. Whoever guesses
// it is given the new secret, so a wrong one counts as a request that names d.
func (o *rotate) sameOTP(a *credential.Account, d *credential.Device) error {
	policy := &o.issuer.policy
	pace, paced := policy.OTP.Blocked(a.State.OTP, o.Now)
	named, stopped := policy.Device.Blocked(d.Named, o.Now)
	if wait, blocked := both(pace, paced, named, stopped); blocked {
		o.proofs.waits = append(o.proofs.waits, wait)
		o.proofs.note(a, credential.FactorOTP, ResultBlocked)
		return o.proofs.refusal()
	}
	kind, same, err := o.proofs.isDigestOf(proofScope(o.accountID, d.ID), d.Rotation.ProofDigest)
	if err != nil {
		err = fmt.Errorf("the digest of the OTP that its rotation was made on: %w", err)
		o.proofs.unreadable = append(o.proofs.unreadable, Unreadable{Factor: credential.FactorOTP, DeviceID: d.ID, Err: err})
		o.proofs.note(a, credential.FactorOTP, ResultUndecided)
		return o.Internal(fmt.Errorf("device %s: %w", d.ID, err))
	}
	o.Looked()
	if !same {
		o.proofs.otpSeen.differs = true
		o.proofs.failGuess(a)
		return o.proofs.refusal()
	}
	o.proofs.counted = true
	o.proofs.noteOTP(a, kind)
	return nil
}

// again answers with the new secret that is there.
func (o *rotate) again(d *credential.Device) (answer[DeviceTOTP], bool) {
	secret, _, err := o.issuer.keys.Open(credential.RotationScope(o.accountID, d, d.Rotation), d.Rotation.Sealed)
	if err != nil {
		return o.refused(o.Internal(fmt.Errorf("device %s, the new secret of its rotation: %w", d.ID, err)))
	}
	out := o.give(d.Rotation, secret)
	out.value.Replayed, out.event.Replayed = true, true
	return out, true
}

// isPending reports whether the request names the pending rotation of d, and a retry
// is given that again: it is recent, its secret was not used, and it is known what
// it was made on.
func (o *rotate) isPending(d *credential.Device) bool {
	r := d.Rotation
	return r.Pending(o.Now) && r.ID == o.rotationID && r.LastStep == 0 &&
		o.isRecent(r.StartedAt) && o.issuer.policy.RetryWindow > 0 &&
		(r.Basis != credential.BasisOTP || r.ProofDigest != nil)
}

// isOver reports whether the request names a rotation of d that no retry is given
// any more.
func (o *rotate) isOver(d *credential.Device) bool {
	if d.Rotation != nil && d.Rotation.ID == o.rotationID {
		return !o.isPending(d)
	}
	return slices.ContainsFunc(d.PastRotations, func(past credential.PastRotation) bool { return past.ID == o.rotationID })
}

// rotatedTooOften reports whether another rotation of d would make an id forgotten
// whose request may still be retried, and for how long.
func (o *rotate) rotatedTooOften(d *credential.Device) (wait time.Duration, full bool) {
	all := pastRotations(d)
	for _, past := range all[:max(0, len(all)-(credential.MaxRotations-1))] {
		if o.holds(past.StartedAt) {
			left := o.issuer.policy.RetryWindow - o.Now.Sub(past.StartedAt)
			wait, full = max(wait, left.Truncate(time.Second)+time.Second), true
		}
	}
	return wait, full
}

// endRotation ends the rotation of d, if there is one, and remembers no more than
// that many of those that are over.
func endRotation(d *credential.Device, most int) {
	all := pastRotations(d)
	d.PastRotations, d.Rotation = all[max(0, len(all)-most):], nil
}

// pastRotations returns the rotations that are over once that of d is.
func pastRotations(d *credential.Device) []credential.PastRotation {
	if d.Rotation == nil {
		return d.PastRotations
	}
	return append(slices.Clone(d.PastRotations), credential.PastRotation{ID: d.Rotation.ID, StartedAt: d.Rotation.StartedAt})
}
