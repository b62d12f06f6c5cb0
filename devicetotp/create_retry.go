package devicetotp

import (
	"cmp"
	"fmt"

	"example.com/devicetotp/credential"
	totperrors "example.com/devicetotp/errors"
)

// retry answers a request for an id that the account has already: a retry of the
// request that made the device, whose response may have been lost, or a phone
// that uses one id for ever.
func (o *create) retry(a *credential.Account, i int) (answer[DeviceTOTP], bool) {
	d := &a.State.Devices[i]
	if d.Used() {
		return o.inUse()
	}
	age, ok := o.age(d.CreatedAt)
	window := o.issuer.policy.RetryWindow
	recent := ok && age <= window && window > 0
	factor, onFactor := d.Basis.Factor()
	switch {
	case factor == credential.FactorOTP && o.proofs.otp.Present():
		return o.retryOTP(a, i, recent)
	case recent && onFactor && o.proofs.presented(factor).Present():
		if err := o.proofs.only(a, factor); err != nil {
			return o.refused(err)
		}
		return o.again(d)
	case recent && d.Basis == credential.BasisGrace && o.proofs.none() && !o.request.NoGrace:
		return o.again(d)
	case o.proofs.otp.Present():
		return o.replace(a, i)
	default:
		return o.inUse()
	}
}

func (o *create) inUse() (answer[DeviceTOTP], bool) {
	return o.refuse(CodeIDInUse, totperrors.FieldDeviceID)
}

// again answers with the device that is there.
func (o *create) again(d *credential.Device) (answer[DeviceTOTP], bool) {
	secret, err := o.open(d)
	if err != nil {
		return o.refused(err)
	}
	out := o.give(d, secret)
	out.value.Replayed, out.event.Replayed = true, true
	return out, true
}

// retryOTP compares the OTP with the digests that are kept of the OTPs which made
// the devices of this id, and not with the codes of today. Whoever guesses the one
// that made d is given its secret, so a wrong one counts as a request that names d,
// and while that is blocked none is compared.
func (o *create) retryOTP(a *credential.Account, i int, recent bool) (answer[DeviceTOTP], bool) {
	d := &a.State.Devices[i]
	policy := &o.issuer.policy
	pace, paced := policy.OTP.Blocked(a.State.OTP, o.Now)
	named, stopped := policy.Device.Blocked(d.Named, o.Now)
	if wait, blocked := both(pace, paced, named, stopped); blocked {
		o.proofs.waits = append(o.proofs.waits, wait)
		o.proofs.note(a, credential.FactorOTP, ResultBlocked)
		return o.refused(o.proofs.refusal())
	}
	if o.proofs.madeEarlier(d) {
		return o.recognized(a)
	}
	kind, same, err := o.proofs.isDigestOf(proofScope(o.accountID, d.ID), d.ProofDigest)
	switch {
	case err != nil && !o.needsProof(d.LastStep, d.CreatedAt): // Reseal may have dropped it
	case err != nil:
		o.proofs.otpSeen.broken = fmt.Errorf("device %s: the digest of the OTP that it was created on: %w", d.ID, err)
	case same && !recent:
		return o.recognized(a)
	case same:
		o.Looked()
		o.proofs.counted = true
		o.proofs.noteOTP(a, kind)
		return o.again(d)
	default:
		o.Looked()
		o.proofs.otpSeen.differs = true
	}
	return o.replace(a, i)
}

// recognized refuses an OTP that is known and was spent, which is no guess. That it
// is known is a verdict all the same, and leaves after a save.
func (o *create) recognized(a *credential.Account) (answer[DeviceTOTP], bool) {
	o.proofs.recognize(a)
	return o.inUse()
}

// replace puts a new device in the place of one that was never used, on an OTP
// that is good now and is not one of that device's own codes.
func (o *create) replace(a *credential.Account, i int) (answer[DeviceTOTP], bool) {
	if !o.hasProofRoom(a) {
		return o.unreplaced(a, o.Fail(CodeDeviceLimitReached, "", 0))
	}
	if err := o.makeSecret(a); err != nil {
		return o.unreplaced(a, err)
	}
	o.proofs.otpSeen.except = o.deviceID
	if err := o.proofs.only(a, credential.FactorOTP); err != nil {
		return o.refused(err)
	}
	old := a.State.Devices[i]
	rests := o.proofs.onGrace(a, credential.FactorOTP)
	if rests && !old.RestsOnGrace {
		o.proofs.countGuess(a) // it grants nothing, and a hit would have been given the device
		o.proofs.succeed(a, credential.FactorOTP)
		return o.inUse()
	}
	device, err := o.newDevice(a, credential.BasisOTP)
	if err != nil {
		return o.refused(err)
	}
	device.Replaced = o.remembered(old.Replaced, old.ProofDigest, old.CreatedAt)
	device.Name = cmp.Or(device.Name, old.Name)
	o.proofs.succeed(a, credential.FactorOTP)
	a.State.Devices[i] = device
	out := o.give(&device, o.secret)
	out.value.Replaced, out.event.Replaced = true, true
	return out, true
}

// unreplaced refuses before the OTP is checked. One that differs from the digest is
// a guess at it all the same.
func (o *create) unreplaced(a *credential.Account, err error) (answer[DeviceTOTP], bool) {
	o.proofs.failGuess(a)
	return o.refused(err)
}
