package explore

import (
	"fmt"
	"slices"
)

// search runs every history of a scenario with up to a number of faults.
type search struct {
	*scenario
	faults    int
	unmerged  bool // visit equal states again, to prove the merging
	checks    bool // compare the states that are merged
	names     *names
	reference *reference
	judged    map[int]*judgement // of each stored value

	totals map[string]uint64 // histories from a state on
	dumps  map[string]string
	ends   map[string]uint64 // if not nil: how often each end is reached

	histories uint64
	executed  int
	violation *violation
}

func newSearch(given *scenario, faults int) *search {
	sc, home := *given, *given.account // searches run beside each other
	sc.account, home.values = &home, slices.Clone(home.values)
	for _, requests := range sc.clients {
		for _, r := range requests {
			if r.otp != "" && !slices.Contains(home.values, r.otp) {
				home.values = append(home.values, r.otp)
			}
		}
	}
	return &search{
		scenario: &sc, faults: faults, names: newNames(), reference: newReference(&sc), judged: map[int]*judgement{},
		totals: map[string]uint64{}, dumps: map[string]string{},
	}
}

// frame is a state on the way to the one that is looked at.
type frame struct {
	key   string
	moves []move
	after []string // the keys of the states after them
	at    int      // the move that is taken
	total uint64   // of the moves before it
}

// run searches until every history is covered, or one violates something.
func (s *search) run() {
	var path []frame
	for {
		total := s.extend(&path)
		s.executed++
		if s.violation != nil {
			return
		}
		for {
			if len(path) == 0 {
				s.histories = total
				return
			}
			top := &path[len(path)-1]
			top.total += total
			top.at++
			if s.skip(top); top.at < len(top.moves) {
				break
			}
			total = top.total
			if !s.unmerged {
				s.totals[top.key] = total
			}
			path = path[:len(path)-1]
		}
	}
}

// skip adds up the moves to states that are known, up to the first that is not.
func (s *search) skip(f *frame) {
	if s.unmerged || s.checks {
		return
	}
	for ; f.at < len(f.moves); f.at++ {
		total, known := s.totals[f.after[f.at]]
		if !known {
			return
		}
		f.total += total
	}
}

// extend runs the history of path from the start, and on with the first move at
// each new state, to its end or to a state that is known. It returns how many
// histories there are from there on that path does not count.
func (s *search) extend(path *[]frame) uint64 {
	w := newWorld(s.scenario, s.names, s.faults)
	defer w.end()
	for i := range *path {
		f := &(*path)[i]
		w.play(f.moves[f.at])
	}
	var buf [128]byte
	for {
		if len(w.violations) > 0 {
			s.fail(w, *path)
			return 0
		}
		f := frame{key: string(w.key(buf[:0])), moves: w.moves()}
		s.compare(w, f.key)
		if total, known := s.totals[f.key]; known {
			return total
		}
		if len(f.moves) == 0 {
			s.finish(w, *path)
			if !s.unmerged {
				s.totals[f.key] = 1
			}
			return 1
		}
		for _, m := range f.moves {
			f.after = append(f.after, string(w.peek(m, buf[:0])))
		}
		s.skip(&f)
		*path = append(*path, f)
		if f.at == len(f.moves) {
			return 0
		}
		w.play(f.moves[f.at])
	}
}

// finish checks the end of a history.
func (s *search) finish(w *world, path []frame) {
	s.check(w)
	if s.ends != nil {
		s.ends[s.endOf(w)]++
	}
	s.fail(w, path)
}

func (s *search) fail(w *world, path []frame) {
	if len(w.violations) == 0 {
		return
	}
	s.violation = &w.violations[0]
	s.violation.history = nil
	for _, f := range path {
		s.violation.history = append(s.violation.history, f.moves[f.at])
	}
}

// compare holds, if it is asked to, that states of one key are equal.
func (s *search) compare(w *world, key string) {
	if !s.checks {
		return
	}
	dump := s.stateOf(w)
	if known, there := s.dumps[key]; there && known != dump {
		panic(fmt.Sprintf("two states of one key:\n%s\n%s", known, dump))
	}
	s.dumps[key] = dump
}

// stateOf describes all of the state of w, without random numbers.
func (s *search) stateOf(w *world) string {
	out := fmt.Sprintf("%v %v %v %d %q %q", w.now, w.changes, w.deleted, w.faults,
		s.account.dump(w.primary.state), s.account.dump(w.standby.state))
	for _, v := range w.late {
		out += fmt.Sprintf(" late %q", s.account.dump(v.state))
	}
	for _, c := range w.clients {
		out += fmt.Sprintf(" client %t %d %d", c.waiting, c.at.call, len(c.records))
		if c.at.call == callSave && c.waiting {
			out += fmt.Sprintf(" saves %q, fits %t", s.account.dump(c.at.save.State), w.fits(&c.at.save))
		}
		for _, r := range c.records {
			out += fmt.Sprintf(" %v %t %s %t %t %t %t", r.now, r.done, r.answer.text, r.saved, r.looked, r.failed, r.left)
		}
	}
	return out
}

// endOf describes the end of a history: what was answered and what is stored.
func (s *search) endOf(w *world) string {
	out := fmt.Sprintf("%v %t %q", w.changes, w.deleted, s.account.dump(w.primary.state))
	for _, c := range w.clients {
		for _, r := range c.records {
			out += fmt.Sprintf(" %t %s", r.done, r.answer.text)
		}
	}
	return out
}
