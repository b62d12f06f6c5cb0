package devicetotp

import (
	"slices"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/verifier"
)

// spendOTP spends the accepted OTP: the time step on every device that generates
// the code, or the one-time code, or the recovery code, or what the host's verifier
// names.
func (p *proofs) spendOTP(a *credential.Account) {
	state, v := &a.State, &p.otpSeen.verdict
	state.OTP = state.OTP.Cleared()
	if v.Compared == nil {
		state.SetKindAttempts("", state.KindAttempts("").Cleared())
	}
	for _, m := range v.Compared {
		if m.Right && m.DeviceID == "" && !isRecovery(m) {
			state.SetKindAttempts(m.Kind, state.KindAttempts(m.Kind).Cleared())
		}
	}
	all := v.Compared
	switch i := state.DeviceIndex(v.DeviceID); {
	case i < 0 && v.Kind() == verifier.KindRecovery:
		state.Recovery = *p.otpSeen.recovery
	case i < 0:
		remember(state, credential.SpentProof{ProofID: v.ProofID, Until: v.Until}, p.call.Now)
	case !generates(all, v.DeviceID): // what the host's verifier says counts all the same
		all = append(slices.Clone(all), verifier.Compared{DeviceID: v.DeviceID, Right: true, Match: verifier.DeviceMatch{
			DeviceID: v.DeviceID, Step: v.Step, Outdated: v.Outdated, Rotated: v.Rotated,
		}})
	}
	p.confirmed = append(p.confirmed, p.call.spendCompared(a, p.otp, all)...)
}

// generates reports whether the code was compared with that device and is one of it.
func generates(all []verifier.Compared, deviceID string) bool {
	_, right := comparedWith(all, deviceID)
	return right
}

// comparedWith reports whether the code was compared with that device, and whether
// it is one of it.
func comparedWith(all []verifier.Compared, deviceID string) (compared, right bool) {
	for i := range all { // by index: an account of many devices has many of them
		if m := &all[i]; m.DeviceID == deviceID {
			compared, right = true, right || m.Right
		}
	}
	return compared, right
}

// spendCompared spends the time step of a right code on every device that
// generates it, those included that it was not compared with: one secret may be
// in two devices, and be the new one of a rotation. One-time codes of its value go,
// too. It returns the devices whose rotation the code confirmed.
func (c *call) spendCompared(a *credential.Account, code credential.Secret, all []verifier.Compared) (confirmed []string) {
	c.withdraw(&a.State, code)
	for i := range a.State.Devices {
		d := &a.State.Devices[i]
		switch compared, right := comparedWith(all, d.ID); {
		case right:
			if c.spendSteps(&a.State, d, all) {
				confirmed = append(confirmed, d.ID)
			}
		case !compared && shows(d, len(code.Reveal()), c.Now):
			for _, m := range verifier.CompareDevices(c.issuer.keys, c.accountID, a.State.Devices[i:i+1], code, c.Now) {
				if m.Right {
					burn(d, m.Match)
				}
			}
		}
	}
	return confirmed
}

// withdraw takes the pending one-time codes out of use that have the value of a code
// which was accepted: a host may have sent one value as codes of two kinds, and it is
// good once.
func (c *call) withdraw(s *credential.State, accepted credential.Secret) {
	if !credential.IsCode(accepted) {
		return
	}
	for i := range s.Codes {
		code := &s.Codes[i]
		if code.Withdrawn || s.IsSpent(code.ProofID()) {
			continue
		}
		same, err := c.issuer.keys.Matches(codeScope(c.accountID, code.ID), code.Digest, accepted)
		code.Withdrawn = err == nil && same
	}
}

// burn makes a step of d's secret, or of the new secret of its rotation, one that is
// not accepted again.
func burn(d *credential.Device, m verifier.DeviceMatch) {
	if m.Rotated && d.Rotation != nil {
		d.Rotation.LastStep = max(d.Rotation.LastStep, m.Step)
	} else if !m.Rotated {
		d.LastStep = max(d.LastStep, m.Step)
	}
}

// spendSteps records a success of d, and reports whether it confirmed d's rotation.
// A code that both secrets happen to generate does not: it may be one of the old
// secret, and the user have no other yet.
func (c *call) spendSteps(s *credential.State, d *credential.Device, all []verifier.Compared) (confirmed bool) {
	d.Attempts, d.Named = d.Attempts.Cleared(), d.Named.Cleared()
	ofOld, ofNew, outdated := false, false, false
	for _, m := range all {
		if m.DeviceID != d.ID || !m.Right {
			continue
		}
		burn(d, m.Match)
		ofNew = ofNew || m.Match.Rotated
		ofOld = ofOld || !m.Match.Rotated
		outdated = outdated || m.Match.Outdated
	}
	outdated = outdated && c.disputed(s) == nil
	switch {
	case ofNew && !ofOld:
		return c.takeOver(s, d)
	case !d.Rotation.Pending(c.Now):
		endRotation(d, credential.MaxRotations)
	}
	if outdated {
		c.reseal(d)
	}
	return false
}

// takeOver makes the new secret of d's rotation the secret of d, with its
// parameters and its steps. The old one is gone. If the new secret cannot be
// sealed as that of d, the rotation stays pending.
func (c *call) takeOver(s *credential.State, d *credential.Device) bool {
	r := d.Rotation
	if r == nil {
		return false
	}
	secret, outdated, err := c.issuer.keys.Open(credential.RotationScope(c.accountID, d, r), r.Sealed)
	if err != nil || outdated && c.disputed(s) != nil {
		return false
	}
	to := *d
	to.Algorithm, to.Digits, to.Period, to.LastStep = r.Algorithm, r.Digits, r.Period, r.LastStep
	to.RestsOnGrace = d.RestsOnGrace && r.RestsOnGrace
	endRotation(&to, credential.MaxRotations)
	if to.Sealed, err = c.issuer.keys.Seal(credential.DeviceScope(c.accountID, &to), secret); err != nil {
		return false
	}
	*d = to
	return true
}
