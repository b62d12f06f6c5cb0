package devicetotp

import (
	"time"

	"example.com/devicetotp/credential"
)

// hasRoom reports whether another device fits, if need be in place of ones that
// were never used.
func (c *call) hasRoom(a *credential.Account) bool {
	over := len(a.State.Devices) + 1 - c.issuer.policy.MaxDevices
	for i := range a.State.Devices {
		if over > 0 && c.evictable(&a.State.Devices[i]) {
			over--
		}
	}
	return over <= 0
}

// evictable reports whether d may make room: never used, and old enough.
func (c *call) evictable(d *credential.Device) bool {
	return d.LastStep == 0 && c.Now.Sub(d.CreatedAt) > c.issuer.policy.UnusedAfter
}

// graceOpen reports whether a device is issued without a credential.
func (c *call) graceOpen(a *credential.Account) bool {
	policy := &c.issuer.policy
	if a.RegisteredAt.IsZero() || policy.GraceWindow == 0 {
		return false
	}
	age, ok := c.age(a.RegisteredAt)
	return ok && age <= policy.GraceWindow && graceDevices(a) < policy.GraceDevices
}

func graceDevices(a *credential.Account) (n int) {
	for i := range a.State.Devices {
		if a.State.Devices[i].Basis == credential.BasisGrace {
			n++
		}
	}
	return n
}

// age returns how long ago t was. A little in the future counts as now; more is
// not ok.
func (c *call) age(t time.Time) (age time.Duration, ok bool) {
	age = c.Now.Sub(t)
	return max(0, age), age >= -c.issuer.policy.ClockTolerance
}
