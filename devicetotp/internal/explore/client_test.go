package explore

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/verifier"
)

// client is a process with an Issuer of its own, and the one who calls it: its
// requests run one after another. It is a coroutine, which stops at each call to
// the store and to the clock. After a crash the next request finds a new process.
type client struct {
	*world
	n       int
	issuer  *devicetotp.Issuer
	resume  func() (point, bool)
	stop    func()
	yield   func(point) bool
	hangUp  context.CancelFunc
	records []*record

	waiting bool // for at, or else all its requests are done
	at      point
	reply   reply
	told    int
	crashed bool // nothing that the request still does reaches anybody
	doubt   bool // no Save of this process has succeeded since one whose outcome is unknown
}

// point is a call at which a client waits.
type point struct {
	call call
	save credential.Account
}

type call uint8

const (
	callClock call = iota + 1
	callLoad
	callSave
)

// reply is what a call returns.
type reply struct {
	now     time.Time
	account credential.Account
	err     error
}

// record is what is known of one request.
type record struct {
	*request
	client, n int
	now       time.Time // its reading of the clock
	answer    answer
	done      bool // answered
	event     devicetotp.Event
	events    int

	loaded  *value // by the last Load
	changes int    // by the host before that
	unknown bool   // and it found no account
	saves   int
	saved   bool // the last Save returned nil
	looked  bool // a presented value was checked
	failed  bool // a call to the store returned an error that is no conflict
	left    bool // the caller hung up before anything was checked
	hungUp  bool
}

func (r *record) String() string {
	if r == nil {
		return "another process"
	}
	return fmt.Sprintf("client %d's request %d (%s)", r.client+1, r.n+1, r.words)
}

func newClient(w *world, n int) *client {
	c := &client{world: w, n: n, told: w.names.of(fact{what: isClient, a: n})}
	c.resume, c.stop = iter.Pull(c.live)
	c.goOn()
	return c
}

// live is the life of the client.
func (c *client) live(yield func(point) bool) {
	c.yield = yield
	for i := range c.scenario.clients[c.n] {
		if c.issuer == nil {
			c.issuer = c.account.newIssuer(c, c, c, c)
		}
		r := &record{request: &c.scenario.clients[c.n][i], client: c.n, n: i}
		c.records = append(c.records, r)
		ctx, cancel := context.WithCancel(context.Background())
		c.hangUp = cancel
		answer := r.do(ctx, c.issuer)
		cancel()
		switch {
		case c.ending:
			return
		case c.crashed:
			c.crashed, c.doubt, c.issuer = false, false, nil
		default:
			r.answer, r.done = answer, true
		}
	}
}

func (c *client) record() *record { return c.records[len(c.records)-1] }

// goOn lets the client run to its next call.
func (c *client) goOn() { c.at, c.waiting = c.resume() }

// hear adds to what the client was told.
func (c *client) hear(what happening, a, b int) {
	c.told = c.names.of(fact{c.told, what, a, b})
}

var errGone = errors.New("the process is gone")

// reach waits at p for the reply.
func (c *client) reach(p point) reply {
	if c.crashed || c.ending || !c.yield(p) || c.crashed {
		return reply{now: c.now, err: errGone}
	}
	return c.reply
}

// Now implements devicetotp.Clock. Where the clock never jumps, the moment makes no
// difference.
func (c *client) Now() time.Time {
	if len(c.jumps) == 0 {
		c.record().now = c.now
		return c.now
	}
	return c.reach(point{call: callClock}).now
}

// Load implements credential.Store.
func (c *client) Load(context.Context, string) (credential.Account, error) {
	r := c.reach(point{call: callLoad})
	return r.account, r.err
}

// Save implements credential.Store.
func (c *client) Save(_ context.Context, a credential.Account) error {
	if err := errors.Join(a.State.Check(), a.CheckNext()); err != nil {
		return err
	}
	return c.reach(point{call: callSave, save: a}).err
}

// NewSecret implements credential.SecretSource.
func (c *client) NewSecret(_ context.Context, size int) (credential.Secret, error) {
	return secretOf(c.n, c.record().n, size), nil
}

// secretOf returns the secret of the device that a request makes.
func secretOf(client, request, size int) credential.Secret {
	text := fmt.Sprintf("client %d request %d %0*d", client, request, size, 0)
	return credential.NewSecret(text[:size])
}

func (c *client) look() {
	if c.crashed || c.ending {
		return
	}
	r := c.record()
	r.looked = true
	if c.doubt && !r.unknown { // without an account, a value is compared with nothing
		c.violate("a value is checked while saves may fail (I1)", "%v", r)
	}
}

func (c *client) observe(e devicetotp.Event) {
	if !c.crashed && !c.ending {
		c.record().event = e
		c.record().events++
	}
}

// reachedSave notes a Save of the current request. A request that checks a value
// without a verifier has done so before it saves a decision.
func (c *client) reachedSave(a *credential.Account) {
	r := c.record()
	r.saves++
	if r.looks && r.loaded != nil && !slices.Equal(a.State.Writes, r.loaded.state.Writes) {
		c.look()
	}
}

// plain compares with a hash that is none: what is explored is not hashing.
func plain(look func()) verifier.Verifier {
	return verifier.Func(func(_ context.Context, q verifier.Query) (verifier.Verdict, error) {
		look()
		if q.Hash.Present() && q.Hash.Reveal() == hashOf(q.Presented.Reveal()) {
			return verifier.Verdict{Status: verifier.StatusValid}, nil
		}
		return verifier.Verdict{Status: verifier.StatusWrong}, nil
	})
}

func hashOf(value string) string { return "hash of " + value }
