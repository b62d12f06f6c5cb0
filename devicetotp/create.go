package devicetotp

import (
	"context"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp/internal/deviceid"
	totperrors "example.com/devicetotp/errors"
)

// Create issues a device TOTP, or refuses.
//
// Within the grace window after registration nothing need be presented. Else
// one valid OTP, password or PIN is enough; they are looked at in that order,
// and what comes after the first valid one is not looked at. Each wrong value
// that was looked at counts as a failure of its factor, even if a later one
// grants. A wrong value is refused within the grace window too.
//
// A repetition of the request with the same DeviceID, for instance after a lost
// answer, is given the same device again (Replayed) as long as the device is
// no older than Policy.RetryWindow and was never used.
//
// Errors have these codes:
//
//	invalid-id            DeviceID is not a UUID                    ErrInvalid
//	id-in-use             DeviceID is taken                         ErrInvalid
//	invalid-credentials   nothing presented was accepted            ErrDenied
//	credentials-required  nothing presented, and no grace           ErrDenied
//	too-many-attempts     all that was presented is blocked         ErrDenied
//	account-locked        the host locked the account               ErrDenied
//	device-limit-reached  no room for another device                ErrDenied
//	unavailable           try the same request again
//	internal-error        a fault; the cause is in the error
//
// After an unavailable answer it is unknown whether the device was created:
// send the same request again, with the same DeviceID. An account that the
// store does not know is answered as if every credential were wrong.
func (i *Issuer) Create(ctx context.Context, r CreateRequest) (DeviceTOTP, error) {
	out := i.perform(ctx, OpCreate, r.AccountID, func(c *call) outcome {
		c.authenticatedAt = r.AuthenticatedAt
		if r.DeviceID == "" {
			r.DeviceID = deviceid.New()
		} else if id, ok := deviceid.Parse(r.DeviceID); ok {
			r.DeviceID = id
		} else {
			return refused(c.fail(totperrors.CodeInvalidID, totperrors.FieldDeviceID, 0))
		}
		c.deviceID = r.DeviceID
		if err := c.begin(); err != nil {
			return refused(err)
		}
		job := &createCall{call: c, request: r}
		out := c.run(job.decide)
		c.renewHash(&job.request, out.rehash)
		return out
	})
	return out.device, out.err
}

// createCall is what one Create remembers from round to round.
type createCall struct {
	*call
	request       CreateRequest
	secret        credential.Secret // of the new device, once it is made
	password, pin comparison        // verdicts of slow hashes
	lookErr       error             // why there is no verdict
}

// decide is one round.
func (j *createCall) decide(a credential.Account, known bool) round {
	j.lookErr = nil
	next, d := decideCreate(a, &j.request, j.now, &j.issuer.policy, j.looker(a, known))
	r := round{next: next, save: d.save}
	r.answer.event = Event{Factors: d.factors, Evicted: d.evicted}
	switch {
	case d.undecided:
		r.answer.err = j.lookErr
	case d.code != "":
		r.answer.err = j.fail(d.code, j.field(&d), d.retryAfter)
	default:
		j.give(&r, &d)
	}
	return r
}

// field is the one presented value where there is only one.
func (j *createCall) field(d *decision) string {
	if d.code == totperrors.CodeInvalidCredentials && len(d.factors) == 1 {
		return fieldOf(d.factors[0].Factor)
	}
	return d.field
}

func fieldOf(f credential.Factor) string {
	switch f {
	case credential.FactorOTP:
		return totperrors.FieldOTP
	case credential.FactorPassword:
		return totperrors.FieldPassword
	default:
		return totperrors.FieldPIN
	}
}

// give answers with a device, a new or a repeated one.
func (j *createCall) give(r *round, d *decision) {
	device := &r.next.State.Devices[d.device]
	secret, err := j.sealOrOpen(device, d)
	if err != nil {
		r.answer.err, r.save = err, d.save && d.replayed
		return
	}
	if spent := r.next.State.DeviceIndex(d.verdict.DeviceID); d.verdict.Outdated && spent >= 0 {
		j.reseal(&r.next.State.Devices[spent])
	}
	r.answer.event.Basis, r.answer.event.Replayed = device.Basis, d.replayed
	r.answer.device = DeviceTOTP{
		ID: device.ID, Secret: secret, Period: device.Period, Digits: device.Digits, Algorithm: device.Algorithm,
		Basis: device.Basis, CreatedAt: device.CreatedAt, Replayed: d.replayed,
	}
	if f, ok := device.Basis.Factor(); ok && d.verdict.Outdated && f != credential.FactorOTP {
		r.answer.rehash = &staleHash{account: r.next, factor: f}
	}
}
