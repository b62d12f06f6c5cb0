package devicetotp_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/clock"
	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/memstore"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/devicetotptest"
)

// The truth table of Verify: every combination of the device that is named, what
// state devices and account are in, and the code, held against the rules as they
// are written down in verify_rules_test.go. The codes are those of the kit's phones,
// which do not share the library's implementation.

const otpFactor = credential.FactorOTP

// verifyStep is the current time step.
var verifyStep = tableNow.Unix() / 30

// The devices, whose ids requests name. Those with a phone have its secret.
const (
	firstID  = "00000000-0000-4000-8000-00000000000a"
	twinID   = "00000000-0000-4000-8000-0000000000aa" // has the secret of the first, and rests on grace
	secondID = "00000000-0000-4000-8000-00000000000b" // rests on grace
	longID   = "00000000-0000-4000-8000-00000000000c" // has eight digits
	nobodyID = "00000000-0000-4000-8000-00000000000f" // is nobody's
)

var phoneSecrets = map[string]string{
	firstID: "12345678901234567890", twinID: "12345678901234567890", secondID: "abcdefghijklmnopqrst", longID: "ABCDEFGHIJKLMNOPQRST",
}

// verifyRow is one combination.
type verifyRow struct {
	names         string // the device; "" for none
	account       accountState
	otp           failures // the pace of the account
	first, second *deviceState
	twin          bool
	code          *codeState
}

func (r verifyRow) String() string {
	return fmt.Sprintf("names %q, account %s, pace %+v, first %s, second %s, twin %t, code %s", r.names, r.account, r.otp, r.first.name, r.second.name, r.twin, r.code.name)
}

type accountState string

const (
	openAccount    accountState = "open"
	lockedAccount  accountState = "locked"
	unknownAccount accountState = "unknown"
)

var accountStates = []accountState{openAccount, lockedAccount, unknownAccount}

var verifyPaces = []failures{failed(4), {n: 5, since: 10 * time.Second}, {n: 5, since: -time.Minute}, {n: 5, since: -time.Hour - 1}}

// deviceState is what state a device is in.
type deviceState struct {
	name   string
	broken bool
	change func(*deviceFacts)
}

var deviceStates = []*deviceState{
	{name: "open", change: func(*deviceFacts) {}},
	{name: "broken", broken: true, change: func(*deviceFacts) {}},
	{name: "waits", change: func(d *deviceFacts) { d.attempts = failures{n: 7, since: 10 * time.Second} }},
	{name: "used in this step", change: func(d *deviceFacts) { d.step = verifyStep }},
	{name: "waits by a clock ahead", change: func(d *deviceFacts) { d.attempts = failures{n: 5, since: -20 * time.Second} }},
	{name: "failed far ahead", change: func(d *deviceFacts) { d.attempts = failures{n: 5, since: -31 * time.Second} }},
	{name: "stopped, unnamed", change: func(d *deviceFacts) { d.attempts = failed(80) }},
	{name: "waits, named", change: func(d *deviceFacts) { d.named = failures{n: 6, since: 10 * time.Second} }},
	{name: "stopped, named", change: func(d *deviceFacts) { d.attempts, d.named = failed(20), failed(20) }},
	{name: "stopped", change: func(d *deviceFacts) { d.attempts, d.named = failed(100), failures{n: 6} }},
	{name: "has eight digits", change: func(d *deviceFacts) { d.digits = 8 }},
}

// codeState is what is presented.
type codeState struct {
	name              string
	text              string
	phone             string // whose code it is; "" for nobody's
	drift             int
	absent, malformed bool
}

// phone returns whose codes d generates.
func (r verifyRow) phone(d *deviceFacts) string {
	if d.id == twinID {
		return firstID
	}
	return d.id
}

func (r verifyRow) opens(d *deviceFacts) bool {
	return !(d.id == firstID && r.first.broken || d.id == secondID && r.second.broken)
}

// before returns what is stored before the request.
func (r verifyRow) before() facts {
	if r.account == unknownAccount {
		return facts{}
	}
	device := func(id string, digits int) deviceFacts {
		return deviceFacts{id: id, basis: credential.BasisPIN, digits: digits, age: time.Hour, attempts: failed(1), named: failed(2)}
	}
	f := facts{otp: r.otp, devices: []deviceFacts{device(firstID, 6), device(secondID, 6), device(longID, 8)}}
	f.devices[1].basis, f.devices[1].rests = credential.BasisGrace, true
	r.first.change(&f.devices[0])
	r.second.change(&f.devices[1])
	if r.twin {
		twin := device(twinID, 6)
		twin.basis, twin.rests = credential.BasisGrace, true
		twin.step = f.devices[0].step // a step is spent on both
		f.devices = append(f.devices, twin)
	}
	return f
}

// codeStates asks the phones for their codes.
func codeStates(t *testing.T) []*codeState {
	t.Helper()
	w := devicetotptest.New(t)
	w.Clock.Set(tableNow)
	phone := func(id string, digits int) *devicetotptest.Phone {
		return w.Phone(devicetotp.DeviceTOTP{
			ID: id, Secret: secret(phoneSecrets[id]), Digits: digits, Period: 30 * time.Second, Algorithm: credential.AlgorithmSHA1,
		})
	}
	first, second, long := phone(firstID, 6), phone(secondID, 6), phone(longID, 8)
	wrong := wrong6(first, second).Reveal()
	codes := []*codeState{
		{name: "absent", absent: true},
		{name: "empty"},
		{name: "wrong", text: wrong},
		{name: "wrong, of eight digits", text: "99999999"},
		{name: "of five digits", text: "12345"},
		{name: "of other characters", text: "12345x", malformed: true},
		{name: "of the second", text: second.Code().Reveal(), phone: secondID},
		{name: "of the one with eight digits", text: long.Code().Reveal(), phone: longID},
	}
	for drift := -2; drift <= 2; drift++ {
		codes = append(codes, &codeState{name: fmt.Sprintf("of the first, drift %d", drift), text: first.Drifted(drift).Reveal(), phone: firstID, drift: drift})
	}
	seen := map[string]bool{}
	for _, c := range codes {
		require.False(t, seen[c.text] && c.text != "", "two codes are the same by chance: take other secrets")
		seen[c.text] = true
	}
	require.NotContains(t, []string{phone(firstID, 8).Code().Reveal(), phone(secondID, 8).Code().Reveal()}, "99999999")
	return codes
}

func TestVerify_TruthTable(t *testing.T) {
	t.Parallel()
	codes := codeStates(t)
	seconds := deviceStates[:3]
	named := []string{"", firstID, secondID, nobodyID}
	var rows atomic.Int64
	t.Cleanup(func() {
		if t.Failed() { // a row that differs ends its table, and is what must be read
			return
		}
		require.EqualValues(t, len(named)*len(accountStates)*len(verifyPaces)*len(deviceStates)*len(seconds)*2*len(codes), rows.Load())
		require.EqualValues(t, 41_184, rows.Load(), "change this number with the table")
	})
	for _, first := range deviceStates {
		t.Run("first "+first.name, func(t *testing.T) {
			t.Parallel()
			table := newVerifyTable(t)
			for _, second := range seconds {
				for _, twin := range []bool{false, true} {
					for _, account := range accountStates {
						for _, otp := range verifyPaces {
							for _, name := range named {
								for _, code := range codes {
									rows.Add(1)
									table.check(t, verifyRow{name, account, otp, first, second, twin, code})
								}
							}
						}
					}
				}
			}
		})
	}
}

// verifyTable is an Issuer over one account.
type verifyTable struct {
	store  *memstore.Store
	issuer *devicetotp.Issuer
	events []devicetotp.Event
}

func newVerifyTable(t *testing.T) *verifyTable {
	t.Helper()
	b := &verifyTable{store: memstore.New()}
	var err error
	b.issuer, err = devicetotp.NewIssuer(b.store, tableKeys(), devicetotp.Config{
		Clock:    clock.Func(func() time.Time { return tableNow }),
		Observer: func(_ context.Context, e devicetotp.Event) { b.events = append(b.events, e) },
	})
	require.NoError(t, err)
	return b
}

// check carries out one row. Like that of Create, it boxes nothing unless it fails.
func (b *verifyTable) check(t *testing.T, r verifyRow) {
	want := expectVerify(r)
	before, request := r.build()
	if r.account == unknownAccount {
		_, _ = b.store.Delete(t.Context(), before.ID)
	} else if err := b.store.Replace(t.Context(), before); err != nil {
		t.Fatalf("%v: %v", r, err)
	}
	b.events = b.events[:0]
	match, err := b.issuer.Verify(t.Context(), request)
	after, loadErr := b.store.Load(t.Context(), before.ID)

	differs := func(what string, wanted, got any) {
		t.Fatalf("%v\n%s: want %+v\n%s: got  %+v\n(error: %v)", r, what, wanted, what, got, err)
	}
	if got := devicetotp.CodeOf(err); got != want.code {
		differs("code", want.code, got)
	}
	var refusal devicetotp.Error
	if at := (*devicetotp.Error)(nil); errors.As(err, &at) {
		refusal = *at
	}
	switch saved := after.Version != before.Version && loadErr == nil; {
	case match != want.match:
		differs("match", want.match, match)
	case refusal.Field != want.field:
		differs("field", want.field, refusal.Field)
	case refusal.RetryAfter != want.retryAfter:
		differs("retry after", want.retryAfter, refusal.RetryAfter)
	case saved != want.saved:
		differs("saved", want.saved, saved)
	case (loadErr != nil) != (r.account == unknownAccount):
		differs("unknown", r.account, loadErr)
	case len(b.events) != 1:
		differs("number of events", 1, len(b.events))
	}
	want.checkEvent(&b.events[0], differs)
	if stored := factsOf(&after); !sameFacts(want.facts, stored) {
		differs("stored", want.facts, stored)
	}
}

// checkEvent holds what the host is told.
func (e *verifyExpectation) checkEvent(got *devicetotp.Event, differs func(what string, wanted, got any)) {
	switch {
	case got.Code != e.code || got.RetryAfter != e.retryAfter || got.DeviceID != e.deviceID || got.RestsOnGrace != e.restsOnGrace:
		differs("event", *e, *got)
	case !slices.Equal(got.Factors, e.factors):
		differs("event: factors", e.factors, got.Factors)
	case !slices.Equal(unreadableOf(got), e.unreadable):
		differs("event: unreadable", e.unreadable, got.Unreadable)
	case (got.Err != nil) != (e.code == devicetotp.CodeInternal):
		differs("event: cause", e.code, got.Err)
	case got.Op != devicetotp.OpVerify || !got.At.Equal(tableNow) || got.AccountID != "acct" || got.Rounds != 1:
		differs("event", "verify, now, acct, 1 round", *got)
	}
}

// build returns the account and the request of a row.
func (r verifyRow) build() (credential.Account, devicetotp.VerifyRequest) {
	f := r.before()
	a := credential.Account{ID: "acct", Locked: r.account == lockedAccount, Version: 4}
	a.State.OTP = f.otp.attempts(tableNow, "")
	for i := range f.devices {
		a.State.Devices = append(a.State.Devices, r.stored(&f.devices[i]))
	}
	req := devicetotp.VerifyRequest{AccountID: "acct", DeviceID: strings.ToUpper(r.names)}
	if !r.code.absent {
		req.Code = secret(r.code.text)
	}
	return a, req
}

func (r verifyRow) stored(d *deviceFacts) credential.Device {
	out := credential.Device{
		ID: d.id, Basis: d.basis, RestsOnGrace: d.rests, Algorithm: credential.AlgorithmSHA1, Digits: d.digits, Period: 30 * time.Second,
		LastStep: d.step, CreatedAt: tableNow.Add(-d.age), Attempts: d.attempts.attempts(tableNow, ""), Named: d.named.attempts(tableNow, ""),
	}
	if out.Sealed = tableSeal(out, phoneSecrets[d.id]); !r.opens(d) {
		out.Sealed = []byte("broken")
	}
	return out
}
