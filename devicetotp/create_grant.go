package devicetotp

import (
	"slices"
	"time"

	"example.com/devicetotp/credential"
)

// grant adds the device, and spends what it rests on.
func (o *create) grant(a *credential.Account, basis credential.Basis) (answer[DeviceTOTP], bool) {
	if err := o.makeSecret(); err != nil {
		return o.refused(err)
	}
	policy := &o.issuer.policy
	device := credential.Device{
		ID:        o.deviceID,
		Algorithm: policy.Algorithm,
		Digits:    policy.Digits,
		Period:    policy.Period,
		Basis:     basis,
		CreatedAt: o.Now.UTC(),
	}
	if err := o.seal(&device); err != nil {
		return o.refused(err)
	}
	o.makeRoom(a)
	if factor, ok := basis.Factor(); ok {
		o.proofs.succeed(a, factor)
	}
	dropExpired(&a.State, o.Now)
	a.State.Devices = append(a.State.Devices, device)
	return o.give(&device, o.secret, false), true
}

// makeSecret makes the secret of the new device, once a request.
func (o *create) makeSecret() (err error) {
	if !o.secret.Present() {
		o.secret, err = o.newSecret()
	}
	return err
}

func (o *create) seal(d *credential.Device) (err error) {
	if d.Sealed, err = o.issuer.keys.Seal(credential.DeviceScope(o.accountID, d), o.secret); err != nil {
		return o.Internal(err)
	}
	if d.Basis != credential.BasisOTP {
		return nil
	}
	if d.ProofDigest, err = o.issuer.keys.Digest(proofScope(o.accountID, d.ID), o.request.OTP); err != nil {
		return o.Internal(err)
	}
	return nil
}

// makeRoom evicts never-used devices until one more fits, oldest first, and the
// one that generated the OTP of this request last. hasRoom saw that there are
// enough.
func (o *create) makeRoom(a *credential.Account) {
	for len(a.State.Devices) >= o.issuer.policy.MaxDevices {
		oldest := -1
		for i := range a.State.Devices {
			d := &a.State.Devices[i]
			if o.evictable(d) && (oldest < 0 || o.goesBefore(d, &a.State.Devices[oldest])) {
				oldest = i
			}
		}
		o.evicted = append(o.evicted, a.State.Devices[oldest].ID)
		a.State.Devices = slices.Delete(a.State.Devices, oldest, oldest+1)
	}
}

func (o *create) goesBefore(d, other *credential.Device) bool {
	if proved := o.proofs.verdict.DeviceID; proved == d.ID || proved == other.ID {
		return proved == other.ID
	}
	return d.CreatedAt.Before(other.CreatedAt)
}

// spentSlack is how much longer than needed a spent proof is remembered, so
// that a clock that goes back does not revive it.
const spentSlack = 10 * time.Minute

// dropExpired forgets one-time codes and spent proofs that time has overtaken.
func dropExpired(s *credential.State, now time.Time) {
	s.Codes = slices.DeleteFunc(s.Codes, func(c credential.OneTimeCode) bool { return !now.Before(c.ExpiresAt) })
	s.Spent = slices.DeleteFunc(s.Spent, func(p credential.SpentProof) bool { return now.After(p.Until.Add(spentSlack)) })
}
