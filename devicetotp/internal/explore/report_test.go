package explore

import (
	"fmt"
	"strings"
)

// report is what is printed of a violation: its kind, the shortest history with
// the fewest faults move by move, what is stored at its end, and how to repeat it.
func (s *search) report() string {
	if found := s.shortest(); found != nil {
		s.violation = found
	}
	v := s.violation
	var b strings.Builder
	fmt.Fprintf(&b, "VIOLATION: %s\n%s\n\n%s", v.kind, v.detail, s.tell(v.history))
	fmt.Fprintf(&b, "\nRepeat it with\n\tgo test ./devicetotp/internal/explore -run TestHistory -history %q\n", s.line(v.history))
	return b.String()
}

// line is what TestHistory takes.
func (s *search) line(history []move) string {
	words := []string{s.name}
	for _, m := range history {
		words = append(words, m.String())
	}
	return strings.Join(words, " ")
}

// tell runs the history and says what happens, move by move.
func (s *search) tell(history []move) string {
	w := newWorld(s.scenario, s.names, len(history))
	defer w.end()
	var b strings.Builder
	fmt.Fprintf(&b, "%s, a history of %d moves:\n", s.name, len(history))
	told := map[*record]bool{}
	for i, m := range history {
		fmt.Fprintf(&b, "%3d. %s\n", i+1, w.describe(m))
		w.play(m)
		for _, c := range w.clients {
			for _, r := range c.records {
				if r.done && !told[r] {
					told[r] = true
					fmt.Fprintf(&b, "     %v is answered: %s\n", r, r.answer.text)
				}
			}
		}
	}
	fmt.Fprintf(&b, "Stored at the end (account locked: %t, deleted: %t):\n\t%v\n", w.host.Locked, w.deleted, s.account.canonical(w.primary.state))
	return b.String()
}

// shortest returns the violation with the fewest faults and then the shortest
// history: all histories, the short ones first.
func (s *search) shortest() *violation {
	for faults := range s.faults + 1 {
		seen := map[string]bool{}
		queue := [][]move{nil}
		for len(queue) > 0 {
			history := queue[0]
			queue = queue[1:]
			next, found := s.look(history, faults, seen)
			if found != nil {
				return found
			}
			for _, m := range next {
				queue = append(queue, append(history[:len(history):len(history)], m))
			}
		}
	}
	return nil
}

// look runs one history, and returns how it can go on if it is new.
func (s *search) look(history []move, faults int, seen map[string]bool) ([]move, *violation) {
	w := newWorld(s.scenario, s.names, faults)
	defer w.end()
	for _, m := range history {
		w.play(m)
	}
	key := string(w.key(nil))
	if seen[key] {
		return nil, nil
	}
	seen[key] = true
	next := w.moves()
	if len(next) == 0 {
		s.check(w)
	}
	if len(w.violations) == 0 {
		return next, nil
	}
	found := w.violations[0]
	found.history = history
	return nil, &found
}

// parse reads the moves of a line.
func (s *search) parse(words []string) (history []move, err error) {
	w := newWorld(s.scenario, s.names, len(words))
	defer w.end()
	for _, word := range words {
		found := false
		for _, m := range w.moves() {
			if m.String() == word {
				history, found = append(history, m), true
				w.play(m)
				break
			}
		}
		if !found {
			return history, fmt.Errorf("move %d, %q, is none that can be made here: %v", len(history)+1, word, w.moves())
		}
	}
	return history, nil
}
