package devicetotp

import (
	"context"
	"errors"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp/internal/deviceid"
	totperrors "example.com/devicetotp/errors"
)

// RotateRequest asks for a new secret of a device.
type RotateRequest struct {
	// AccountID is the account that the host established.
	AccountID string
	// DeviceID names the device, which must have been used.
	DeviceID string
	// RotationID names the rotation: a UUID in 8-4-4-4-12 form, any case, that the
	// client makes for it. It is required, and the same in each retry of the request.
	RotationID string
	// OTP, Password and PIN are what the caller presents, as for Create. Of the
	// account's devices, only this one's own codes are accepted as the OTP.
	OTP, Password, PIN credential.Secret
}

// Rotate makes a new secret for a device that is in use, or refuses. The new
// secret has the Algorithm, Digits, Period and size of the Policy.
//
// The old secret goes on working until a code of the new one is accepted, by
// whatever operation: that confirms the rotation, and the old secret is gone at
// once. If none is accepted within Policy.RotationOverlap, it is the new secret
// that is gone, and the old one stays. Each secret has time steps of its own.
//
// One valid OTP, password or PIN is required, checked and counted as by
// [Issuer.Create]; there is no grace. A device that rests on grace stops doing so
// only when a rotation is confirmed that was made on something better.
//
// Retrying with the same RotationID, for example after a lost response, returns the
// same new secret (Replayed) if it was made at most Policy.RetryWindow ago, has not
// been used yet, and the request presents what it was made on. No other value is
// then checked, so that another OTP is a wrong one: to try again with another, make
// another RotationID. That begins another rotation, in the place of the pending one
// (Replaced).
//
// A RotationID is good for one rotation. A retry whose rotation was confirmed,
// replaced or not confirmed in time, or that comes after Policy.RetryWindow, is
// refused: id-in-use, before a value is checked. So it undoes no newer rotation. The
// ids of the last credential.MaxRotations rotations of each device are remembered,
// however old they are. An id is not forgotten within Policy.RetryWindow: a device
// that was rotated so often within it is not rotated again before the oldest of
// those is past it.
//
// A device that was never used is not rotated: Create replaces it.
//
// Errors have these codes:
//
//	invalid-id            DeviceID or RotationID is not a UUID             ErrInvalid
//	not-found             the account has no such device, or is unknown    ErrInvalid
//	invalid-argument      the device was never used; field DeviceID        ErrInvalid
//	id-in-use             RotationID belongs to another rotation,          ErrInvalid
//	                      or of one that is over
//	invalid-credentials   nothing presented was accepted                   ErrDenied
//	credentials-required  nothing was presented                            ErrDenied
//	too-many-attempts     every presented factor is blocked, or the        ErrDenied
//	                      device was rotated too often; see RetryAfter
//	account-locked        the host locked the account                      ErrDenied
//	unavailable           retry the same request
//	internal-error        a fault; the cause is in the error
//
// An OTP is blocked, too, while credential.MaxSpent spent OTPs must be remembered
// and no other can be.
func (i *Issuer) Rotate(ctx context.Context, r RotateRequest) (DeviceTOTP, error) {
	o := &rotate{request: r}
	o.start(ctx, i, OpRotate, r.AccountID)
	o.proofs = proofs{call: &o.call, otp: r.OTP, password: r.Password, pin: r.PIN}
	device, err := perform(o)
	o.proofs.renewHash(ctx)
	return device, err
}

// rotate is one Rotate.
type rotate struct {
	call
	request    RotateRequest
	rotationID string
	proofs     proofs
	secret     credential.Secret // the new one, once it is made
}

func (o *rotate) check() error {
	id, ok := deviceid.Parse(o.request.DeviceID)
	if !ok {
		return o.Fail(CodeInvalidID, totperrors.FieldDeviceID, 0)
	}
	o.deviceID = id
	if o.rotationID, ok = deviceid.Parse(o.request.RotationID); !ok {
		return o.Fail(CodeInvalidID, totperrors.FieldRotationID, 0)
	}
	return nil
}

// decide has every rule of Rotate. What is retried is in retry.
func (o *rotate) decide(a *credential.Account) (answer[DeviceTOTP], bool) {
	o.proofs.restart()
	o.proofs.otpSeen.only = o.deviceID
	at := a.State.DeviceIndex(o.deviceID)
	switch {
	case a.Locked:
		return o.refuse(CodeAccountLocked, "")
	case at < 0:
		return o.refuse(CodeNotFound, totperrors.FieldDeviceID)
	case !a.State.Devices[at].Used():
		return o.refused(o.Argument(totperrors.FieldDeviceID, errors.New("was never used: Create replaces it")))
	case o.isOver(&a.State.Devices[at]):
		return o.inUse()
	case o.proofs.none():
		return o.refuse(CodeCredentialsRequired, "")
	}
	if err := o.disputed(&a.State); err != nil {
		return o.refused(err)
	}
	d := &a.State.Devices[at]
	if o.isPending(d) {
		return o.retry(a, d)
	}
	if wait, full := o.rotatedTooOften(d); full {
		return o.refused(o.Fail(CodeTooManyAttempts, "", wait))
	}
	return o.begin(a, at)
}

// begin makes a rotation.
func (o *rotate) begin(a *credential.Account, at int) (answer[DeviceTOTP], bool) {
	// A source that failed only after a right value would reveal that it was right.
	if err := o.makeSecret(); err != nil {
		return o.refused(err)
	}
	factor, err := o.proofs.next(a, 0)
	if err != nil {
		return o.refused(err)
	}
	rotation, err := o.newRotation(a, &a.State.Devices[at], factor)
	if err != nil {
		return o.refused(err)
	}
	o.proofs.succeed(a, factor) // may confirm the pending rotation, or find that it is over
	d := &a.State.Devices[at]
	replaced := d.Rotation.Pending(o.Now)
	endRotation(d, credential.MaxRotations-1)
	d.Rotation = &rotation
	out := o.give(&rotation, o.secret)
	out.value.Replaced, out.event.Replaced = replaced, replaced
	return out, true
}

// newRotation returns the new rotation of d, sealed.
func (o *rotate) newRotation(a *credential.Account, d *credential.Device, factor credential.Factor) (r credential.Rotation, err error) {
	policy := &o.issuer.policy
	now := o.Now.UTC()
	r = credential.Rotation{
		ID: o.rotationID, Algorithm: policy.Algorithm, Digits: policy.Digits, Period: policy.Period,
		Basis: credential.BasisOf(factor), RestsOnGrace: d.RestsOnGrace && o.proofs.onGrace(a, factor),
		StartedAt: now, Until: now.Add(policy.RotationOverlap),
	}
	if factor == credential.FactorOTP {
		r.ProofDigest, err = o.proofs.digestOTP(proofScope(o.accountID, d.ID))
	}
	if err == nil {
		r.Sealed, err = o.issuer.keys.Seal(credential.RotationScope(o.accountID, d, &r), o.secret)
	}
	if err != nil {
		return r, o.Internal(err)
	}
	return r, nil
}

// makeSecret makes the new secret, once a request.
func (o *rotate) makeSecret() (err error) {
	if !o.secret.Present() {
		o.secret, err = o.newSecret()
	}
	return err
}

func (o *rotate) inUse() (answer[DeviceTOTP], bool) {
	return o.refuse(CodeIDInUse, totperrors.FieldRotationID)
}

func (o *rotate) refuse(code Code, field string) (answer[DeviceTOTP], bool) {
	return o.refused(o.Fail(code, field, 0))
}

// refused answers with err, after a save if a value was checked.
func (o *rotate) refused(err error) (answer[DeviceTOTP], bool) {
	return answer[DeviceTOTP]{err: err, event: o.event()}, o.proofs.counted
}

func (o *rotate) event() Event {
	return Event{Factors: o.proofs.results, Unreadable: o.proofs.unreadable, RotationsConfirmed: o.proofs.confirmed}
}

// give answers with the new secret.
func (o *rotate) give(r *credential.Rotation, secret credential.Secret) answer[DeviceTOTP] {
	event := o.event()
	event.Basis, event.RestsOnGrace, event.CreatedAt = r.Basis, r.RestsOnGrace, r.StartedAt
	return answer[DeviceTOTP]{event: event, value: DeviceTOTP{
		ID: o.deviceID, Secret: secret, Period: r.Period, Digits: r.Digits, Algorithm: r.Algorithm,
		Basis: r.Basis, CreatedAt: r.StartedAt, ConfirmBy: r.Until,
	}}
}
