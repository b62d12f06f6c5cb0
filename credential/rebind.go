package credential

import (
	"errors"
	"fmt"
)

// Rebind returns the State of account from for the new id to. Secrets are bound
// to the id of their account, so a State that is merely copied to another id
// does not open: Rebind opens what is sealed and seals it again for the new id
// with the primary key. s is not changed.
//
// Digests cannot be moved, because what they were made of is not stored. Pending
// one-time codes are dropped, so announce new ones; a retry of the request that
// made a device before the move is no longer recognized. Everything else is the
// same: devices keep their ids, what is spent stays spent, and failures stay
// counted.
//
// The error names, by device id, everything that does not open, or that a newer
// key than the primary has sealed; nothing is returned then. Revoke such a device
// first, or use a keyring that has its key. An empty id, and an id that stays the
// same, are errors too.
//
// # How to move an account
//
// A store cannot change an id, so the account is written under the new id and
// removed under the old one. In this order, no moment lets two accounts use one
// secret, because at least one of them is locked or gone:
//
//  1. Choose an id that no account has or had, and draw a random Version from 1 to
//     [MaxVersion]. Write down, in a place of your own, both ids, the Version and
//     whether the account is locked. Then lock it. A request that is being decided
//     on at that moment fails to save, and sees the lock.
//  2. Load the old account. Rebind its State. Open the PIN hash with
//     [Keyring.OpenPINHash] for the old id, and seal it for the new one with
//     [Keyring.SealPINHash]; failures that are counted against the PIN stay.
//  3. Insert the account under the new id, locked, with the State, the Version, and
//     the old RegisteredAt and password hash. If the store reports that it did not
//     insert, or an error, load the new id: only if it has your Version is it the
//     account that you moved. Otherwise end here, and unlock the old one, unless it
//     was locked before.
//  4. Delete the old account. From here on the new one is the account.
//  5. Unlock the new account, unless the old one was locked before.
//
// If the process dies, begin again with what is written down: as long as the old
// account is there, delete the new one if it has your Version, and go on from step
// 2; once it is gone, go on with step 5. Let clients sign in again between the steps
// 4 and 5. Meanwhile do not lock or unlock the account yourself: step 5 would undo a
// lock. Revoke no device and set no password either: both work on a locked account,
// and what is moved could be older.
func Rebind(keys *Keyring, s State, from, to string) (State, error) {
	if from == "" || to == "" || from == to {
		return State{}, errors.New("credential: rebind: the two account ids must differ and not be empty")
	}
	r := rebinding{keys: keys}
	out := s.Clone()
	out.Codes, out.Writes = nil, nil
	for i := range out.Devices {
		r.device(&out.Devices[i], from, to)
	}
	for i := range out.Revoked {
		d := &out.Revoked[i]
		r.seal("revoked device "+d.ID, &d.Sealed, RevokedScope(from, d.ID), RevokedScope(to, d.ID))
	}
	r.seal("recovery codes", &out.Recovery.Sealed, RecoveryScope(from), RecoveryScope(to))
	if len(r.faults) > 0 {
		return State{}, errors.Join(r.faults...)
	}
	return out, nil
}

// rebinding gathers what is in the way of a Rebind.
type rebinding struct {
	keys   *Keyring
	faults []error
}

func (r *rebinding) device(d *Device, from, to string) {
	r.seal("device "+d.ID, &d.Sealed, DeviceScope(from, d), DeviceScope(to, d))
	d.ProofDigest, d.Replaced = nil, nil
	if d.Rotation != nil {
		r.seal("rotation of device "+d.ID, &d.Rotation.Sealed, RotationScope(from, d, d.Rotation), RotationScope(to, d, d.Rotation))
		d.Rotation.ProofDigest = nil
	}
}

// seal opens a value in one scope and seals it in another.
func (r *rebinding) seal(what string, at *[]byte, from, to Scope) {
	if *at == nil && from.Purpose != PurposeDeviceSecret {
		return // there is none
	}
	plain, _, err := r.keys.Open(from, *at)
	if err == nil && r.keys.keyOf(*at) > r.keys.primary {
		id, _ := KeyID(*at)
		err = fmt.Errorf("sealed with %q, which is newer than the primary %q", id, r.keys.PrimaryID())
	}
	if err == nil {
		*at, err = r.keys.Seal(to, plain)
	}
	if err != nil {
		r.faults = append(r.faults, fmt.Errorf("credential: rebind: %s: %w", what, err))
	}
}
