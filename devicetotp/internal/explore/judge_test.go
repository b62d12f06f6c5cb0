package explore

import (
	"fmt"
	"slices"
	"time"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
)

// judgement is what can be said about a stored value and the one before it,
// whatever the history: it is made once.
type judgement struct {
	violations []violation
	falls      []counter // counters that were reset
	rises      bool      // a counter grew
	spends     bool      // a time step was spent
}

// counter names the failures of a factor, of a device or of a kind of code.
type counter struct {
	name   string
	factor credential.Factor
	device bool // which may be gone, with its counter
	// longest is the longest wait: a time that is further ahead is not true, and is
	// replaced.
	longest time.Duration
}

// judge holds what must be true of each save.
func (s *search) judge(w *world, v *value) {
	if v.parent == nil {
		return
	}
	j, done := s.judged[v.id]
	if !done {
		j = s.account.compare(&v.parent.state, &v.state)
		s.judged[v.id] = j
	}
	w.violations = append(w.violations, j.violations...)
	r := v.by
	if r == nil || !r.done || r.answer.code == devicetotp.CodeUnavailable {
		return
	}
	for _, f := range j.falls {
		if !r.forgets && !r.proved(f.factor) {
			w.violate("a success that resets what it did not prove (I6)", "%v resets the failures of %s", r, f.name)
		}
	}
	if r.answer.code == "" && r.method == "Verify" && v.decides() && !j.spends {
		w.violate("a code that is accepted and spends nothing (I2)", "%v", r)
	}
	if r.answer.code == devicetotp.CodeInvalidCredentials && v.decides() && !j.rises && !r.unknown {
		w.violate("a wrong value that is not counted (I6)", "%v", r)
	}
}

// compare holds what must be true of any save of the account.
func (h *household) compare(before, after *credential.State) *judgement {
	j := &judgement{}
	violate := func(kind, format string, args ...any) {
		j.violations = append(j.violations, violation{kind: kind, detail: fmt.Sprintf(format, args...)})
	}
	for _, p := range before.Spent {
		if !after.IsSpent(p.ProofID) {
			violate("what was spent comes back (I2)", "the proof %s is forgotten", p.ProofID)
		}
	}
	for _, c := range before.Codes {
		if i := slices.IndexFunc(after.Codes, func(d credential.OneTimeCode) bool { return d.ID == c.ID }); i >= 0 && c.Withdrawn && !after.Codes[i].Withdrawn {
			violate("what was withdrawn comes back (I4)", "a one-time code")
		}
	}
	for _, r := range before.Revoked {
		if !slices.ContainsFunc(after.Revoked, func(x credential.RevokedDevice) bool { return x.ID == r.ID }) {
			violate("what was revoked comes back (I4)", "the id of device %s is forgotten", r.ID)
		}
		if after.DeviceIndex(r.ID) >= 0 {
			violate("what was revoked comes back (I4)", "device %s is there again", r.ID)
		}
	}
	for i := range before.Devices {
		d := &before.Devices[i]
		k := after.DeviceIndex(d.ID)
		if k < 0 {
			continue
		}
		step := after.Devices[k].LastStep
		if !sameSecret(h, d, &after.Devices[k]) {
			j.spends = j.spends || step > 0 // the first of a new secret
			continue
		}
		if step < d.LastStep {
			violate("a time step that comes back (I2)", "device %s: %d after %d", d.ID, step, d.LastStep)
		}
		j.spends = j.spends || step > d.LastStep
	}
	resting := 0
	for i := range after.Devices {
		d := &after.Devices[i]
		if d.RestsOnGrace {
			resting++
		}
		if d.Rotation != nil && d.Rotation.LastStep > 0 {
			violate("two secrets of one device", "device %s: a code of the new secret was accepted, and the old one is there", d.ID)
		}
	}
	if limit := h.policy.GraceDevices; resting > limit || after.GraceIssued > limit {
		violate("more on grace than its limit (I7)", "%d devices rest on grace, %d were issued on it, and the limit is %d", resting, after.GraceIssued, limit)
	}
	h.compareCounters(j, before, after, violate)
	return j
}

func sameSecret(h *household, d, e *credential.Device) bool {
	one, _, err := h.keys.Open(credential.DeviceScope(accountID, d), d.Sealed)
	other, _, otherErr := h.keys.Open(credential.DeviceScope(accountID, e), e.Sealed)
	return err == nil && otherErr == nil && one.Equal(other)
}

// compareCounters compares the failures: none grows by more than one, and the time of
// the last one does not go back (I3).
func (h *household) compareCounters(j *judgement, before, after *credential.State, violate func(kind, format string, args ...any)) {
	then, now := h.counters(before), h.counters(after)
	for c, was := range then {
		is, there := now[c]
		if !there && c.device {
			continue
		}
		switch other := is.Against != was.Against && is.Failures > 0; {
		case is.Failures > was.Failures+1:
			violate("one wrong value that counts twice (I6)", "%s", c.name)
		case is.Failures > was.Failures || other:
			j.rises = true
			if !c.device && !other && was.Failures >= 5 && is.LastAt.Sub(was.LastAt) < 30*time.Second {
				violate("a value that is checked in spite of the wait (I6)", "%s: failure %d, %v after the one before", c.name, is.Failures, is.LastAt.Sub(was.LastAt))
			}
		case is.Failures < was.Failures:
			j.falls = append(j.falls, c)
		}
		if is.Failures >= was.Failures && is.LastAt.Before(was.LastAt) && was.LastAt.Sub(is.LastAt) <= c.longest {
			violate("time that goes back (I3)", "the last failure of %s: %v after %v", c.name, is.LastAt, was.LastAt)
		}
	}
	for c, is := range now {
		if _, there := then[c]; !there && is.Failures > 0 {
			j.rises = true
		}
	}
}

// counters returns every counter of s.
func (h *household) counters(s *credential.State) map[counter]credential.Attempts {
	out := map[counter]credential.Attempts{}
	for _, f := range credential.Factors() {
		out[counter{"the account's " + f.String(), f, false, time.Hour}] = s.Attempts(f)
	}
	for i := range s.Devices {
		d := &s.Devices[i]
		out[counter{d.ID, credential.FactorOTP, true, h.policy.UnnamedDevice.MaxBackoff}] = d.Attempts
		out[counter{d.ID + " by name", credential.FactorOTP, true, time.Hour}] = d.Named
	}
	for _, k := range s.Kinds {
		out[counter{"codes of kind " + k.Kind, credential.FactorOTP, false, time.Hour}] = k.Attempts
	}
	return out
}
