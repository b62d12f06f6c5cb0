package devicetotp

import (
	"context"
	"errors"
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
	// Name is what the user calls the device; "" for none. It is 0 to 64
	// characters of UTF-8, without control characters, line breaks, bidirectional
	// overrides, embeddings and isolates, U+FFFD, or a space at either end. Names
	// need not be unique. A retry of the request leaves the name as it is; a device
	// that replaces another keeps its name if the request has none.
	Name string
	// OTP, Password and PIN are what the caller presents. The zero value is
	// "not presented"; a present but empty value is a wrong one. Codes and PINs of a
	// form, as people type them, go through credential.TypedCode first.
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
// Retrying with the same DeviceID, for example after a lost response, returns the
// same device (Replayed) if it is no older than Policy.RetryWindow, was never
// used, and the request presents what it was created on. A never-used device is
// replaced (Replaced) if the request presents an OTP that is good now. While what
// it presents is blocked, such a request is refused with too-many-attempts, also if
// it is right. A request without a DeviceID cannot be recognized again.
//
// A device that was created on grace, or on a code of such a device, rests on
// grace: no more than Policy.GraceDevices of them exist at a time, they never
// displace a device that was proved, and their codes buy no further ones. Beyond
// that number such a code is spent, and the next value decides.
//
// A value that is empty, or that the account has not set, is wrong: empty never
// matches unset. An OTP that has made a device is spent, and no good under another
// id. A value whose stored counterpart does not open cannot be checked, and the
// other values decide; if none could be compared, that is an internal error, and
// nothing is counted.
//
// Errors have these codes:
//
//	invalid-id            DeviceID is not a UUID                    ErrInvalid
//	id-in-use             DeviceID is taken, or was lately          ErrInvalid
//	invalid-argument      Name is not a name                        ErrInvalid
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
	if err := o.checkID(); err != nil {
		return err
	}
	if err := checkName(o.request.Name); err != nil {
		return o.Argument(totperrors.FieldName, err)
	}
	return nil
}

func (o *create) checkID() error {
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
// [proofs.next].
func (o *create) decide(a *credential.Account) (answer[DeviceTOTP], bool) {
	o.proofs.restart()
	o.evicted = nil
	taken := a.State.DeviceIndex(o.deviceID)
	switch {
	case a.Locked:
		return o.refuse(CodeAccountLocked, "")
	case taken >= 0:
		return o.retry(a, taken)
	case o.isHeld(&a.State, o.deviceID):
		return o.inUse()
	case !o.hasRoom(a, o.proofs.none()) || !o.hasProofRoom(a):
		return o.refuse(CodeDeviceLimitReached, "")
	case o.proofs.none() && !o.request.NoGrace && o.graceOpen(a):
		return o.grant(a, credential.BasisGrace)
	case o.proofs.none():
		return o.refuse(CodeCredentialsRequired, "")
	}
	// A source that failed only after a right value would reveal that it was right.
	if err := o.makeSecret(a); err != nil {
		return o.refused(err)
	}
	factor, err := o.proofs.next(a, 0)
	if err == nil && o.proofs.onGrace(a, factor) && !(o.mayRest(a) && o.hasRoom(a, true)) {
		return o.grantBeyondGrace(a, factor)
	}
	if err != nil {
		return o.refused(err)
	}
	return o.grant(a, credential.BasisOf(factor))
}

// grantBeyondGrace answers where a right code rests on grace, and no more devices
// may. The code is spent and grants nothing; what else is presented may.
func (o *create) grantBeyondGrace(a *credential.Account, otp credential.Factor) (answer[DeviceTOTP], bool) {
	o.proofs.succeed(a, otp)
	if !o.hasRoom(a, false) { // the device is in use now
		return o.refuse(CodeDeviceLimitReached, "")
	}
	factor, err := o.proofs.next(a, otp)
	switch {
	case errors.Is(err, ErrDenied):
		return o.refuse(CodeDeviceLimitReached, "")
	case err != nil:
		return o.refused(err)
	default:
		return o.grant(a, credential.BasisOf(factor))
	}
}

func (o *create) refuse(code Code, field string) (answer[DeviceTOTP], bool) {
	return o.refused(o.Fail(code, field, 0))
}

// refused answers with err, after a save if a value was checked.
func (o *create) refused(err error) (answer[DeviceTOTP], bool) {
	return answer[DeviceTOTP]{err: err, event: o.event()}, o.proofs.counted
}

func (o *create) event() Event {
	return Event{
		Factors: o.proofs.results, Evicted: o.evicted,
		Unreadable: o.proofs.unreadable, RotationsConfirmed: o.proofs.confirmed,
	}
}

// give answers with device.
func (o *create) give(d *credential.Device, secret credential.Secret) answer[DeviceTOTP] {
	event := o.event()
	event.Basis, event.RestsOnGrace, event.CreatedAt = d.Basis, d.RestsOnGrace, d.CreatedAt
	return answer[DeviceTOTP]{event: event, value: DeviceTOTP{
		ID: d.ID, Secret: secret, Period: d.Period, Digits: d.Digits, Algorithm: d.Algorithm,
		Basis: d.Basis, CreatedAt: d.CreatedAt,
	}}
}
