package devicetotp

import (
	"time"

	"example.com/devicetotp/credential"
)

// hasRoom reports whether another device fits, if need be in place of ones that
// were never used, or that were revoked longer ago than the retry window. rests
// reports that it would rest on grace.
func (c *call) hasRoom(a *credential.Account, rests bool) bool {
	over := places(&a.State) + 1 - c.issuer.policy.MaxDevices
	for i := range a.State.Revoked {
		if over > 0 && c.mayForget(&a.State.Revoked[i]) {
			over--
		}
	}
	for i := range a.State.Devices {
		if over > 0 && c.evictable(&a.State.Devices[i], rests) {
			over--
		}
	}
	return over <= 0
}

// evictable reports whether d may make room: never used, old enough, and resting
// on grace if the new one does.
func (c *call) evictable(d *credential.Device, rests bool) bool {
	return d.LastStep == 0 && d.Basis != credential.BasisImported &&
		c.Now.Sub(d.CreatedAt) > c.issuer.policy.UnusedAfter && (d.RestsOnGrace || !rests)
}

// graceOpen reports whether a device is issued without a credential.
func (c *call) graceOpen(a *credential.Account) bool {
	policy := &c.issuer.policy
	if a.RegisteredAt.IsZero() || policy.GraceWindow == 0 || a.State.GraceIssued >= policy.GraceDevices {
		return false
	}
	age, ok := c.age(a.RegisteredAt)
	return ok && age <= policy.GraceWindow && c.mayRest(a)
}

// mayRest reports whether one more device may rest on grace.
func (c *call) mayRest(a *credential.Account) bool {
	resting := 0
	for i := range a.State.Devices {
		if a.State.Devices[i].RestsOnGrace {
			resting++
		}
	}
	return resting < c.issuer.policy.GraceDevices
}

// age returns how long ago t was. A little in the future counts as now; more is
// not ok.
func (c *call) age(t time.Time) (age time.Duration, ok bool) {
	age = c.Now.Sub(t)
	return max(0, age), age >= -c.issuer.policy.ClockTolerance
}
