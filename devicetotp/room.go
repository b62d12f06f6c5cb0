package devicetotp

import (
	"slices"
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
	return !d.Used() && c.Now.Sub(d.CreatedAt) > c.issuer.policy.UnusedAfter && (d.RestsOnGrace || !rests)
}

// makeRoom forgets revoked ids that are not held any more, and then evicts
// never-used devices, until one more fits: oldest first, and the one of id last,
// which generated the OTP of this request, after all others. A device that rests on
// grace displaces only such ones. hasRoom saw that there are enough.
func (c *call) makeRoom(a *credential.Account, rests bool, last string) (evicted []string) {
	for places(&a.State) >= c.issuer.policy.MaxDevices {
		if c.forgetRevoked(&a.State) {
			continue
		}
		oldest := -1
		for i := range a.State.Devices {
			d := &a.State.Devices[i]
			if c.evictable(d, rests) && (oldest < 0 || goesBefore(d, &a.State.Devices[oldest], last)) {
				oldest = i
			}
		}
		evicted = append(evicted, a.State.Devices[oldest].ID)
		a.State.Devices = slices.Delete(a.State.Devices, oldest, oldest+1)
	}
	return evicted
}

func goesBefore(d, other *credential.Device, last string) bool {
	if last == d.ID || last == other.ID {
		return last == other.ID
	}
	return d.CreatedAt.Before(other.CreatedAt)
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
