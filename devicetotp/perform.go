package devicetotp

import (
	"cmp"
	"context"
	"errors"
	"time"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp/internal/rounds"
	totperrors "example.com/devicetotp/errors"
)

// answer is the result of an operation: what the caller gets, and what the
// Observer receives. The rule of the operation fills it, and it leaves only after
// the save that records it.
type answer[T any] struct {
	value T
	event Event
	err   error
}

// operation is one request to the Issuer.
type operation[T any] interface {
	// common returns what every operation has in common.
	common() *call
	// check checks the form of the request, before any I/O.
	check() error
	// decide decides on the account and changes it. save reports whether the
	// account must be saved before the answer may leave.
	decide(a *credential.Account) (out answer[T], save bool)
}

// call is what every operation has in common.
type call struct {
	rounds.Call
	issuer    *Issuer
	ctx       context.Context
	op        Op
	accountID string
	deviceID  string // asked for or made up; "" for none

	authenticatedAt time.Time // as the caller says
}

func (c *call) common() *call { return c }

// start makes c a request to i.
func (c *call) start(ctx context.Context, i *Issuer, op Op, accountID string) {
	c.ctx, c.issuer, c.op, c.accountID = ctx, i, op, accountID
	c.Start(ctx, i.engine, op, accountID)
}

// perform does what every operation has in common: it contains panics, checks
// the form of the request, decides in rounds, and calls the Observer.
func perform[T any](o operation[T]) (value T, err error) {
	c := o.common()
	var event Event
	defer func() { c.observe(&event, err) }()
	defer c.Contain(&err)
	malformed := o.check()
	if err := cmp.Or(c.Check(), malformed); err != nil {
		return value, err
	}
	out, err := rounds.Run(&c.Call, o.decide)
	if err != nil {
		return value, err
	}
	event = out.event
	return out.value, out.err
}

// observe completes the Event and calls the Observer.
func (c *call) observe(e *Event, err error) {
	if c.issuer.observer == nil {
		return
	}
	e.Op, e.At, e.AccountID, e.Rounds, e.Duration = c.op, c.Now, c.accountID, c.Rounds, c.Elapsed()
	e.DeviceID, e.AuthenticatedAt = cmp.Or(e.DeviceID, c.deviceID), c.authenticatedAt
	e.Code = CodeOf(err)
	var refusal *Error
	if errors.As(err, &refusal) {
		e.RetryAfter, e.Err = refusal.RetryAfter, refusal.Err
	}
	var panicked error // in an Observer: nobody is left to report it to
	defer rounds.Contain("Observer", &panicked)
	c.issuer.observer(c.ctx, *e)
}

// managed refuses the accounts that the host cannot manage through the Issuer:
// unknown and locked ones.
func (c *call) managed(a *credential.Account) error {
	switch {
	case !c.Known:
		return c.Argument(totperrors.FieldAccountID, credential.ErrNotFound)
	case a.Locked:
		return c.Fail(CodeAccountLocked, "", 0)
	default:
		return nil
	}
}
