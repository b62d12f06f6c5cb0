package devicetotp

import (
	"context"
	"time"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp/internal/deviceid"
	totperrors "example.com/devicetotp/errors"
)

// CreateRequest asks for a new device TOTP.
type CreateRequest struct {
	// AccountID is the account that the host's own authentication
	// established. The library never authenticates a caller. An empty one is
	// an internal error: the host forgot to authenticate.
	AccountID string
	// DeviceID names the new device: a UUID in 8-4-4-4-12 form, any case,
	// compared and returned in lower case. If empty, the library makes one, and
	// a retry of the request cannot be recognized.
	DeviceID string
	// OTP, Password and PIN are what the caller presents. The zero value is
	// "not presented"; a present but empty value is a wrong one.
	OTP, Password, PIN credential.Secret
	// NoGrace closes the grace window for this request, as for a token whose
	// scope does not include it.
	NoGrace bool
	// AuthenticatedAt is when the caller logged in, where the host knows it.
	// It is copied to the Event and decides nothing.
	AuthenticatedAt time.Time
}

// Create issues a device TOTP, or refuses.
//
// Within the grace window after registration, no credential is required.
// Otherwise one valid OTP, password or PIN is enough. They are checked in that
// order, stopping at the first valid one. Each wrong value that was checked
// counts as a failure of its factor, even if a later one grants. A wrong value
// is refused within the grace window too.
//
// Retrying with the same DeviceID, for example after a lost response, returns
// the same device (Replayed) as long as it is no older than Policy.RetryWindow
// and was never used.
//
// Errors have these codes:
//
//	invalid-id            DeviceID is not a UUID                    ErrInvalid
//	id-in-use             DeviceID is taken                         ErrInvalid
//	invalid-credentials   nothing presented was accepted            ErrDenied
//	credentials-required  nothing presented, and no grace           ErrDenied
//	too-many-attempts     every presented factor is blocked         ErrDenied
//	account-locked        the host locked the account               ErrDenied
//	device-limit-reached  no room for another device                ErrDenied
//	unavailable           retry the same request
//	internal-error        a fault; the cause is in the error
//
// After an unavailable error it is unknown whether the device was created: retry
// the request with the same DeviceID. An account that the store does not know is
// answered as if every credential were wrong.
func (i *Issuer) Create(ctx context.Context, r CreateRequest) (DeviceTOTP, error) {
	o := &create{request: r}
	o.start(ctx, i, OpCreate, r.AccountID)
	o.authenticatedAt = r.AuthenticatedAt
	o.proofs = proofs{call: &o.call, otp: r.OTP, password: r.Password, pin: r.PIN}
	device, err := perform(o)
	o.proofs.renewHash(ctx)
	return device, err
}

// create is one Create.
type create struct {
	call
	request CreateRequest
	proofs  proofs
	secret  credential.Secret // of the new device, once it is made
	evicted []string
}

func (o *create) check() error {
	if o.request.DeviceID == "" {
		o.deviceID = deviceid.New()
		return nil
	}
	id, ok := deviceid.Parse(o.request.DeviceID)
	if !ok {
		return o.Fail(CodeInvalidID, totperrors.FieldDeviceID, 0)
	}
	o.deviceID = id
	return nil
}

// decide has every rule of Create. The precedence of the factors is
// [proofs.first].
func (o *create) decide(a *credential.Account) (answer[DeviceTOTP], bool) {
	o.proofs.restart()
	o.evicted = nil
	taken := a.State.DeviceIndex(o.deviceID)
	switch {
	case a.Locked:
		return o.refuse(CodeAccountLocked, "")
	case taken >= 0:
		return o.repeat(a, &a.State.Devices[taken])
	case !o.hasRoom(a):
		return o.refuse(CodeDeviceLimitReached, "")
	case o.proofs.none() && !o.request.NoGrace && o.graceOpen(a):
		return o.grant(a, credential.BasisGrace)
	case o.proofs.none():
		return o.refuse(CodeCredentialsRequired, "")
	}
	// A source that failed only after a right value would reveal that it was right.
	if err := o.makeSecret(); err != nil {
		return o.refused(err)
	}
	factor, err := o.proofs.first(a)
	if err != nil {
		return o.refused(err)
	}
	return o.grant(a, credential.BasisOf(factor))
}

func (o *create) refuse(code Code, field string) (answer[DeviceTOTP], bool) {
	return o.refused(o.Fail(code, field, 0))
}

// refused answers with err, after a save if a value was checked.
func (o *create) refused(err error) (answer[DeviceTOTP], bool) {
	return answer[DeviceTOTP]{err: err, event: o.event()}, o.proofs.counted
}

func (o *create) event() Event {
	return Event{Factors: o.proofs.results, Evicted: o.evicted}
}

// give answers with device.
func (o *create) give(d *credential.Device, secret credential.Secret, replayed bool) answer[DeviceTOTP] {
	event := o.event()
	event.Basis, event.Replayed = d.Basis, replayed
	return answer[DeviceTOTP]{event: event, value: DeviceTOTP{
		ID: d.ID, Secret: secret, Period: d.Period, Digits: d.Digits, Algorithm: d.Algorithm,
		Basis: d.Basis, CreatedAt: d.CreatedAt, Replayed: replayed,
	}}
}

// repeat answers a request for an id that the account has already. If the
// response to the request that made the device may have been lost, the device is
// given again on what it was created on.
func (o *create) repeat(a *credential.Account, d *credential.Device) (answer[DeviceTOTP], bool) {
	if !o.repeatable(d) {
		return o.refuse(CodeIDInUse, totperrors.FieldDeviceID)
	}
	if factor, ok := d.Basis.Factor(); ok {
		if err := o.proofs.only(a, factor, d); err != nil {
			return o.refused(err)
		}
	}
	secret, err := o.open(d)
	if err != nil {
		return o.refused(err)
	}
	return o.give(d, secret, true), o.proofs.counted
}

// repeatable reports whether the request can be the one that made the device: it
// is young, was never used, and what it was created on is presented.
func (o *create) repeatable(d *credential.Device) bool {
	window := o.issuer.policy.RetryWindow
	age, ok := o.age(d.CreatedAt)
	if !ok || age > window || window == 0 || d.LastStep != 0 {
		return false
	}
	if factor, ok := d.Basis.Factor(); ok {
		return o.proofs.presented(factor).Present()
	}
	return d.Basis == credential.BasisGrace && o.proofs.none() && !o.request.NoGrace
}
