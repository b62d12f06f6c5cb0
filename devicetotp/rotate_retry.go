package devicetotp

import (
	"fmt"

	"example.com/devicetotp/credential"
	totperrors "example.com/devicetotp/errors"
)

// retry answers a retry of the request that began the pending rotation, whose
// response may have been lost. isRetry is false if the request presents nothing
// that one presents; any proof may then begin another rotation.
func (o *rotate) retry(a *credential.Account, d *credential.Device) (out answer[DeviceTOTP], save, isRetry bool) {
	r := d.Rotation
	if o.proofs.otp.Present() && o.isLate(d) { // spent long ago: not a guess
		o.proofs.recognize(a)
		out, save = o.refuse(CodeIDInUse, totperrors.FieldDeviceID)
		return out, save, true
	}
	if !o.isRepeatable(r) {
		return out, false, false
	}
	factor, _ := r.Basis.Factor()
	if !o.proofs.presented(factor).Present() {
		return out, false, false
	}
	if factor == credential.FactorOTP {
		out, save = o.retryOTP(a, d)
	} else if err := o.proofs.only(a, factor); err != nil {
		out, save = o.refused(err)
	} else {
		out, save = o.again(d)
	}
	return out, save, true
}

// isLate reports whether the OTP is the one that made an earlier rotation of d, or
// the last one too long ago.
func (o *rotate) isLate(d *credential.Device) bool {
	if o.proofs.madeEarlier(d) {
		return true
	}
	r := d.Rotation
	if r == nil || r.ProofDigest == nil || o.isRepeatable(r) {
		return false
	}
	_, same, err := o.proofs.isDigestOf(proofScope(o.accountID, d.ID), r.ProofDigest)
	return err == nil && same
}

// isRepeatable reports whether a retry is given r again: it is pending, recent, and
// its secret was not used.
func (o *rotate) isRepeatable(r *credential.Rotation) bool {
	return r.Pending(o.Now) && r.LastStep == 0 && o.isRecent(r.StartedAt) && o.issuer.policy.RetryWindow > 0
}

// retryOTP compares the OTP with the digest that is kept of the one which made the
// pending rotation. Whoever guesses that is given the new secret, so a wrong one
// counts as a request that names the device. Another one that is good now begins
// another rotation.
func (o *rotate) retryOTP(a *credential.Account, d *credential.Device) (answer[DeviceTOTP], bool) {
	policy := &o.issuer.policy
	pace, paced := policy.OTP.Blocked(a.State.OTP, o.Now)
	named, stopped := policy.Device.Blocked(d.Named, o.Now)
	if wait, blocked := both(pace, paced, named, stopped); blocked {
		o.proofs.waits = append(o.proofs.waits, wait)
		o.proofs.note(a, credential.FactorOTP, ResultBlocked)
		return o.refused(o.proofs.refusal())
	}
	kind, same, err := o.proofs.isDigestOf(proofScope(o.accountID, d.ID), d.Rotation.ProofDigest)
	switch {
	case err != nil:
		o.proofs.otpSeen.broken = fmt.Errorf("device %s: the digest of the OTP that its rotation was made on: %w", d.ID, err)
	case same:
		o.Looked()
		o.proofs.counted = true
		o.proofs.noteOTP(a, kind)
		return o.again(d)
	default:
		o.Looked()
		o.proofs.otpSeen.differs = true
	}
	return o.begin(a, a.State.DeviceIndex(d.ID), func() (credential.Factor, error) {
		return credential.FactorOTP, o.proofs.only(a, credential.FactorOTP)
	})
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
