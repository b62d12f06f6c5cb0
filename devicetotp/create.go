package devicetotp

import (
	"context"
	"fmt"
	"time"

	"example.com/devicetotp/credential"
	totperrors "example.com/devicetotp/errors"
	"example.com/devicetotp/verifier"
)

const opCreate = "create"

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
// younger than Policy.RetryWindow and was never used.
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
func (i *Issuer) Create(ctx context.Context, r Request) (DeviceTOTP, error) {
	out := i.perform(ctx, opCreate, r.AccountID, func(c *call) *outcome {
		if r.DeviceID == "" {
			r.DeviceID = newUUID()
		}
		id, ok := parseUUID(r.DeviceID)
		if !ok {
			return refused(c.fail(totperrors.InvalidID, totperrors.FieldDeviceID, 0))
		}
		r.DeviceID = id
		if err := c.begin(); err != nil {
			return refused(err)
		}
		job := &createCall{call: c, request: &r}
		out := c.run(job.decide)
		c.renewHash(&r, out.rehash)
		out.event.AuthenticatedAt = r.AuthenticatedAt
		return out
	})
	return out.device, out.err
}

// createCall is what one Create remembers from round to round.
type createCall struct {
	*call
	request       *Request
	secret        credential.Secret // of the new device, once it is made
	password, pin comparison        // verdicts of slow hashes
	lookErr       error             // why there is no verdict
}

// comparison remembers a verdict, which holds as long as the stored hash is the
// one that was compared.
type comparison struct {
	done    bool
	hash    string
	verdict verifier.Verdict
}

// decide is one round.
func (j *createCall) decide(a credential.Account, known bool) round {
	j.lookErr = nil
	next, d := decideCreate(a, j.request, j.now, &j.issuer.policy, j.looker(a, known))
	r := round{next: next, save: d.save, answer: &outcome{}}
	r.answer.event = Event{DeviceID: j.request.DeviceID, Factors: d.factors, Evicted: d.evicted}
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
	if d.code == totperrors.InvalidCredentials && len(d.factors) == 1 {
		return fieldOf(d.factors[0].Factor)
	}
	return d.field
}

func fieldOf(f credential.Factor) string {
	switch f {
	case credential.OTP:
		return totperrors.FieldOTP
	case credential.Password:
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
	if spent := r.next.State.Device(d.verdict.DeviceID); d.verdict.Outdated && spent >= 0 {
		j.reseal(&r.next.State.Devices[spent])
	}
	r.answer.event.Basis, r.answer.event.Replayed = device.Basis, d.replayed
	r.answer.device = DeviceTOTP{
		ID: device.ID, Secret: secret, Period: device.Period, Digits: device.Digits, Algorithm: device.Algorithm,
		Basis: device.Basis, CreatedAt: device.CreatedAt, Replayed: d.replayed,
	}
	if f, ok := device.Basis.Factor(); ok && d.verdict.Outdated && f != credential.OTP {
		r.answer.rehash = &staleHash{account: r.next, factor: f}
	}
}

// sealOrOpen returns the secret of the device: a new one, sealed into it, or
// the one it has.
func (j *createCall) sealOrOpen(device *credential.Device, d *decision) (credential.Secret, error) {
	keys := j.issuer.keys
	if d.replayed {
		secret, _, err := keys.Open(deviceScope(j.accountID, device.ID), device.Sealed)
		if err != nil {
			return credential.Secret{}, j.internal(fmt.Errorf("device %s: %w", device.ID, err))
		}
		return secret, nil
	}
	if err := j.makeSecret(); err != nil {
		return credential.Secret{}, err
	}
	var err error
	if device.Sealed, err = keys.Seal(deviceScope(j.accountID, device.ID), j.secret); err != nil {
		return credential.Secret{}, j.internal(err)
	}
	if device.Basis == credential.BasisOTP {
		if device.Proof, err = keys.Digest(proofScope(j.accountID, device.ID), j.request.OTP); err != nil {
			return credential.Secret{}, j.internal(err)
		}
	}
	return j.secret, nil
}

func deviceScope(accountID, deviceID string) credential.Scope {
	return credential.Scope{Purpose: credential.PurposeDeviceSecret, AccountID: accountID, Subject: deviceID}
}

func proofScope(accountID, deviceID string) credential.Scope {
	return credential.Scope{Purpose: credential.PurposeProof, AccountID: accountID, Subject: deviceID}
}

// reseal seals the secret of a device that is being used with the primary key.
// If that fails the old seal stays, which still opens.
func (c *call) reseal(device *credential.Device) {
	scope := deviceScope(c.accountID, device.ID)
	secret, outdated, err := c.issuer.keys.Open(scope, device.Sealed)
	if err != nil || !outdated {
		return
	}
	if sealed, err := c.issuer.keys.Seal(scope, secret); err == nil {
		device.Sealed = sealed
	}
}

// makeSecret asks the secret source, once a request.
func (j *createCall) makeSecret() error {
	if j.secret.Present() {
		return nil
	}
	size := j.issuer.policy.SecretSize
	secret, err := j.callSource(size)
	if err != nil {
		return j.collaborator("SecretSource", err)
	}
	if n := len(secret.Reveal()); n != size {
		return j.internal(fmt.Errorf("%w: SecretSource gave %d bytes, not %d", errNonsense, n, size))
	}
	j.secret = secret
	return nil
}

func (j *createCall) callSource(size int) (secret credential.Secret, err error) {
	started := time.Now()
	ctx := j.bounded(started)
	defer ctx.end()
	defer j.looks(started)
	defer contain("SecretSource", &err)
	return j.issuer.secrets.NewSecret(ctx, size)
}

// staleHash is a stored hash that should be renewed.
type staleHash struct {
	account credential.Account
	factor  credential.Factor
}

// renewHash makes a new hash and hands it to the host. Nothing depends on it.
func (c *call) renewHash(r *Request, stale *staleHash) {
	if stale == nil || c.issuer.onRehash == nil {
		return
	}
	rehasher, ok := c.issuer.verifiers[stale.factor].(verifier.Rehasher)
	if !ok {
		return
	}
	c.callRehash(rehasher, stale, r.presented(stale.factor))
}

// callRehash has nobody to tell of a failure: the hash stays as it is, and the
// next success tries again.
func (c *call) callRehash(rehasher verifier.Rehasher, stale *staleHash, presented credential.Secret) {
	ctx := &deadline{parent: c.ctx, detached: true, at: time.Now().Add(c.issuer.policy.VerifierTimeout)}
	defer ctx.end()
	var err error
	defer contain("OnRehash", &err)
	renewed, err := rehasher.Rehash(ctx, stale.account, presented)
	if err == nil {
		c.issuer.onRehash(ctx, c.accountID, stale.factor, stale.account.Hash(stale.factor), renewed)
	}
}

// looker returns the look function of one round.
func (j *createCall) looker(a credential.Account, known bool) lookFunc {
	return func(f credential.Factor, createdOn *credential.Device) verifier.Verdict {
		verdict, err := j.verdict(a, f, createdOn)
		if err != nil {
			j.lookErr = err
			return verifier.Verdict{}
		}
		j.looked = true
		if !known && verdict.Status == verifier.Valid {
			return verifier.Verdict{Status: verifier.Invalid} // about an account that does not exist
		}
		return verdict
	}
}

// verdict asks the verifier of f, or what is remembered of it.
func (j *createCall) verdict(a credential.Account, f credential.Factor, createdOn *credential.Device) (verifier.Verdict, error) {
	if createdOn == nil {
		// Made before anything is looked at: a source that fails after a valid
		// proof would tell that it was valid.
		if err := j.makeSecret(); err != nil {
			return verifier.Verdict{}, err
		}
	} else if f == credential.OTP {
		return j.sameOTP(createdOn)
	}
	remembered := j.remembered(f)
	if remembered != nil && remembered.done && remembered.hash == a.Hash(f) {
		return remembered.verdict, nil
	}
	if f == credential.OTP {
		a.State.Devices = j.unblocked(a.State.Devices)
	}
	verdict, err := j.callVerifier(a, f)
	if err != nil {
		return verifier.Verdict{}, j.collaborator("verifier of the "+f.String(), err)
	}
	if err := checkVerdict(f, verdict, j.now); err != nil {
		return verifier.Verdict{}, j.internal(err)
	}
	if remembered != nil {
		verdict = verifier.Verdict{Status: verdict.Status, Outdated: verdict.Outdated}
		*remembered = comparison{done: true, hash: a.Hash(f), verdict: verdict}
	}
	return verdict, nil
}

// remembered is the place of f's verdict; nil for OTP, because what an OTP is
// worth changes with the State.
func (j *createCall) remembered(f credential.Factor) *comparison {
	switch f {
	case credential.Password:
		return &j.password
	case credential.PIN:
		return &j.pin
	default:
		return nil
	}
}

func (j *createCall) callVerifier(a credential.Account, f credential.Factor) (verdict verifier.Verdict, err error) {
	started := time.Now()
	ctx := j.bounded(started)
	defer ctx.end()
	defer j.looks(started)
	defer contain("Verifier", &err)
	return j.issuer.verifiers[f].Verify(ctx, a, j.request.presented(f), j.now)
}

// sameOTP compares with the OTP that the device was created on, not with the
// codes of today.
func (j *createCall) sameOTP(d *credential.Device) (verifier.Verdict, error) {
	ok, err := j.issuer.keys.Matches(proofScope(j.accountID, d.ID), d.Proof, j.request.OTP)
	switch {
	case err != nil:
		return verifier.Verdict{}, j.internal(fmt.Errorf("device %s: %w", d.ID, err))
	case ok:
		return verifier.Verdict{Status: verifier.Valid}, nil
	default:
		return verifier.Verdict{Status: verifier.Invalid}, nil
	}
}

// unblocked leaves out devices whose own failures block them, so that their
// codes cannot be tried out as a user OTP either.
func (j *createCall) unblocked(devices []credential.Device) []credential.Device {
	out := make([]credential.Device, 0, len(devices))
	for _, d := range devices {
		if _, blocked := j.issuer.policy.Device.Blocked(d.Attempts, j.now); !blocked {
			out = append(out, d)
		}
	}
	return out
}

// maxProof is the longest name of a spent proof in bytes.
const maxProof = 255

// checkVerdict refuses verdicts that no verifier may give.
func checkVerdict(f credential.Factor, v verifier.Verdict, now time.Time) error {
	switch {
	case v.Status != verifier.Valid && v.Status != verifier.Invalid && v.Status != verifier.Spent:
		return fmt.Errorf("%w: the verifier of the %v gave no verdict and no error", errNonsense, f)
	case f != credential.OTP || v.Status != verifier.Valid:
		return nil
	case v.Proof == "" || len(v.Proof) > maxProof:
		return fmt.Errorf("%w: a valid OTP without a proof of 1 to %d bytes", errNonsense, maxProof)
	case !v.Until.After(now):
		return fmt.Errorf("%w: a valid OTP whose proof need not be remembered", errNonsense)
	default:
		return nil
	}
}
