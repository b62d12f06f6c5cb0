package explore

import (
	"slices"
	"strconv"
	"time"

	"example.com/devicetotp/credential"
)

// world is one history under way: the store, the clock and the clients.
type world struct {
	*scenario
	names *names

	now              time.Time
	primary, standby *value
	late             []*value // saves that were given up, and may take effect yet
	host             credential.Account
	deleted          bool
	changes          []int // by the host, as indices of scenario.changes
	changed          int   // their name
	used             uint  // of what happens once at most, a bit each
	faults           int   // that are left
	failedOver       bool  // and something was lost
	clients          []*client
	versions         []int64
	violations       []violation
	ending           bool
}

// value is one State as it was saved.
type value struct {
	id      int
	parent  *value // nil for the one that the history starts with
	by      *record
	host    int // changes by the host before
	state   credential.State
	version int64
	base    credential.Account // what a late save compares
}

func newWorld(s *scenario, n *names, faults int) *world {
	w := &world{scenario: s, names: n, now: s.account.start, host: s.account.Account, faults: faults}
	w.primary = &value{state: w.host.State, version: w.host.Version}
	w.host.State = credential.State{}
	w.standby = w.primary
	w.versions = []int64{w.primary.version}
	for i := range s.clients {
		w.clients = append(w.clients, newClient(w, i))
	}
	return w
}

// end ends the clients that are on their way.
func (w *world) end() {
	w.ending = true
	for _, c := range w.clients {
		c.stop()
	}
}

// fits reports whether a save of a would find what it compares.
func (w *world) fits(a *credential.Account) bool {
	return !w.deleted && w.primary.version == a.Version && w.host.SameHostFields(*a)
}

// store makes v what is stored. kept reports that the standby has it too, and
// whatever came before.
func (w *world) store(v *value, kept bool) {
	v.parent, v.host = w.primary, len(w.changes)
	if slices.Contains(w.versions, v.version) {
		w.violate("a version that comes back", "%s saved version %d, which was there before", v.by, v.version)
	}
	w.versions = append(w.versions, v.version)
	w.primary = v
	if kept {
		w.standby = v
	}
}

// dumpOf returns the dump of v, which is made once for all that are equal.
func (w *world) dumpOf(v *value) string {
	dump, made := w.names.dumps[v.id]
	if !made {
		dump = w.account.dump(v.state)
		w.names.dumps[v.id] = dump
	}
	return dump
}

func (w *world) load() credential.Account {
	a := w.host
	a.State, a.Version = w.primary.state.Clone(), w.primary.version
	return a
}

// key names the state of the world. It is all that the rest of the history
// depends on, and all that the checks at its end look at.
func (w *world) key(buf []byte) []byte {
	put := func(n int) { buf = append(strconv.AppendInt(buf, int64(n), 36), ' ') }
	put(w.faults)
	put(int(w.now.Sub(w.account.start)))
	put(int(w.used))
	put(w.changed)
	put(w.primary.id)
	put(w.standby.id)
	if w.failedOver {
		buf = append(buf, '!')
	}
	for _, c := range w.clients {
		put(c.told)
	}
	for _, v := range w.late {
		put(v.id)
	}
	return buf
}
