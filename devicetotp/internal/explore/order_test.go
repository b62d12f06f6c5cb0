package explore

import "example.com/devicetotp/devicetotp"

// checkOrder holds that answers and final state are those of an order of whole
// requests, as the library itself gives them: the order in which their decisions
// were stored. A request that stored none stands where it last loaded the account.
func (s *search) checkOrder(w *world, kept []*value) {
	at := s.reference.first
	changes := 0 // by the host, so far
	place := map[spot]*stage{}
	given := map[*record]answer{}
	for i, v := range kept {
		if i > 0 && v.by != nil && v.decides() {
			o := s.reference.request(at, v.by)
			at, given[v.by] = o.after, o.answer
		}
		until := len(w.changes)
		if i+1 < len(kept) {
			until = kept[i+1].host
		}
		place[spot{v, changes}] = at
		for ; changes < until; changes++ {
			at = s.reference.change(at, w.changes[changes])
			place[spot{v, changes + 1}] = at
		}
	}
	checkAgain(w, kept, given)
	if !at.deleted && at.dump != w.dumpOf(w.primary) {
		w.violate("no order of whole requests", "what is stored is not what they store in the order of their saves, which is\n\t%v", s.account.canonical(at.account.State))
	}
	for _, c := range w.clients {
		for _, r := range c.records {
			s.checkGiven(w, r, given, place)
		}
	}
}

// spot is a moment in a history: a stored value, and a number of changes by the
// host.
type spot struct {
	value   *value
	changes int
}

// checkGiven holds that r was answered as in that order.
func (s *search) checkGiven(w *world, r *record, given map[*record]answer, place map[spot]*stage) {
	if !r.done || r.answer.code == devicetotp.CodeUnavailable {
		return
	}
	want, stored := given[r]
	if !stored || r.unknown { // the host may delete the account behind a save
		at, there := place[spot{r.loaded, r.changes}]
		if !there {
			s.checkLost(w, r)
			return
		}
		o := s.reference.request(at, r)
		if want = o.answer; o.after.dump != at.dump {
			w.violate("an answer that is not kept", "%v was answered %q, and what it stands on is not stored", r, r.answer.text)
			return
		}
	}
	if want.text != r.answer.text {
		w.violate("no order of whole requests", "%v was answered\n\t%s\nand in the order of the saves it is\n\t%s", r, r.answer.text, want.text)
	}
}

// checkLost holds that only what saves nothing may stand on what a fail-over lost.
func (s *search) checkLost(w *world, r *record) {
	if !w.failedOver || !r.reads && !r.unknown && (r.answer.code == "" || r.saw()) {
		w.violate("an answer that is not kept", "%v was answered %q, and what it stands on is not stored", r, r.answer.text)
	}
}
