package credential

import "slices"

// A WriteID marks one save of a State, so that a save whose outcome was reported
// wrongly or not at all is recognised afterwards. The first eight bytes name the
// writer, which is one Issuer, and the others the save.
//
// A State remembers the last save of each of the last [MaxWrites] writers. That
// is enough: within one Issuer the requests of an account take turns, so that
// after a save no other request of the same writer saves before the first has
// loaded the account again. Its id is pushed out only if MaxWrites other
// processes have saved the same account between that save and that load, which
// no number of requests to fewer processes can do.
//
// WriteID, [State.MarkWrite] and [State.Wrote] are for this module's own packages.
type WriteID [16]byte

// sameWriter reports whether both ids are of one writer.
func (id WriteID) sameWriter(other WriteID) bool {
	return [8]byte(id[:8]) == [8]byte(other[:8])
}

// MarkWrite remembers id as the newest save, in place of the last one of the same
// writer; beyond [MaxWrites] writers the oldest is forgotten. A State that shares
// its slices with s stays as it is.
func (s *State) MarkWrite(id WriteID) {
	writes := make([]WriteID, 0, len(s.Writes)+1)
	for _, w := range s.Writes {
		if !w.sameWriter(id) {
			writes = append(writes, w)
		}
	}
	writes = append(writes, id)
	s.Writes = writes[max(0, len(writes)-MaxWrites):]
}

// Wrote reports whether s remembers that save.
func (s State) Wrote(id WriteID) bool { return slices.Contains(s.Writes, id) }
