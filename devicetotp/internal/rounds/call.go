package rounds

import (
	"context"
	"errors"
	"fmt"
	"time"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp/internal/deadline"
	totperrors "example.com/devicetotp/errors"
	"example.com/devicetotp/verifier"
)

// A Call is one request on its way. Start it before anything else.
type Call struct {
	// Now is the one reading of the clock, taken when the request's turn has
	// come; zero before.
	Now time.Time
	// Known reports whether the store knows the account. If it does not,
	// nothing is saved.
	Known bool
	// Rounds is how often the request was decided.
	Rounds int
	// ReadOnly is set by an operation that only reads: it does not wait for other
	// requests, and nothing is saved.
	ReadOnly bool

	engine    *Engine
	ctx       context.Context
	op        totperrors.Op
	accountID string
	started   time.Time

	looked     bool          // a credential has been checked: hanging up no longer helps
	visited    time.Duration // time spent with verifiers and the secret source
	firstRound time.Duration
	entropy    [8]byte
	futile     int                 // conflicts in a row although nothing had changed
	deadlines  [4]deadline.Context // of a request that is decided once: load, secret, check, save
	deadlined  int                 // how many of them are taken
}

// Start makes c a request of e, which is nil if the Issuer was not made by
// NewIssuer.
func (c *Call) Start(ctx context.Context, e *Engine, op totperrors.Op, accountID string) {
	c.ctx, c.engine, c.op, c.accountID, c.started = ctx, e, op, accountID, time.Now()
}

// Elapsed returns how long ago the request was started.
func (c *Call) Elapsed() time.Duration { return time.Since(c.started) }

// Looked notes that a credential has been checked: from now on, the caller's
// hanging up no longer ends the request.
func (c *Call) Looked() { c.looked = true }

// enter waits for the request's turn, and begins it.
func (c *Call) enter() error {
	if !c.ReadOnly {
		if err := c.engine.lanes.enter(c.ctx, c.accountID); err != nil {
			return c.Unavailable(err)
		}
	}
	if err := c.begin(); err != nil {
		c.leave()
		return err
	}
	return nil
}

func (c *Call) leave() {
	if !c.ReadOnly {
		c.engine.lanes.leave(c.accountID)
	}
}

// Check checks what no request can do without. Call it before Run.
func (c *Call) Check() error {
	switch {
	case c.engine == nil:
		return c.Internal(errors.New("the Issuer was not made by NewIssuer"))
	case c.accountID == "":
		return c.Internal(errors.New("AccountID is empty; authenticate the caller before calling the Issuer"))
	case c.ctx == nil:
		return c.Internal(errors.New("the context is nil"))
	}
	return nil
}

// begin reads the clock, unless the caller's time has run out.
func (c *Call) begin() error {
	now, err := c.readClock()
	if err != nil {
		return c.Internal(err)
	}
	if now.Unix() <= 0 {
		return c.Internal(fmt.Errorf("Clock.Now returned %v, which is not after 1970", now))
	}
	c.Now = now.Round(0) // without the monotonic reading, which a store would not keep
	return c.expired()
}

func (c *Call) readClock() (now time.Time, err error) {
	defer Contain("Clock", &err)
	return c.engine.clock.Now(), nil
}

// expired reports that the caller's time ran out, as long as no credential has
// been checked.
func (c *Call) expired() error {
	if err := c.ctx.Err(); err != nil && !c.looked {
		return c.Unavailable(err)
	}
	return nil
}

// load returns the account as the store has it now.
func (c *Call) load(now time.Time) (a credential.Account, err error) {
	a, err = c.callLoad(now)
	for try := 1; errors.Is(err, credential.ErrSerialization) && try < maxLoads; try++ {
		c.pause(jitter(time.Millisecond, try))
		a, err = c.callLoad(time.Now())
	}
	switch {
	case errors.Is(err, credential.ErrNotFound):
		c.Known = false
		return credential.Account{ID: c.accountID}, nil
	case err == nil && a.ID != c.accountID:
		err = fmt.Errorf("%w: the account has another ID than the one asked for", ErrNonsense)
	case err == nil && a.Version < 0:
		err = fmt.Errorf("%w: version %d", ErrNonsense, a.Version)
	}
	if err != nil {
		return credential.Account{}, c.storeFailure("Store.Load", err)
	}
	c.Known = true
	return a, nil
}

// maxLoads is how often the account is loaded while the database asks to try
// again.
const maxLoads = 8

func (c *Call) callLoad(now time.Time) (a credential.Account, err error) {
	ctx := c.until(true, now.Add(c.engine.limits.StoreTimeout))
	defer ctx.End()
	defer Contain("Store.Load", &err)
	return c.engine.store.Load(ctx, c.accountID)
}

// save saves the account under a new version.
func (c *Call) save(a *credential.Account) error {
	a.Next = c.newVersion()
	err := c.callSave(a)
	if err == nil {
		c.engine.doubts.settle(c.accountID)
	} else if unclear(err) {
		c.engine.doubts.add(c.accountID)
	}
	return err
}

func (c *Call) callSave(a *credential.Account) (err error) {
	ctx := c.until(true, time.Now().Add(c.engine.limits.StoreTimeout))
	defer ctx.End()
	defer Contain("Store.Save", &err)
	if err := c.engine.store.Save(ctx, *a); err != nil {
		return err
	}
	return ctx.Err() // a Save that outlasts its time may be one whose wait for a standby was cancelled
}

// reload loads the account again after a Save that returned saveErr. If it is unknown
// whether this request took effect, an account that cannot be loaded is unavailable,
// whatever the reason.
func (c *Call) reload(a *credential.Account, saveErr error, unknown bool) error {
	now, err := c.load(time.Now())
	switch {
	case err != nil && !unknown && totperrors.CodeOf(err) == totperrors.CodeInternal:
		return c.Internal(errors.Join(saveErr, err))
	case err != nil:
		return c.Unavailable(errors.Join(saveErr, err))
	}
	if errors.Is(saveErr, credential.ErrConflict) && now.Version == a.Version && now.SameHostFields(*a) {
		c.futile++
	} else {
		c.futile = 0
	}
	*a = now
	if c.futile == maxFutile {
		return c.Internal(fmt.Errorf("%w: Store.Save reported a conflict %d times although Store.Load returned the same account: version %d, RegisteredAt %v, Locked %t; "+
			"one of the fields that Save compares (Version, RegisteredAt, PasswordHash, PINHash, Locked) does not come back as it was stored: %w",
			ErrNonsense, maxFutile, a.Version, a.RegisteredAt, a.Locked, saveErr))
	}
	return nil
}

// maxFutile is how many conflicts in a row are no race if nothing changed: the
// store does not give back what it compares.
const maxFutile = 3

// unsettled reports whether an earlier Save of the account, by any request, has
// an unknown outcome and none has succeeded since. Nothing is checked then before
// one has: whoever can read the database but not write it would learn from the
// time of an uncounted refusal which value was right.
func (c *Call) unsettled() bool {
	return c.Known && !c.ReadOnly && c.engine.doubts.about(c.accountID)
}

// until returns the context for one call to the host's code, which may keep it
// for longer, so it is never used again.
func (c *Call) until(detached bool, at time.Time) *deadline.Context {
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

// A Visit is one call to a collaborator of the host other than the store: a
// verifier, the secret source. It is the context for that call: until a
// credential has been checked, the caller's own time counts too.
type Visit struct {
	*deadline.Context
	call    *Call
	started time.Time
}

// Visit begins a visit. Defer its End.
func (c *Call) Visit() Visit {
	now := time.Now()
	return Visit{c.until(c.looked, now.Add(c.engine.limits.VerifierTimeout)), c, now}
}

// End is deferred around a visit to what: it contains a panic there, and turns
// an error into that of the request: unavailable if the collaborator was busy or
// out of time, internal otherwise.
func (v Visit) End(what string, err *error) {
	if r := recover(); r != nil {
		*err = v.call.Internal(panicked(what, r))
	} else if *err != nil {
		*err = v.call.collaborator(what, *err)
	}
	v.Context.End()
	v.call.visited += time.Since(v.started)
}

// pause waits; until a credential has been checked, the caller can end it by
// hanging up.
func (c *Call) pause(d time.Duration) {
	ctx := c.ctx
	if c.looked {
		ctx = context.WithoutCancel(ctx)
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// ErrNonsense says that a collaborator answered what it must not.
var ErrNonsense = errors.New("broken contract")

// Fail returns the error of a refusal.
func (c *Call) Fail(code totperrors.Code, field string, retryAfter time.Duration) error {
	return &totperrors.Error{Op: c.op, Code: code, Field: field, RetryAfter: retryAfter}
}

// Argument returns the error of a value that can never be right.
func (c *Call) Argument(field string, cause error) error {
	return &totperrors.Error{Op: c.op, Code: totperrors.CodeInvalidArgument, Field: field, Err: cause}
}

// Internal returns the error of a fault.
func (c *Call) Internal(cause error) error {
	return &totperrors.Error{Op: c.op, Code: totperrors.CodeInternal, Err: cause}
}

// unavailableRetry is the RetryAfter of an unavailable error.
const unavailableRetry = time.Second

// Unavailable returns the error of a request that is worth retrying.
func (c *Call) Unavailable(cause error) error {
	return &totperrors.Error{Op: c.op, Code: totperrors.CodeUnavailable, RetryAfter: unavailableRetry, Err: cause}
}

func (c *Call) collaborator(what string, err error) error {
	err = fmt.Errorf("%s: %w", what, err)
	if errors.Is(err, verifier.ErrBusy) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return c.Unavailable(err)
	}
	return c.Internal(err)
}

// storeFailure is the same for the store, which is unavailable unless it is
// broken.
func (c *Call) storeFailure(what string, err error) error {
	err = fmt.Errorf("%s: %w", what, err)
	var p *panicError
	if errors.Is(err, credential.ErrStateFormat) || errors.Is(err, credential.ErrStateSize) ||
		errors.Is(err, ErrNonsense) || errors.As(err, &p) {
		return c.Internal(err)
	}
	return c.Unavailable(err)
}
