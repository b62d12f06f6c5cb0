package devicetotp

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"time"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp/internal/deviceid"
	totperrors "example.com/devicetotp/errors"
	"example.com/devicetotp/verifier"
)

// ImportRequest is a device that another service issued, with the secret that it
// has there. [credential.ParseURI], [credential.ParseBase32] and
// [credential.ParseAlgorithm] read what services export:
//
//	service      Secret                                Algorithm, Digits, Period                    Name
//	Auth0        mfa_factors[].totp.secret, base32     SHA1, 6, 30 s                                -
//	             without padding
//	Kratos       credentials.totp.config.totp_url,     in the URI                                   -
//	             by ParseURI
//	SuperTokens  secretKey, base32                     SHA1, 6, period in seconds; skew is left     deviceName
//	                                                   out: one step on each side is accepted
//	Keycloak     value in secretData: base32 if        algorithm (HmacSHA1, ...), digits and        userLabel
//	             secretEncoding in credentialData is   period in credentialData; subType must be
//	             BASE32, or else the text itself       totp
//	Stytch       secret, base32; recovery_codes are    SHA1, 6, 30 s                                -
//	             not read
//	Zitadel      otpCode, base32                       SHA1, 6, 30 s                                -
//	Hanko        otp_secret.secret, base32             SHA1, 6, 30 s                                -
type ImportRequest struct {
	// AccountID is the account that the device is for.
	AccountID string
	// DeviceID names the device: a UUID, as for Create, and required. Derive it, so
	// that an import that is run twice names the device alike: as the UUIDv5 (RFC
	// 9562) of the AccountID and of what the other service calls the device, in a
	// namespace of your own. Leave the secret out, because ids are shown and logged.
	// The module's examples/import does it.
	DeviceID string
	// Name is what the user calls the device, by the rules of CreateRequest.Name;
	// "" for none.
	Name string
	// Secret is the shared secret as raw bytes, from 10 to 128.
	Secret credential.Secret
	// Algorithm, Digits and Period are the parameters of RFC 6238; there is no
	// default. Digits is from 6 to 10, Period from 10 s to 300 s in whole
	// seconds.
	Algorithm credential.Algorithm
	Digits    int
	Period    time.Duration
	// LastUsedAt is when the other service last accepted a code of the device: no
	// code of that time step or an older one is accepted here. If nobody knows,
	// leave it zero.
	LastUsedAt time.Time
	// AgainAfterRevoke imports a device although it was imported before, and
	// revoked here. No code is accepted that may have been before it was revoked.
	AgainAfterRevoke bool
}

// Imported is a device that was imported.
type Imported struct {
	// DeviceID is the lower-case UUID of the device.
	DeviceID string
	// CreatedAt is when it was imported.
	CreatedAt time.Time
	// AlreadyThere reports that the account had the device already, with that
	// secret and those parameters. Nothing was changed, its name included.
	AlreadyThere bool
}

// Import adds a device that another service issued, so that it goes on working
// here. [credential.ParseURI] reads an otpauth address, and [ImportRequest] says
// which field of other services goes where. The account must be in the store.
//
// It is the host's to call; nothing is proved by it. It works on a locked account,
// whose codes are refused until it is unlocked.
//
// The device counts as used: it never makes room for another, is never given out,
// and does not rest on grace. Like any other it takes one of Policy.MaxDevices
// places.
//
// An import may be run twice: a device that is there with the same secret and
// parameters is left as it is (AlreadyThere), and one that was imported and
// revoked stays away, recognized by its id and by its secret, unless
// AgainAfterRevoke is set. If a device was rotated since, only its id is recognized,
// so give a device the same id each time. The error is id-in-use for one that stays
// away, and for one whose id another device has; [Issuer.Inspect] shows which, because
// only the latter is there.
//
// Errors have these codes:
//
//	invalid-id            DeviceID is not a UUID                             ErrInvalid
//	invalid-argument      a field is out of bounds, LastUsedAt is in the     ErrInvalid
//	                      future; AccountID, wrapping
//	                      credential.ErrNotFound, if there is no such
//	                      account; or Secret, which another device of the
//	                      account has
//	id-in-use             the account has a device of that id with another   ErrInvalid
//	                      secret or other parameters, or had one that was
//	                      revoked; or, with the field Secret, the device was
//	                      imported under another id and revoked
//	device-limit-reached  no room for another device                         ErrDenied
//	unavailable           repeat the request
//	internal-error        a fault; the cause is in the error
func (i *Issuer) Import(ctx context.Context, r ImportRequest) (Imported, error) {
	o := &importing{request: r}
	o.start(ctx, i, OpImport, r.AccountID)
	return perform(o)
}

// importing is one Import.
type importing struct {
	call
	request   ImportRequest
	event     Event
	revokedAt time.Time // when it was, if it is imported again
}

func (o *importing) check() error {
	r := &o.request
	id, ok := deviceid.Parse(r.DeviceID)
	if !ok {
		return o.Fail(CodeInvalidID, totperrors.FieldDeviceID, 0)
	}
	o.deviceID = id
	if err := checkName(r.Name); err != nil {
		return o.Argument(totperrors.FieldName, err)
	}
	switch size := len(r.Secret.Reveal()); {
	case size < verifier.MinSecretSize || size > verifier.MaxSecretSize:
		return o.Argument(totperrors.FieldSecret, fmt.Errorf("has %d bytes, must have from %d to %d", size, verifier.MinSecretSize, verifier.MaxSecretSize))
	case r.Algorithm.SecretSize() == 0:
		return o.Argument(totperrors.FieldAlgorithm, fmt.Errorf("is %v, must be SHA1, SHA256 or SHA512", r.Algorithm))
	case r.Digits < verifier.MinTOTPDigits || r.Digits > verifier.MaxTOTPDigits:
		return o.Argument(totperrors.FieldDigits, fmt.Errorf("is %d, must be from %d to %d", r.Digits, verifier.MinTOTPDigits, verifier.MaxTOTPDigits))
	case r.Period < verifier.MinPeriod || r.Period > verifier.MaxPeriod || r.Period%time.Second != 0:
		return o.Argument(totperrors.FieldPeriod, fmt.Errorf("is %v, must be from %v to %v in whole seconds", r.Period, verifier.MinPeriod, verifier.MaxPeriod))
	default:
		return nil
	}
}

func (o *importing) decide(a *credential.Account) (answer[Imported], bool) {
	o.event = Event{}
	if !o.Known {
		return o.refuse(o.managed(a))
	}
	if _, ok := o.age(o.request.LastUsedAt); !ok {
		return o.refuse(o.Argument(totperrors.FieldLastUsed, errors.New("is in the future")))
	}
	if err := o.disputed(&a.State); err != nil {
		return o.refuse(err)
	}
	if at := a.State.DeviceIndex(o.deviceID); at >= 0 {
		return o.there(&a.State.Devices[at])
	}
	if err := o.unwanted(&a.State); err != nil {
		return o.refuse(err)
	}
	o.welcome(&a.State)
	if !o.hasRoom(a, false) {
		return o.refuse(o.Fail(CodeDeviceLimitReached, "", 0))
	}
	device, err := o.device()
	if err != nil {
		return o.refuse(o.Internal(err))
	}
	o.event.Evicted = o.makeRoom(a, false, "")
	a.State.Devices = append(a.State.Devices, device)
	return o.give(&device, false), true
}

// there answers where the account has a device of that id.
func (o *importing) there(d *credential.Device) (answer[Imported], bool) {
	secret, err := o.open(d)
	if err != nil {
		return o.refuse(err)
	}
	r := &o.request
	if !secret.Matches(r.Secret) || d.Algorithm != r.Algorithm || d.Digits != r.Digits || d.Period != r.Period {
		return o.refuse(o.Fail(CodeIDInUse, totperrors.FieldDeviceID, 0))
	}
	return o.give(d, true), true
}

// unwanted returns why the device is not imported: another one has its secret, or
// it was revoked. What does not open is not recognized, and the Event says so.
func (o *importing) unwanted(s *credential.State) error {
	for i := range s.Devices {
		if d := &s.Devices[i]; o.has(d) {
			return o.Argument(totperrors.FieldSecret, fmt.Errorf("device %s of the account has this secret", d.ID))
		}
	}
	if o.request.AgainAfterRevoke {
		return nil
	}
	for i := range s.Revoked {
		r := &s.Revoked[i]
		switch {
		case r.ID == o.deviceID && (r.Imported || o.held(r)):
			return o.Fail(CodeIDInUse, totperrors.FieldDeviceID, 0)
		case o.isOf(r):
			return o.Fail(CodeIDInUse, totperrors.FieldSecret, 0)
		}
	}
	return nil
}

// has reports whether d has the secret, or gets it by a rotation.
func (o *importing) has(d *credential.Device) bool {
	if o.opensTo(d.ID, credential.DeviceScope(o.accountID, d), d.Sealed, o.request.Secret) {
		return true
	}
	r := d.Rotation
	return r.Pending(o.Now) && o.opensTo(d.ID, credential.RotationScope(o.accountID, d, r), r.Sealed, o.request.Secret)
}

// isOf reports whether r was a device with the secret.
func (o *importing) isOf(r *credential.RevokedDevice) bool {
	if r.Sealed == nil {
		return false
	}
	sum := sha256.Sum256([]byte(o.request.Secret.Reveal()))
	return o.opensTo(r.ID, credential.RevokedScope(o.accountID, r.ID), r.Sealed, credential.NewSecret(string(sum[:])))
}

func (o *importing) opensTo(deviceID string, scope credential.Scope, sealed []byte, want credential.Secret) bool {
	secret, _, err := o.issuer.keys.Open(scope, sealed)
	if err != nil {
		o.event.Unreadable = append(o.event.Unreadable, Unreadable{Factor: credential.FactorOTP, DeviceID: deviceID, Err: err})
		return false
	}
	return secret.Matches(want)
}

// welcome forgets that the device was revoked, under this id or another.
func (o *importing) welcome(s *credential.State) {
	o.revokedAt = time.Time{}
	if o.request.AgainAfterRevoke {
		s.Revoked = slices.DeleteFunc(s.Revoked, func(r credential.RevokedDevice) bool {
			again := r.ID == o.deviceID || o.isOf(&r)
			if again && r.At.After(o.revokedAt) {
				o.revokedAt = r.At
			}
			return again
		})
	}
	takeID(s, o.deviceID)
}

// device returns the device, sealed.
func (o *importing) device() (d credential.Device, err error) {
	r := &o.request
	d = credential.Device{
		ID: o.deviceID, Name: r.Name, Algorithm: r.Algorithm, Digits: r.Digits, Period: r.Period,
		Basis: credential.BasisImported, CreatedAt: o.Now.UTC(),
	}
	steps, used, revoked := verifier.TOTP{Period: r.Period}, r.LastUsedAt, o.revokedAt
	if used.After(o.Now) { // a little in the future counts as now
		used = o.Now
	}
	if _, ok := o.age(revoked); !ok { // a clock that was far ahead keeps the device from nothing
		revoked = o.Now
	}
	if !used.IsZero() {
		d.LastStep = max(0, steps.Step(used))
	}
	if !revoked.IsZero() { // the code of the next step may have been accepted here, too
		d.LastStep = max(d.LastStep, steps.Step(revoked)+1)
	}
	d.Sealed, err = o.issuer.keys.Seal(credential.DeviceScope(o.accountID, &d), r.Secret)
	return d, err
}

func (o *importing) refuse(err error) (answer[Imported], bool) {
	return answer[Imported]{err: err, event: o.event}, false
}

func (o *importing) give(d *credential.Device, there bool) answer[Imported] {
	event := o.event
	event.Basis, event.CreatedAt, event.RestsOnGrace, event.Replayed = d.Basis, d.CreatedAt, d.RestsOnGrace, there
	return answer[Imported]{event: event, value: Imported{DeviceID: d.ID, CreatedAt: d.CreatedAt, AlreadyThere: there}}
}
