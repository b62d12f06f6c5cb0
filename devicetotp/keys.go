package devicetotp

import (
	"fmt"
	"slices"
	"time"

	"example.com/devicetotp/credential"
)

// StoredValue is a value of an account that was sealed or digested with a key of
// the keyring. It describes the value and does not hold it.
type StoredValue struct {
	// Purpose is what the value is for.
	Purpose credential.Purpose
	// DeviceID is the device, or the revoked device, that it belongs to; "" for
	// one-time codes, recovery codes and the PIN hash.
	DeviceID string
	// Rotation reports that it belongs to the device's pending rotation.
	Rotation bool
	// Kind is the kind of a one-time code; "" otherwise.
	Kind string
	// KeyID is the id of the key that made the value; "" if the value does not
	// have the form of one that a key made.
	KeyID string
	// Err is why it does not open. It wraps credential.ErrMissingKey or
	// credential.ErrTampered.
	Err error
}

// keyed is a value of an account that needs a key.
type keyed struct {
	about  StoredValue // without KeyID and Err
	scope  credential.Scope
	at     *[]byte // where the State keeps it
	digest bool    // made by Keyring.Digest: nobody can make it again with another key
}

// keyed returns every value of the State that needs a key now. Digests that
// nothing is compared with any more need none.
func (c *call) keyed(s *credential.State) (all []keyed) {
	for i := range s.Devices {
		d := &s.Devices[i]
		about := StoredValue{Purpose: credential.PurposeDeviceSecret, DeviceID: d.ID}
		all = append(all, keyed{about: about, scope: credential.DeviceScope(c.accountID, d), at: &d.Sealed})
		if r := d.Rotation; r != nil {
			about.Rotation = true
			all = append(all, keyed{about: about, scope: credential.RotationScope(c.accountID, d, r), at: &r.Sealed})
		}
		all = append(all, c.keyedProofs(d)...)
	}
	for i := range s.Revoked {
		if r := &s.Revoked[i]; r.Sealed != nil {
			about := StoredValue{Purpose: credential.PurposeRevoked, DeviceID: r.ID}
			all = append(all, keyed{about: about, scope: credential.RevokedScope(c.accountID, r.ID), at: &r.Sealed})
		}
	}
	if s.Recovery.Sealed != nil {
		about := StoredValue{Purpose: credential.PurposeRecovery}
		all = append(all, keyed{about: about, scope: credential.RecoveryScope(c.accountID), at: &s.Recovery.Sealed})
	}
	for i := range s.Codes {
		if code := &s.Codes[i]; c.Now.Before(code.ExpiresAt) {
			about := StoredValue{Purpose: credential.PurposeOneTimeCode, Kind: code.Kind}
			all = append(all, keyed{about: about, scope: codeScope(c.accountID, code.ID), at: &code.Digest, digest: true})
		}
	}
	return all
}

// keyedProofs returns the digests of OTPs that a retry may be compared with.
func (c *call) keyedProofs(d *credential.Device) (all []keyed) {
	add := func(digest *[]byte, rotation bool, needed bool) {
		if needed && *digest != nil {
			about := StoredValue{Purpose: credential.PurposeProof, DeviceID: d.ID, Rotation: rotation}
			all = append(all, keyed{about: about, scope: proofScope(c.accountID, d.ID), at: digest, digest: true})
		}
	}
	add(&d.ProofDigest, false, c.needsProof(d.LastStep, d.CreatedAt))
	for i := range d.Replaced {
		add(&d.Replaced[i].Digest, false, c.needsProof(d.LastStep, d.Replaced[i].CreatedAt))
	}
	if r := d.Rotation; r != nil {
		add(&r.ProofDigest, true, c.needsProof(r.LastStep, r.StartedAt))
	}
	return all
}

// needsProof reports whether the digest of the OTP that made something may still
// be compared: with a retry within Policy.RetryWindow, as long as what it made was
// never used.
func (c *call) needsProof(lastStep int64, madeAt time.Time) bool {
	return lastStep == 0 && c.Now.Sub(madeAt) <= c.issuer.policy.RetryWindow
}

// opens returns why a value does not open; nil if it does.
func (c *call) opens(v *keyed) (err error) {
	if v.digest { // which opens if its key is there
		_, err = c.issuer.keys.Matches(v.scope, *v.at, credential.Secret{})
	} else {
		_, _, err = c.issuer.keys.Open(v.scope, *v.at)
	}
	return err
}

// sealAgain seals a value with the primary key if an older key sealed it, and
// reports whether it did.
func (c *call) sealAgain(scope credential.Scope, at *[]byte) (bool, error) {
	secret, outdated, err := c.issuer.keys.Open(scope, *at)
	if err != nil || !outdated {
		return false, err
	}
	sealed, err := c.issuer.keys.Seal(scope, secret)
	if err != nil {
		return false, err
	}
	*at = sealed
	return true, nil
}

// keyReport is which keys an account needs, and which of its values do not open.
type keyReport struct {
	keys       []string
	unreadable []StoredValue
}

// keyReport describes the values of the State and the PIN hash, which is the
// host's column.
func (c *call) keyReport(a *credential.Account) keyReport {
	var r keyReport
	needed := map[string]bool{}
	add := func(about StoredValue, stored []byte, err error) {
		if id, ok := credential.KeyID(stored); ok {
			about.KeyID, needed[id] = id, true
		}
		if about.Err = err; err != nil {
			r.unreadable = append(r.unreadable, about)
		}
	}
	all := c.keyed(&a.State)
	for i := range all {
		add(all[i].about, *all[i].at, c.opens(&all[i]))
	}
	if _, _, err := c.issuer.keys.OpenPINHash(c.accountID, a.PINHash); a.PINHash != "" {
		sealed, _ := credential.SealedPINHash(a.PINHash)
		add(StoredValue{Purpose: credential.PurposePINHash}, sealed, err)
	}
	r.keys = c.inOrder(needed)
	return r
}

// inOrder returns the ids in the order of the keyring, and then those that it does
// not have.
func (c *call) inOrder(ids map[string]bool) (out []string) {
	for _, id := range c.issuer.keys.IDs() {
		if ids[id] {
			out = append(out, id)
			delete(ids, id)
		}
	}
	known := len(out)
	for id := range ids {
		out = append(out, id)
	}
	slices.Sort(out[known:])
	return out
}

// disputed returns an error if the account has a value that was sealed by a
// different key of the primary's id: two processes disagree about that key, and
// whatever this one seals may be lost to every other.
func (c *call) disputed(s *credential.State) error {
	for i := range s.Devices {
		d := &s.Devices[i]
		if c.foreign(d.Sealed) || d.Rotation != nil && c.foreign(d.Rotation.Sealed) {
			return c.dispute("the secret of device " + d.ID + ", which can be revoked")
		}
	}
	for i := range s.Revoked {
		if c.foreign(s.Revoked[i].Sealed) {
			return c.dispute("what is remembered of the revoked device " + s.Revoked[i].ID)
		}
	}
	if c.foreign(s.Recovery.Sealed) {
		return c.dispute("the set of recovery codes, which can be replaced")
	}
	return nil
}

func (c *call) foreign(stored []byte) bool {
	if len(stored) == 0 || c.issuer.keys.Has(stored) {
		return false
	}
	id, _ := credential.KeyID(stored)
	return id == c.issuer.keys.PrimaryID()
}

func (c *call) dispute(what string) error {
	return c.Internal(fmt.Errorf("%w: a different key of the id %q, which is the primary here, has sealed %s; "+
		"nothing is sealed for this account until the key files of all processes agree", credential.ErrMissingKey, c.issuer.keys.PrimaryID(), what))
}

// forEvent returns what did not open as the Event lists it.
func forEvent(all []StoredValue) (out []Unreadable) {
	for _, v := range all {
		u := Unreadable{Factor: credential.FactorOTP, DeviceID: v.DeviceID, Kind: v.Kind, Err: fmt.Errorf("%s: %w", v.Purpose, v.Err)}
		if v.Purpose == credential.PurposePINHash {
			u.Factor = credential.FactorPIN
		}
		out = append(out, u)
	}
	return out
}
