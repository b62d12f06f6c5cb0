package devicetotp

import (
	"crypto/sha256"
	"slices"
	"time"

	"example.com/devicetotp/credential"
)

// What is remembered of revoked devices. An id stays taken for the retry window.
// It is not forgotten by time alone, see forget.go: only where its place is
// needed, or the id itself. An imported device is remembered for ever, and takes
// no place.

// maxAhead is how far ahead of now a revocation may lie: a clock that is wrong by
// more must not keep an id, and its place, for ever.
const maxAhead = 24 * time.Hour

// held reports whether the id of r is still taken.
func (c *call) held(r *credential.RevokedDevice) bool { return c.holds(r.At) }

// holds reports whether an id that was taken at at is still taken.
func (c *call) holds(at time.Time) bool {
	age, window := c.Now.Sub(at), c.issuer.policy.RetryWindow
	return window > 0 && age <= window && age >= -maxAhead
}

// isHeld reports whether a device of that id was revoked within the retry window.
func (c *call) isHeld(s *credential.State, id string) bool {
	i := revokedIndex(s, id)
	return i >= 0 && c.held(&s.Revoked[i])
}

func revokedIndex(s *credential.State, id string) int {
	return slices.IndexFunc(s.Revoked, func(r credential.RevokedDevice) bool { return r.ID == id })
}

// places returns how many of Policy.MaxDevices are taken: by devices, and by ids
// that are remembered.
func places(s *credential.State) int {
	n := len(s.Devices)
	for i := range s.Revoked {
		if !s.Revoked[i].Imported {
			n++
		}
	}
	return n
}

// mayForget reports whether r may make room.
func (c *call) mayForget(r *credential.RevokedDevice) bool { return !r.Imported && !c.held(r) }

// forgetRevoked forgets the first id that is not held any more. It reports false
// if there is none.
func (c *call) forgetRevoked(s *credential.State) bool {
	return forgetFirst(s, c.mayForget)
}

func forgetFirst(s *credential.State, may func(*credential.RevokedDevice) bool) bool {
	for i := range s.Revoked {
		if may(&s.Revoked[i]) {
			s.Revoked = slices.Delete(s.Revoked, i, i+1)
			return true
		}
	}
	return false
}

// rememberRevoked remembers d, which is being revoked. An error says that its
// secret, which an import must not bring back, does not open: then its id alone is
// remembered.
func (c *call) rememberRevoked(s *credential.State, d *credential.Device) (err error) {
	r := credential.RevokedDevice{ID: d.ID}
	if i := revokedIndex(s, d.ID); i >= 0 { // of an earlier device of this id
		r = s.Revoked[i]
		s.Revoked = slices.Delete(s.Revoked, i, i+1)
	}
	r.At = c.Now.UTC()
	if d.Basis == credential.BasisImported {
		r.Imported = true
		var sealed []byte
		if sealed, err = c.sealedHash(d); err == nil {
			r.Sealed = sealed
		}
	}
	c.roomForRevoked(s)
	s.Revoked = append(s.Revoked, r)
	return err
}

// roomForRevoked makes room for one more: Revoke is never refused. Ids that are
// held go only where MaxDevices and the imported devices together are beyond
// credential.MaxRevoked, and an imported device only where there is nothing else.
func (c *call) roomForRevoked(s *credential.State) {
	if len(s.Revoked) < credential.MaxRevoked || c.forgetRevoked(s) {
		return
	}
	if !forgetFirst(s, func(r *credential.RevokedDevice) bool { return !r.Imported }) {
		s.Revoked = slices.Delete(s.Revoked, 0, 1)
	}
}

// sealedHash returns the hash of the secret of d, sealed.
func (c *call) sealedHash(d *credential.Device) ([]byte, error) {
	secret, _, err := c.issuer.keys.Open(credential.DeviceScope(c.accountID, d), d.Sealed)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256([]byte(secret.Reveal()))
	return c.issuer.keys.Seal(credential.RevokedScope(c.accountID, d.ID), credential.NewSecret(string(sum[:])))
}

// takeID gives an id that is not held to a new device. What an earlier device of
// that id made was not made by this one.
func takeID(s *credential.State, id string) {
	forgetFirst(s, func(r *credential.RevokedDevice) bool { return r.ID == id && !r.Imported })
	for i := range s.Devices {
		if s.Devices[i].MadeBy == id {
			s.Devices[i].MadeBy = ""
		}
	}
}
