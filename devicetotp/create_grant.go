package devicetotp

import (
	"slices"

	"example.com/devicetotp/credential"
)

// grant adds the device, and spends what it rests on.
func (o *create) grant(a *credential.Account, basis credential.Basis) (answer[DeviceTOTP], bool) {
	if err := o.makeSecret(a); err != nil {
		return o.refused(err)
	}
	device, err := o.newDevice(a, basis)
	if err != nil {
		return o.refused(err)
	}
	takeID(&a.State, device.ID)
	maker := madeBy(&a.State, device.MadeBy)
	o.evicted = o.makeRoom(a, device.RestsOnGrace, device.MadeBy)
	if maker != "" && slices.Contains(o.evicted, device.MadeBy) { // as in passOn
		device.MadeBy = maker
	}
	if factor, ok := basis.Factor(); ok {
		o.proofs.succeed(a, factor)
	} else {
		a.State.GraceIssued++
	}
	a.State.Devices = append(a.State.Devices, device)
	return o.give(&device, o.secret), true
}

// newDevice returns the new device, sealed.
func (o *create) newDevice(a *credential.Account, basis credential.Basis) (d credential.Device, err error) {
	policy := &o.issuer.policy
	d = credential.Device{
		ID:        o.deviceID,
		Name:      o.request.Name,
		Algorithm: policy.Algorithm,
		Digits:    policy.Digits,
		Period:    policy.Period,
		Basis:     basis,
		CreatedAt: o.Now.UTC(),
	}
	if basis == credential.BasisOTP {
		d.MadeBy = o.proofs.otpSeen.device()
		d.RestsOnGrace = o.proofs.onGrace(a, credential.FactorOTP)
		d.ProofDigest, err = o.proofs.digestOTP(proofScope(o.accountID, d.ID))
	} else {
		d.RestsOnGrace = basis == credential.BasisGrace
	}
	if err == nil {
		d.Sealed, err = o.issuer.keys.Seal(credential.DeviceScope(o.accountID, &d), o.secret)
	}
	if err != nil {
		return d, o.Internal(err)
	}
	return d, nil
}

// makeSecret makes the secret of the new device, once a request, unless the
// account shows that this process has a wrong key to seal it with.
func (o *create) makeSecret(a *credential.Account) (err error) {
	if err := o.disputed(&a.State); err != nil {
		return err
	}
	if !o.secret.Present() {
		o.secret, err = o.newSecret()
	}
	return err
}

// madeBy returns the id of the device that made the one of that id; "" if there is
// none.
func madeBy(s *credential.State, id string) string {
	if i := s.DeviceIndex(id); i >= 0 {
		return s.Devices[i].MadeBy
	}
	return ""
}
