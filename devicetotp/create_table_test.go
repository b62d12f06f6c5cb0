package devicetotp_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/clock"
	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/memstore"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/verifier"
)

// The truth table of Create: every combination of the grace window, what each
// factor presents and what the account looks like, held against the rules as they
// are written down in create_rules_test.go.

var tableNow = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

func TestCreate_TruthTable(t *testing.T) {
	t.Parallel()
	retries := retryPlaces()
	var rows atomic.Int64
	t.Cleanup(func() {
		if t.Failed() { // a row that differs ends its table, and is what must be read
			return
		}
		fresh := len(graces) * len(newPlaces) * len(otpStates) * len(passwordStates) * len(pinStates)
		again := len(retryGraces) * len(retries) * len(retryOTPs) * len(retryStates) * len(retryStates)
		require.EqualValues(t, fresh+again, rows.Load())
		require.EqualValues(t, 199_858, rows.Load(), "change this number with the table")
	})
	for _, p := range newPlaces {
		runPlace(t, p, &rows, graces, otpStates, passwordStates, pinStates)
	}
	for _, p := range retries {
		runPlace(t, p, &rows, retryGraces, retryOTPs, retryStates, retryStates)
	}
}

func runPlace(t *testing.T, p *place, rows *atomic.Int64, graces []*grace, otps []*otpState, passwords, pins []hashState) {
	t.Run(p.name, func(t *testing.T) {
		t.Parallel()
		table := newCreateTable(t)
		for _, g := range graces {
			for _, otp := range otps {
				for _, password := range passwords {
					for _, pin := range pins {
						rows.Add(1)
						table.check(t, createRow{g, p, otp, password, pin})
					}
				}
			}
		}
	})
}

// createTable is an Issuer whose verifiers say what the row says.
type createTable struct {
	store  *memstore.Store
	issuer *devicetotp.Issuer
	row    createRow
	asked  []credential.Factor
	events []devicetotp.Event
}

func newCreateTable(t *testing.T) *createTable {
	t.Helper()
	policy := devicetotp.DefaultPolicy()
	policy.MaxDevices, policy.GraceDevices = tableRoom, tableGrace
	policy.OTPKinds = []string{verifier.KindAccount, "sms", verifier.KindDeviceTOTP}
	b := &createTable{store: memstore.New()}
	var err error
	b.issuer, err = devicetotp.NewIssuer(b.store, tableKeys(), devicetotp.Config{
		Clock: clock.Func(func() time.Time { return tableNow }), Policy: &policy,
		Secrets: sourceFunc(func(context.Context, int) (credential.Secret, error) { return b.newSecret() }),
		OTP:     verifier.Func(func(_ context.Context, q verifier.Query) (verifier.Verdict, error) { return b.verifyOTP(&q) }),
		Password: verifier.Func(func(_ context.Context, q verifier.Query) (verifier.Verdict, error) {
			return b.verifyHash(credential.FactorPassword, &q)
		}),
		PIN: verifier.Func(func(_ context.Context, q verifier.Query) (verifier.Verdict, error) {
			return b.verifyHash(credential.FactorPIN, &q)
		}),
		Observer: func(_ context.Context, e devicetotp.Event) { b.events = append(b.events, e) },
	})
	require.NoError(t, err)
	return b
}

const (
	freshSecret  = "a fresh secret of 20"
	storedSecret = "12345678901234567890"
)

func (b *createTable) newSecret() (credential.Secret, error) {
	if b.row.place.noSecret {
		return credential.Secret{}, errHost
	}
	return secret(freshSecret), nil
}

var errUndecided = errors.New("the verifier has no answer")

func (b *createTable) verifyHash(f credential.Factor, q *verifier.Query) (verifier.Verdict, error) {
	b.asked = append(b.asked, f)
	switch b.row.hash(f) {
	case hashValid:
		return verifier.Verdict{Status: verifier.StatusValid}, nil
	case hashSpent:
		return verifier.Verdict{Status: verifier.StatusSpent}, nil
	case hashUndecided:
		return verifier.Verdict{}, errUndecided
	case hashBroken:
		if q.Hash.Present() {
			return verifier.Verdict{}, fmt.Errorf("stored hash: %w", verifier.ErrHash)
		}
	}
	return verifier.Verdict{Status: verifier.StatusWrong}, nil
}

// verifyOTP compares like the verifier of the library, or says nothing of what it
// compared, like one of the host's own.
func (b *createTable) verifyOTP(q *verifier.Query) (verifier.Verdict, error) {
	b.asked = append(b.asked, credential.FactorOTP)
	o := b.row.otp
	v := verifier.Verdict{Status: verifier.StatusWrong, ProofID: tableProof, Until: tableNow.Add(time.Minute)}
	switch {
	case o.says == saysUndecided:
		return verifier.Verdict{}, errUndecided
	case o.silent:
		v.Status = o.says
		if o.reused && o.own == nil {
			v.ProofID = "reused"
		}
		if o.own != nil {
			v.DeviceID, v.Step = o.own[0], tableStep
		}
		return v, nil
	}
	v.Compared = []verifier.Compared{}
	broken := 0
	for _, d := range q.Devices {
		if d.Digits != codeDigits {
			continue
		}
		c := verifier.Compared{DeviceID: d.ID}
		switch {
		case o.breaks(candidate{device: d.ID}):
			c.Err, broken = credential.ErrTampered, broken+1
		case slices.Contains(o.own, d.ID):
			c.Right, c.Match = true, verifier.DeviceMatch{DeviceID: d.ID, Step: tableStep}
			if v.Status != verifier.StatusValid {
				v.Status, v.DeviceID, v.Step = verifier.StatusValid, d.ID, tableStep
			}
		}
		v.Compared = append(v.Compared, c)
	}
	for _, code := range q.Codes {
		if code.Withdrawn || !tableNow.Before(code.ExpiresAt) {
			continue
		}
		c := verifier.Compared{CodeID: code.ID, Kind: code.Kind}
		switch is := o.kind != kindNone && kindNames[o.kind] == code.Kind; {
		case o.breaks(candidate{}):
			c.Err, broken = credential.ErrMissingKey, broken+1
		case is && o.says == saysValid:
			c.Right, v.Status = true, verifier.StatusValid
		case is && o.says == saysSpent:
			c.Spent, v.Status = true, verifier.StatusSpent
		}
		v.Compared = append(v.Compared, c)
	}
	if broken > 0 && broken == len(v.Compared) {
		return v, credential.ErrTampered
	}
	return v, nil
}

// check carries out one row. It calls no t.Helper and boxes nothing unless it
// fails: the table would take twice as long.
func (b *createTable) check(t *testing.T, r createRow) {
	want := expectCreate(r)
	before, request := r.account()
	if r.place.unknown {
		_, _ = b.store.Delete(t.Context(), before.ID)
	} else if err := b.store.Replace(t.Context(), before); err != nil {
		t.Fatalf("%v: %v", r, err)
	}
	b.row, b.asked, b.events = r, nil, b.events[:0]
	device, err := b.issuer.Create(t.Context(), request)
	after, loadErr := b.store.Load(t.Context(), before.ID)

	differs := func(what string, wanted, got any) {
		t.Fatalf("%v\n%s: want %+v\n%s: got  %+v\n(error: %v)", r, what, wanted, what, got, err)
	}
	if got := answered(device, err); got != want.answer() {
		differs("answer", want.answer(), got)
	}
	if !slices.Equal(want.asked, b.asked) {
		differs("verifiers asked", want.asked, b.asked)
	}
	if saved := after.Version != before.Version && loadErr == nil; saved != want.saved {
		differs("saved", want.saved, saved)
	}
	if len(b.events) != 1 {
		differs("number of events", 1, len(b.events))
	}
	want.checkEvent(&b.events[0], differs)
	if (loadErr != nil) != r.place.unknown {
		differs("unknown", r.place.unknown, loadErr)
	}
	if stored := factsOf(&after); !sameFacts(want.facts, stored) && !r.place.unknown {
		differs("stored", want.facts, stored)
	}
	if len(after.State.Codes) != len(before.State.Codes) && !r.place.unknown {
		differs("codes", before.State.Codes, after.State.Codes)
	}
}

// checkEvent holds what the host is told.
func (e *createExpectation) checkEvent(got *devicetotp.Event, differs func(what string, wanted, got any)) {
	told := answer{code: got.Code, retryAfter: got.RetryAfter, basis: got.Basis, replayed: got.Replayed, replaced: got.Replaced}
	if !got.CreatedAt.IsZero() {
		told.createdAt = tableNow.Sub(got.CreatedAt)
	}
	want := e.answer()
	want.field, want.secret = "", ""
	switch {
	case told != want:
		differs("event", want, told)
	case got.RestsOnGrace != e.restsOnGrace:
		differs("event: rests on grace", e.restsOnGrace, got.RestsOnGrace)
	case !slices.Equal(got.Factors, e.factors):
		differs("event: factors", e.factors, got.Factors)
	case !slices.Equal(got.Evicted, e.evicted):
		differs("event: evicted", e.evicted, got.Evicted)
	case !slices.Equal(unreadableOf(got), e.unreadable):
		differs("event: unreadable", e.unreadable, got.Unreadable)
	case (got.Err != nil) != (e.code == devicetotp.CodeInternal):
		differs("event: cause", e.code, got.Err)
	case got.Op != devicetotp.OpCreate || !got.At.Equal(tableNow) || got.AccountID != "acct" || got.DeviceID != tableID || got.Rounds != 1:
		differs("event", "create, now, acct, "+tableID+", 1 round", *got)
	}
}

// answer is what the caller gets.
type answer struct {
	code               devicetotp.Code
	field              string
	retryAfter         time.Duration
	basis              credential.Basis
	replayed, replaced bool
	secret             string
	createdAt          time.Duration // ago
}

func (e *createExpectation) answer() answer {
	a := answer{code: e.code, field: e.field, retryAfter: e.retryAfter, basis: e.basis, replayed: e.replayed, replaced: e.replaced}
	switch {
	case e.replayed:
		a.secret, a.createdAt = storedSecret, e.device(tableID).age
	case e.basis != 0:
		a.secret = freshSecret
	}
	return a
}

func answered(d devicetotp.DeviceTOTP, err error) answer {
	a := answer{code: devicetotp.CodeOf(err), basis: d.Basis, replayed: d.Replayed, replaced: d.Replaced, secret: d.Secret.Reveal()}
	if err == nil {
		a.createdAt = tableNow.Sub(d.CreatedAt)
	}
	var refusal *devicetotp.Error
	if errors.As(err, &refusal) {
		a.field, a.retryAfter = refusal.Field, refusal.RetryAfter
	}
	return a
}

func unreadableOf(e *devicetotp.Event) (out []unreadableFact) {
	for _, u := range e.Unreadable {
		out = append(out, unreadableFact{factor: u.Factor, device: u.DeviceID, kind: u.Kind})
	}
	return out
}
