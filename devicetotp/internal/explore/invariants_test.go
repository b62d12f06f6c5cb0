package explore

import (
	"fmt"
	"slices"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
)

// violation is what a history must not do.
type violation struct {
	kind, detail string
	history      []move
}

func (w *world) violate(kind, format string, args ...any) {
	w.violations = append(w.violations, violation{kind: kind, detail: fmt.Sprintf(format, args...)})
}

// check holds the end of a history against the invariants of the library, and
// against what the same requests give one after another.
func (s *search) check(w *world) {
	kept := w.kept()
	for _, c := range w.clients {
		for _, r := range c.records {
			checkAnswer(w, r)
			checkEvent(w, r)
			checkWrites(w, r, kept)
		}
	}
	checkProofs(w)
	checkRecovery(w, kept)
	for _, v := range kept {
		s.judge(w, v)
	}
	if len(w.violations) == 0 {
		s.checkOrder(w, kept)
	}
}

// kept returns the values from the first to the one that is stored.
func (w *world) kept() (out []*value) {
	for v := w.primary; v != nil; v = v.parent {
		out = append(out, v)
	}
	slices.Reverse(out)
	return out
}

// saw reports whether the Event of r says that a presented value was checked.
func (r *record) saw() bool {
	return slices.ContainsFunc(r.event.Factors, func(f devicetotp.FactorResult) bool {
		return f.Result == devicetotp.ResultValid || f.Result == devicetotp.ResultWrong || f.Result == devicetotp.ResultSpent
	})
}

// proved reports whether r proved f.
func (r *record) proved(f credential.Factor) bool {
	return slices.ContainsFunc(r.event.Factors, func(x devicetotp.FactorResult) bool {
		return x.Factor == f && x.Result == devicetotp.ResultValid
	})
}

// checkAnswer holds I1, I5, and that hanging up after a value was checked makes no
// difference.
func checkAnswer(w *world, r *record) {
	switch {
	case !r.done:
	case r.answer.code == devicetotp.CodeInternal:
		w.violate("an internal error (I5)", "%v: %s", r, r.answer.text)
	case r.answer.code == devicetotp.CodeUnavailable:
		if !r.failed && !r.left {
			w.violate("unavailable without a reason (I1)", "%v: no call failed, and nobody hung up before a value was checked", r)
		}
	case !r.reads && (r.answer.code == "" || r.saw()) && !r.saved && !r.unknown:
		w.violate("an answer before its Save (I1)", "%v was answered %q, and its last Save did not return nil", r, r.answer.text)
	}
}

// checkEvent holds that each answer has one Event, which says the same.
func checkEvent(w *world, r *record) {
	if r.done && (r.events != 1 || r.event.Code != r.answer.code) {
		w.violate("not one Event for an answer", "%v: %d Events, the last with %q, and the answer %q", r, r.events, r.event.Code, r.answer.code)
	}
}

// checkWrites holds that a request takes effect once at most (I4), and one that was
// refused before anything was checked not at all (I3).
func checkWrites(w *world, r *record, kept []*value) {
	changes, decided := 0, 0
	for _, v := range kept[1:] {
		switch {
		case v.by != r:
			continue
		case v.decides():
			decided++
		case w.differs(v):
			w.violate("a save that decides nothing and changes something", "by %v", r)
		}
		if w.differs(v) {
			changes++
		}
	}
	switch {
	case decided > 1:
		w.violate("a request that takes effect twice (I4)", "%v", r)
	case changes > 0 && r.done && r.answer.code != "" && r.answer.code != devicetotp.CodeUnavailable && !r.saw() && !r.unknown:
		w.violate("a refusal that writes (I3)", "%v was answered %q, without a value being checked, and changes the account", r, r.answer.text)
	}
}

// checkAgain holds I4: a request that took effect and is sent again changes nothing,
// whatever happened in between. given is what the requests gave that took effect.
func checkAgain(w *world, kept []*value, given map[*record]answer) {
	if len(w.changes) > 0 {
		return // the same request is another one after a change by the host
	}
	for i, v := range kept[1:] {
		if v.by == nil || v.by.anew || !v.decides() || !w.differs(v) {
			continue
		}
		for _, u := range kept[1 : i+1] {
			if e := u.by; e != nil && e.client == v.by.client && e.n < v.by.n && e.words == v.by.words && u.decides() && given[e].code == "" {
				w.violate("a repetition that is not harmless (I4)", "%v changes the account, although %v took effect", v.by, e)
			}
		}
	}
}

// decides reports whether v is a decision, and not the account saved as it was.
func (v *value) decides() bool { return !slices.Equal(v.state.Writes, v.parent.state.Writes) }

// differs reports whether v changes more than version and write ids.
func (w *world) differs(v *value) bool { return w.dumpOf(v) != w.dumpOf(v.parent) }

// checkProofs holds I2 and the single use of codes: what was presented grants one
// thing, which may be given again. And I7: grace gives no more than its limit.
func checkProofs(w *world) {
	granted := map[string]string{}
	onGrace := map[string]bool{}
	for _, c := range w.clients {
		for _, r := range c.records {
			a := &r.answer
			switch {
			case !r.done || a.granted == "":
				continue
			case a.basis == credential.BasisGrace:
				onGrace[a.granted] = true
			}
			if a.basis != 0 && a.basis != credential.BasisOTP || r.otp == "" {
				continue
			}
			what := a.granted
			if a.basis == 0 {
				what = r.String() // a verification is nothing that could be given again
			}
			if before, there := granted[r.otp]; there && before != what {
				w.violate("one proof for two (I2)", "%s granted both %s and %s", r.otp, before, what)
			}
			granted[r.otp] = what
		}
	}
	if len(onGrace) > w.account.policy.GraceDevices {
		w.violate("more on grace than its limit (I7)", "%d devices", len(onGrace))
	}
}

// checkRecovery holds that the recovery codes that are good are those that were
// given last: the one that none of the requests presents is there.
func checkRecovery(w *world, kept []*value) {
	for _, v := range slices.Backward(kept[1:]) {
		if v.by == nil || v.by.method != "ReplaceRecoveryCodes" || !v.decides() {
			continue
		}
		if codes := v.by.answer.recovery; v.by.done && len(codes) > 0 {
			set := w.primary.state.Recovery
			if has, err := set.Has(w.account.keys, accountID, codes[0]); err != nil || !has {
				w.violate("an answer that is not kept", "the recovery codes of %v are not good: %v", v.by, err)
			}
		}
		return
	}
}
