package devicetotp

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"time"

	"example.com/devicetotp/credential"
	totperrors "example.com/devicetotp/errors"
	"example.com/devicetotp/verifier"
)

// call is one request to the Issuer on its way.
type call struct {
	issuer    *Issuer
	ctx       context.Context
	op        string
	accountID string
	now       time.Time
	rounds    int
	looked    bool          // a credential has been looked at: hanging up no longer helps
	looking   time.Duration // time spent with verifiers and the secret source
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
func (i *Issuer) perform(ctx context.Context, op, accountID string, body func(*call) outcome) outcome {
	c := &call{issuer: i, ctx: ctx, op: op, accountID: accountID}
	out, err := guard(op, func() (outcome, error) { return body(c), nil })
	if err != nil {
		out = c.broken(err)
	}
	out.event.Op, out.event.At, out.event.AccountID, out.event.Rounds = op, c.now, accountID, c.rounds
	out.event.Code = CodeOf(out.err)
	var e *Error
	if errors.As(out.err, &e) {
		out.event.RetryAfter, out.event.Err = e.RetryAfter, e.Err
	}
	if i.observer != nil {
		_, _ = guard("Observer", func() (struct{}, error) { i.observer(ctx, out.event); return struct{}{}, nil })
	}
	return out
}

// begin checks what no request can do without, and reads the clock.
func (c *call) begin() error {
	switch {
	case c.issuer.store == nil:
		return c.internal(errors.New("the Issuer was not made by NewIssuer"))
	case c.accountID == "":
		return c.internal(errors.New("AccountID is empty: the caller was not authenticated"))
	}
	now, err := guard("Clock", func() (time.Time, error) { return c.issuer.clock.Now(), nil })
	if err != nil {
		return c.internal(err)
	}
	if now.Unix() <= 0 {
		return c.internal(fmt.Errorf("the Clock says %v", now))
	}
	c.now = now.Round(0) // without the monotonic reading, which a store would not keep
	return c.expired()
}

// expired tells that the caller's time ran out, as long as no credential has
// been looked at.
func (c *call) expired() error {
	if err := c.ctx.Err(); err != nil && !c.looked {
		return c.unavailable(err)
	}
	return nil
}

// timed runs a verifier or the secret source within its time. Until a
// credential has been looked at the caller's own time counts too.
func timed[T any](c *call, what string, f func(context.Context) (T, error)) (T, error) {
	ctx := c.ctx
	if c.looked {
		ctx = context.WithoutCancel(ctx)
	}
	ctx, cancel := context.WithTimeout(ctx, c.issuer.policy.VerifierTimeout)
	defer cancel()
	started := time.Now()
	defer func() { c.looking += time.Since(started) }()
	return guard(what, func() (T, error) { return f(ctx) })
}

// detached is a context for the store: not the caller's to cancel, and with a
// deadline of its own.
func (c *call) detached() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(c.ctx), c.issuer.policy.StoreTimeout)
}

func (c *call) fail(code Code, field string, retryAfter time.Duration) error {
	return &Error{Op: c.op, Code: code, Field: field, RetryAfter: retryAfter}
}

func (c *call) internal(cause error) error {
	return &Error{Op: c.op, Code: totperrors.Internal, Err: cause}
}

// unavailableRetry is the RetryAfter of an unavailable answer.
const unavailableRetry = time.Second

func (c *call) unavailable(cause error) error {
	return &Error{Op: c.op, Code: totperrors.Unavailable, RetryAfter: unavailableRetry, Err: cause}
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

func (c *call) broken(err error) outcome { return outcome{err: c.internal(err)} }

// errNonsense says that a collaborator answered what it must not.
var errNonsense = errors.New("broken contract")

// panicError is a contained panic. It tells where and of which type, but not the
// value, which may hold anything, unless the runtime itself made it.
type panicError struct{ text string }

func (e *panicError) Error() string { return e.text }

// guard runs f, which may be a host's code, and turns a panic into an error.
func guard[T any](what string, f func() (T, error)) (result T, err error) {
	defer func() {
		if r := recover(); r != nil {
			var none T
			result, err = none, &panicError{text: describePanic(what, r)}
		}
	}()
	return f()
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
