package devicetotp_test

import (
	"slices"
	"time"

	"example.com/devicetotp/credential"
)

// What the truth tables know of an account. The tables state what is stored after
// a request in these terms, and share no code with what is tested.

// failures is a counter: how many in a row, and how long ago the last one was.
// Negative is ahead of now.
type failures struct {
	n     int
	since time.Duration
}

// longAgo is a time after which no failure makes anybody wait.
const longAgo = 3 * time.Hour

func failed(n int) failures { return failures{n: n, since: longAgo} }

// pace says how failures in a row slow down and stop: 30 s from the fifth on,
// doubling up to the longest wait.
type pace struct {
	longest time.Duration
	stops   int // 0 for never
}

var (
	ofOTP      = pace{longest: time.Hour}
	ofUnnamed  = pace{longest: 30 * time.Second, stops: 80}
	ofNamed    = pace{longest: time.Hour, stops: 20}
	ofKind     = pace{longest: time.Hour, stops: 20}
	ofPassword = pace{longest: time.Hour, stops: 100}
	ofPIN      = pace{longest: time.Hour, stops: 10}
)

// wait: a failure that is ahead of now is read as now; further ahead than the
// longest wait, it is no wait. Where only the host can unblock there is none.
func (p pace) wait(f failures) (wait time.Duration, blocked bool) {
	if p.stops > 0 && f.n >= p.stops {
		return 0, true
	}
	if f.n < 5 || f.since < -p.longest {
		return 0, false
	}
	wait = p.longest
	if doublings := f.n - 5; doublings < 8 {
		wait = min(wait, 30*time.Second<<doublings)
	}
	wait -= max(0, f.since)
	return max(0, wait), wait > 0
}

// fail: one more, at the later of the two times. One that is too far ahead to be
// true is not kept.
func (p pace) fail(f failures) failures {
	if f.since < -p.longest {
		f.since = 0
	}
	return failures{n: min(f.n+1, 100), since: min(0, f.since)}
}

// shortestOf returns the shortest wait that ends.
func shortestOf(waits []time.Duration) (shortest time.Duration) {
	for _, w := range waits {
		if w > 0 && (shortest == 0 || w < shortest) {
			shortest = w
		}
	}
	return shortest
}

func (f failures) attempts(now time.Time, against string) credential.Attempts {
	if f == (failures{}) {
		return credential.Attempts{}
	}
	return credential.Attempts{Failures: f.n, LastAt: now.Add(-f.since), Against: against}
}

func failuresOf(a credential.Attempts, now time.Time) failures {
	f := failures{n: a.Failures}
	if !a.LastAt.IsZero() {
		f.since = now.Sub(a.LastAt)
	}
	return f
}

// deviceFacts is a device.
type deviceFacts struct {
	id              string
	basis           credential.Basis
	rests           bool // on grace
	madeBy          string
	digits          int
	step            int64 // 0 for never used
	age             time.Duration
	attempts, named failures
	digest          bool   // keeps that of an OTP
	replaced        string // ages of the earlier devices of this id whose OTPs it keeps
}

// makesRoom: never used, older than a day, and not imported; for a device that
// rests on grace only one that does too.
func (d *deviceFacts) makesRoom(rests bool) bool {
	return d.step == 0 && d.basis != credential.BasisImported && d.age > aDay && (d.rests || !rests)
}

// kind is a kind of one-time code.
type kind int

const (
	kindNone   kind = iota
	kindMailed      // verifier.KindAccount
	kindSMS
	kindSilent // of a verifier that does not say what it compared
)

// facts is what is stored of an account.
type facts struct {
	devices            []deviceFacts // oldest first
	otp, password, pin failures
	kinds              [kindSilent + 1]failures
	pendingKinds       []kind // of which a one-time code is pending
	spent              []string
	issued             int // on grace itself
}

// device returns the device of that id; nil if there is none.
func (f *facts) device(id string) *deviceFacts {
	if i := slices.IndexFunc(f.devices, func(d deviceFacts) bool { return d.id == id }); i >= 0 {
		return &f.devices[i]
	}
	return nil
}

// room reports whether another device fits, in the place of never-used ones if it
// must be.
func (f *facts) room(rests bool) bool {
	stay := 0
	for i := range f.devices {
		if !f.devices[i].makesRoom(rests) {
			stay++
		}
	}
	return stay < tableRoom
}

// resting returns how many devices rest on grace.
func (f *facts) resting() (n int) {
	for i := range f.devices {
		if f.devices[i].rests {
			n++
		}
	}
	return n
}

// hash returns the counter of a factor and its pace.
func (f *facts) hash(factor credential.Factor) (pace, *failures) {
	switch factor {
	case credential.FactorOTP:
		return ofOTP, &f.otp
	case credential.FactorPassword:
		return ofPassword, &f.password
	default:
		return ofPIN, &f.pin
	}
}

// sameFacts reports whether the same is stored.
func sameFacts(a, b facts) bool {
	return slices.Equal(a.devices, b.devices) && a.otp == b.otp && a.password == b.password && a.pin == b.pin &&
		a.kinds == b.kinds && slices.Equal(a.spent, b.spent) && a.issued == b.issued
}

// candidate is what an OTP may be compared with: a device, or the pending one-time
// code of a kind.
type candidate struct {
	device string
	kind   kind
}

// unreadableFact is a stored value that does not open.
type unreadableFact struct {
	factor       credential.Factor
	device, kind string
}
