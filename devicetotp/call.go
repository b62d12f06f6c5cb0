package devicetotp

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"time"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp/internal/deadline"
	totperrors "example.com/devicetotp/errors"
	"example.com/devicetotp/verifier"
)

// call is one request to the Issuer on its way.
type call struct {
	issuer    *Issuer
	ctx       context.Context
	op        Op
	accountID string
	deviceID  string // asked for or made up; "" for none
	now       time.Time
	rounds    int
	looked    bool                // a credential has been looked at: hanging up no longer helps
	looking   time.Duration       // time spent with verifiers and the secret source
	deadlines [4]deadline.Context // of a request that is decided once: load, secret, look, save
	deadlined int                 // how many of them are taken

	authenticatedAt time.Time // as the caller says
}

// outcome is what a request comes to.
type outcome struct {
	event  Event
	err    error
	device DeviceTOTP
	match  Match
	rehash *staleHash
}

// perform does what every operation has in common: it contains panics, reads
// the clock once, and tells the Observer.
func (i *Issuer) perform(ctx context.Context, op Op, accountID string, body func(*call) outcome) outcome {
	c := &call{issuer: i, ctx: ctx, op: op, accountID: accountID}
	out := c.contained(body)
	out.event.Op, out.event.At, out.event.AccountID, out.event.Rounds = op, c.now, accountID, c.rounds
	out.event.DeviceID, out.event.AuthenticatedAt = cmp.Or(out.event.DeviceID, c.deviceID), c.authenticatedAt
	out.event.Code = CodeOf(out.err)
	if out.err != nil {
		out.event.refused(out.err)
	}
	i.observe(ctx, &out.event)
	return out
}

// refused tells what the error tells.
func (e *Event) refused(err error) {
	var refusal *Error
	if errors.As(err, &refusal) {
		e.RetryAfter, e.Err = refusal.RetryAfter, refusal.Err
	}
}

// contained runs body; a panic in it is an internal error.
func (c *call) contained(body func(*call) outcome) (out outcome) {
	var err error
	defer func() {
		if err != nil {
			out = refused(c.internal(err))
		}
	}()
	defer contain("the Issuer", &err)
	return body(c)
}

// refused is the outcome of an error.
func refused(err error) outcome { return outcome{err: err} }

func (i *Issuer) observe(ctx context.Context, e *Event) {
	if i.observer == nil {
		return
	}
	var err error // of an Observer that panics: there is nobody left to tell
	defer contain("Observer", &err)
	i.observer(ctx, *e)
}

// begin checks what no request can do without, and reads the clock.
func (c *call) begin() error {
	switch {
	case c.issuer.store == nil:
		return c.internal(errors.New("the Issuer was not made by NewIssuer"))
	case c.accountID == "":
		return c.internal(errors.New("AccountID is empty: the caller was not authenticated"))
	}
	now, err := c.readClock()
	if err != nil {
		return c.internal(err)
	}
	if now.Unix() <= 0 {
		return c.internal(fmt.Errorf("the Clock says %v", now))
	}
	c.now = now.Round(0) // without the monotonic reading, which a store would not keep
	return c.expired()
}

func (c *call) readClock() (now time.Time, err error) {
	defer contain("Clock", &err)
	return c.issuer.clock.Now(), nil
}

// expired tells that the caller's time ran out, as long as no credential has
// been looked at.
func (c *call) expired() error {
	if err := c.ctx.Err(); err != nil && !c.looked {
		return c.unavailable(err)
	}
	return nil
}

// bounded is the context for a verifier or the secret source. Until a credential
// has been looked at the caller's own time counts too.
func (c *call) bounded(now time.Time) *deadline.Context {
	return c.until(c.looked, now.Add(c.issuer.limits.VerifierTimeout))
}

// detached is the context for the store: not the caller's to cancel, and with a
// deadline of its own.
func (c *call) detached(now time.Time) *deadline.Context {
	return c.until(true, now.Add(c.issuer.limits.StoreTimeout))
}

// until makes a context for one call to the host's code, which may keep it
// for longer, so it is never used again.
func (c *call) until(detached bool, at time.Time) *deadline.Context {
	var d *deadline.Context
	if c.deadlined < len(c.deadlines) {
		d = &c.deadlines[c.deadlined]
		c.deadlined++
	} else {
		d = &deadline.Context{}
	}
	d.Start(c.ctx, detached, at)
	return d
}

// looks counts the time since started as spent with a verifier or the source.
func (c *call) looks(started time.Time) { c.looking += time.Since(started) }

func (c *call) fail(code Code, field string, retryAfter time.Duration) error {
	return &Error{Op: c.op, Code: code, Field: field, RetryAfter: retryAfter}
}

func (c *call) internal(cause error) error {
	return &Error{Op: c.op, Code: totperrors.CodeInternal, Err: cause}
}

// unavailableRetry is the RetryAfter of an unavailable answer.
const unavailableRetry = time.Second

func (c *call) unavailable(cause error) error {
	return &Error{Op: c.op, Code: totperrors.CodeUnavailable, RetryAfter: unavailableRetry, Err: cause}
}

// collaborator turns what a verifier or the secret source said into an error:
// unavailable if it was busy or out of time, internal otherwise.
func (c *call) collaborator(what string, err error) error {
	err = fmt.Errorf("%s: %w", what, err)
	if errors.Is(err, verifier.ErrBusy) || isContextError(err) {
		return c.unavailable(err)
	}
	return c.internal(err)
}

// storeFailure does the same for the store.
func (c *call) storeFailure(what string, err error) error {
	err = fmt.Errorf("%s: %w", what, err)
	var p *panicError
	if errors.Is(err, credential.ErrStateFormat) || errors.Is(err, credential.ErrStateSize) ||
		errors.Is(err, errNonsense) || errors.As(err, &p) {
		return c.internal(err)
	}
	return c.unavailable(err)
}

func isContextError(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// errNonsense says that a collaborator answered what it must not.
var errNonsense = errors.New("broken contract")

// panicError is a contained panic. It tells where and of which type, but not the
// value, which may hold anything, unless the runtime itself made it.
type panicError struct{ text string }

func (e *panicError) Error() string { return e.text }

// contain is deferred around code of the host's: it turns a panic into an error.
func contain(what string, err *error) {
	if r := recover(); r != nil {
		*err = &panicError{text: describePanic(what, r)}
	}
}

func describePanic(what string, r any) string {
	text := fmt.Sprintf("%s panicked with a %T", what, r)
	if e, ok := r.(runtime.Error); ok {
		text = fmt.Sprintf("%s panicked: %v", what, e)
	}
	// Past the frames of recovering and of the runtime is where it happened.
	pcs := make([]uintptr, 32)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs)])
	for {
		frame, more := frames.Next()
		if frame.Function != "" && !strings.HasPrefix(frame.Function, "runtime.") {
			return fmt.Sprintf("%s in %s, line %d", text, frame.Function, frame.Line)
		}
		if !more {
			return text
		}
	}
}
