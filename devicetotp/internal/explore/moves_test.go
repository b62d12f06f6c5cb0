package explore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"example.com/devicetotp/credential"
)

// A move is one step of a history: a client's call returns, or something happens
// beside the clients.
type move struct {
	action action
	who    int8 // the client; -1 for the world
	arg    int8
}

type action uint8

const (
	goOn         action = iota + 1 // the call does what it should
	fail                           // an error, and nothing happened
	conflict                       // a conflict, although nothing changed
	lose                           // applied, and reported as an error
	loseConflict                   // applied, and reported as a conflict
	delay                          // an error, and it may be applied later
	see                            // applied where it can be seen, and not kept
	crashBefore                    // the process ends before the Save
	crashAfter                     // or after it
	hangUp                         // the caller does not wait
	change                         // the host changes the account
	jump                           // the clock jumps
	crowd                          // other processes save
	land                           // a delayed save takes effect
	failOver                       // the standby becomes the primary
)

// The words of each action: for the line that repeats a history, and for people.
var actionWords = map[action][2]string{
	goOn:         {"go", ""},
	fail:         {"fail", "it fails and has no effect"},
	conflict:     {"conflict", "it reports a conflict although nothing changed"},
	lose:         {"lose", "it takes effect and reports an error"},
	loseConflict: {"lose-conflict", "it takes effect and reports a conflict"},
	delay:        {"delay", "it reports an error, and may take effect later"},
	see:          {"see", "it can be seen, is not kept by the standby, and reports an error"},
	crashBefore:  {"crash", "the process ends before it"},
	crashAfter:   {"crash-after", "it takes effect, and the process ends"},
	hangUp:       {"hang-up", "the caller hangs up"},
	change:       {"change", ""},
	jump:         {"jump", ""},
	crowd:        {"crowd", "24 other processes save the account"},
	land:         {"land", "a delayed save takes effect"},
	failOver:     {"fail-over", "the standby becomes the primary"},
}

// foreignWriters are more than the 16 writes that once were remembered, and leave
// room for the clients among the credential.MaxWrites that are.
const foreignWriters = 24

// String is how the line that repeats a history names m.
func (m move) String() string {
	if m.who >= 0 {
		return fmt.Sprintf("%s:%d", actionWords[m.action][0], m.who+1)
	}
	return fmt.Sprintf("%s=%d", actionWords[m.action][0], m.arg)
}

// free reports whether m is no fault: what should happen, what follows from an
// earlier fault, and what others do all the time.
func (m move) free() bool {
	return m.action == goOn || m.action == land || m.action == failOver || m.action == crowd
}

// moves lists what can happen next, in a fixed order. None: the history is over.
func (w *world) moves() (out []move) {
	busy := false
	for _, c := range w.clients {
		if c.waiting {
			busy = true
			out = c.moves(out)
		}
	}
	if busy {
		out = w.beside(out)
	}
	for i, v := range w.late {
		if w.fits(&v.base) {
			out = append(out, move{land, -1, int8(i)})
		}
	}
	if w.primary != w.standby {
		out = append(out, move{action: failOver, who: -1})
	}
	return out
}

// moves lists what the call of a client can do.
func (c *client) moves(out []move) []move {
	add := func(actions ...action) {
		for _, a := range actions {
			out = append(out, move{action: a, who: int8(c.n)})
		}
	}
	add(goOn)
	if c.faults == 0 || c.menu == quiet {
		return out
	}
	switch {
	case c.at.call == callLoad:
		add(fail)
	case c.at.call == callSave && c.fits(&c.at.save):
		add(fail, conflict, lose, loseConflict, delay, see, crashBefore, crashAfter)
	case c.at.call == callSave:
		add(fail, crashBefore)
	}
	if (c.at.call == callSave || c.record().saves > 0) && !c.record().hungUp {
		add(hangUp)
	}
	return out
}

// beside lists what can happen beside the clients, each once in a history.
func (w *world) beside(out []move) []move {
	bit := uint(1)
	once := func(m move) {
		if w.used&bit == 0 && (w.faults > 0 || m.free()) {
			out = append(out, m)
		}
		bit <<= 1
	}
	for i := range w.hostChanges { // also of an account that is gone, where it does nothing
		once(move{change, -1, int8(i)})
	}
	for i := range w.jumps {
		once(move{jump, -1, int8(i)})
	}
	if w.crowded {
		once(move{action: crowd, who: -1})
	}
	return out
}

// play makes the move.
func (w *world) play(m move) {
	w.effect(m)
	switch {
	case m.who < 0:
	case m.action == hangUp:
		w.clients[m.who].hangUp()
	default:
		w.clients[m.who].goOn()
	}
}

// effect makes the move, but for what the client does with its reply.
func (w *world) effect(m move) {
	if !m.free() {
		w.faults--
	}
	switch {
	case m.action == hangUp:
		c := w.clients[m.who]
		r := c.record()
		r.hungUp, r.left = true, !r.looked
		c.hear(hungUp, 0, 0)
	case m.who >= 0:
		w.clients[m.who].effect(m.action)
	default:
		w.happen(m)
	}
}

// peek returns the key of the state after m, without making it: what a client does
// with its reply follows from what it was told.
func (w *world) peek(m move, buf []byte) []byte {
	world := *w
	defer func() { *w = world }()
	if m.who >= 0 {
		c := w.clients[m.who]
		r := c.record()
		client, record := *c, *r
		defer func() { *c, *r = client, record }()
	}
	w.effect(m)
	return w.key(buf)
}

// happen makes a move that is no client's.
func (w *world) happen(m move) {
	switch m.action {
	case change:
		w.used |= 1 << m.arg
		w.changes = append(w.changes, int(m.arg))
		w.changed = w.names.of(fact{w.changed, hostChanged, int(m.arg), 0})
		w.deleted = w.deleted || w.hostChanges[m.arg].apply(&w.host)
	case jump:
		w.used |= 1 << (len(w.hostChanges) + int(m.arg))
		w.now = w.now.Add(w.jumps[m.arg])
	case crowd:
		w.used |= 1 << (len(w.hostChanges) + len(w.jumps))
		w.store(w.foreign(), true)
	case land:
		v := w.late[m.arg]
		w.late = append(w.late[:m.arg:m.arg], w.late[m.arg+1:]...)
		w.store(v, true)
	case failOver:
		w.primary, w.failedOver = w.standby, true
	}
}

// foreign returns what is stored after other processes have saved it.
func (w *world) foreign() *value {
	v := &value{state: w.primary.state.Clone(), version: randomVersion()}
	v.id = w.names.of(fact{w.primary.id, foreignWrote, w.changed, 0})
	for range foreignWriters {
		v.state.MarkWrite(randomWriteID())
	}
	return v
}

var errUnclear = errors.New("the connection was closed")

// effect is what the client's call does, and what it is told.
func (c *client) effect(a action) {
	r := c.record()
	switch c.at.call {
	case callClock:
		r.now, c.reply = c.now, reply{now: c.now}
		c.hear(readClock, int(c.now.Sub(c.account.start)), 0)
	case callLoad:
		c.playLoad(r, a)
	case callSave:
		c.playSave(r, a)
	}
}

func (c *client) playLoad(r *record, a action) {
	switch {
	case a == fail:
		r.failed, c.reply = true, reply{err: errUnclear}
		c.hear(loadFailed, 0, 0)
		return
	case c.deleted:
		c.reply = reply{err: credential.ErrNotFound}
		c.hear(foundNothing, c.primary.id, c.changed)
	default:
		c.reply = reply{account: c.load()}
		c.hear(loaded, c.primary.id, c.changed)
	}
	r.loaded, r.changes, r.unknown = c.primary, len(c.changes), c.deleted
}

func (c *client) playSave(r *record, a action) {
	given := &c.at.save
	c.reachedSave(given)
	v := &value{
		id: c.names.of(fact{c.told, wrote, 0, 0}), by: r, state: given.State.Clone(), version: given.Next, base: *given,
	}
	c.reply = reply{}
	switch a {
	case goOn:
		if !c.fits(given) {
			c.reply.err = credential.ErrConflict
			break
		}
		c.store(v, true)
	case conflict:
		c.reply.err = credential.ErrConflict
	case loseConflict:
		c.store(v, true)
		c.reply.err = credential.ErrConflict
	case fail:
		c.reply.err = errUnclear
	case lose:
		c.store(v, true)
		c.reply.err = errUnclear
	case delay:
		c.late = append(c.late, v)
		c.reply.err = errUnclear
	case see:
		c.store(v, false)
		c.reply.err = context.DeadlineExceeded
	case crashAfter:
		c.store(v, true)
		c.crashed = true
	case crashBefore:
		c.crashed = true
	}
	r.saved = c.reply.err == nil && !c.crashed
	switch {
	case c.crashed:
		c.hear(crashed, 0, 0)
	case r.saved:
		c.hear(saved, 0, 0)
	case errors.Is(c.reply.err, credential.ErrConflict):
		c.hear(conflicted, 0, 0)
	default:
		r.failed, c.doubt = true, true
		c.hear(saveFailed, 0, 0)
	}
	if r.saved {
		c.doubt = false
	}
}

// describe says m in words, before it is made.
func (w *world) describe(m move) string {
	words := actionWords[m.action][1]
	switch m.action {
	case change:
		return "the host " + w.hostChanges[m.arg].words
	case jump:
		return fmt.Sprintf("the clock jumps by %v", w.jumps[m.arg])
	case crowd, failOver:
		return words
	case land:
		return fmt.Sprintf("the delayed save of %v takes effect", w.late[m.arg].by)
	}
	c := w.clients[m.who]
	if m.action == hangUp {
		return fmt.Sprintf("%v: %s", c.record(), words)
	}
	return strings.TrimSuffix(fmt.Sprintf("%v: %s: %s", c.record(), c.pointWords(m.action), words), ": ")
}

func (c *client) pointWords(a action) string {
	switch {
	case c.at.call == callClock:
		return "Clock.Now returns " + c.now.Format(time.TimeOnly)
	case c.at.call == callLoad:
		return "Load"
	case a == goOn && !c.fits(&c.at.save):
		return "Save, which finds a conflict"
	default:
		return "Save"
	}
}
