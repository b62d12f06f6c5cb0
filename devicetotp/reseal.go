package devicetotp

import (
	"context"
	"slices"

	"example.com/devicetotp/credential"
)

// Resealed is what [Issuer.Reseal] did, and what the account still needs.
type Resealed struct {
	// Devices, Rotations and Revoked are how many secrets of devices, of pending
	// rotations and of revoked devices were sealed again; RecoveryCodes is 1 if
	// the recovery codes were. Each of them had been sealed with an older key.
	Devices, Rotations, Revoked, RecoveryCodes int
	// Dropped is how many digests of OTPs were forgotten: made with another key
	// than the primary, and no longer needed to recognize a retry.
	Dropped int
	// Withheld reports that nothing was sealed and nothing dropped, because a
	// different key of the primary's id has sealed a value of the account: see
	// [credential.Keyring.Foreign]. Unreadable has that value.
	Withheld bool
	// Keys are the ids of the keys that the account needs afterwards, oldest first,
	// then those that the keyring does not have. The PIN hash is included, which
	// Reseal does not change; see [credential.Keyring.ResealPINHash]. A key that
	// made a value which does not open is included too.
	Keys []string
	// Unreadable are the values that do not open, and which key made them. They
	// are left as they are.
	Unreadable []StoredValue
}

// Reseal seals everything of one account again with the primary key that an
// older key sealed, except the PIN hash, see below: the secrets of devices,
// pending rotations and revoked devices, and the recovery codes. It is the
// operator's to call for each account before an old key is removed, and works
// on a locked account and beside other requests. It never seals with an older
// key than the one that a value is sealed with, so that a process which still
// has an older primary undoes nothing.
//
// Digests cannot be made again with another key. One-time codes expire within
// [MaxCodeTTL], and the OTP that a device was made on is needed for
// Policy.RetryWindow at most; until then their keys are in Resealed.Keys, so call
// Reseal again after that.
//
// The PIN hash is the host's column: pass it to [credential.Keyring.ResealPINHash]
// and store the result. Do that first, because Resealed.Keys includes its key.
// [credential.Keyring] has all steps of a roll-out.
//
// What does not open is reported and does not stop the rest. Repeating a Reseal
// changes nothing.
//
// Errors: invalid-argument (AccountID, wrapping credential.ErrNotFound, if there
// is no such account), unavailable, internal-error.
func (i *Issuer) Reseal(ctx context.Context, accountID string) (Resealed, error) {
	o := &reseal{}
	o.start(ctx, i, OpReseal, accountID)
	return perform(o)
}

// reseal is one Reseal.
type reseal struct{ call }

func (o *reseal) check() error { return nil }

func (o *reseal) decide(a *credential.Account) (answer[Resealed], bool) {
	if !o.Known {
		return answer[Resealed]{err: o.managed(a)}, false
	}
	out := Resealed{Withheld: o.disputed(&a.State) != nil}
	if !out.Withheld {
		for i := range a.State.Devices {
			out.Dropped += o.dropProofs(&a.State.Devices[i])
		}
		all := o.keyed(&a.State)
		for i := range all {
			o.sealValue(&all[i], &out)
		}
	}
	report := o.keyReport(a)
	out.Keys, out.Unreadable = report.keys, report.unreadable
	return answer[Resealed]{value: out, event: Event{Unreadable: forEvent(report.unreadable)}}, true
}

// sealValue seals a value again. What does not open stays, and is reported.
func (o *reseal) sealValue(v *keyed, out *Resealed) {
	if v.digest {
		return
	}
	if done, err := o.sealAgain(v.scope, v.at); err != nil || !done {
		return
	}
	switch {
	case v.about.Purpose == credential.PurposeRevoked:
		out.Revoked++
	case v.about.Purpose == credential.PurposeRecovery:
		out.RecoveryCodes++
	case v.about.Rotation:
		out.Rotations++
	default:
		out.Devices++
	}
}

// dropProofs forgets the digests that would keep another key than the primary in
// use for nothing.
func (o *reseal) dropProofs(d *credential.Device) (dropped int) {
	idle := func(digest []byte) bool {
		return digest != nil && (!o.issuer.keys.Has(digest) || o.issuer.keys.Outdated(digest))
	}
	if idle(d.ProofDigest) && !o.needsProof(d.LastStep, d.CreatedAt) {
		d.ProofDigest = nil
		dropped++
	}
	before := len(d.Replaced)
	d.Replaced = slices.DeleteFunc(d.Replaced, func(p credential.ReplacedProof) bool {
		return idle(p.Digest) && !o.needsProof(d.LastStep, p.CreatedAt)
	})
	dropped += before - len(d.Replaced)
	if r := d.Rotation; r != nil && idle(r.ProofDigest) && !o.needsProof(r.LastStep, r.StartedAt) {
		r.ProofDigest = nil
		dropped++
	}
	return dropped
}
