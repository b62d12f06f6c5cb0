package devicetotp_test

import (
	"fmt"
	"slices"
	"time"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/verifier"
)

// The rows of the truth table of Create: what an account may look like, and what a
// request may present.

// createRow is one combination.
type createRow struct {
	grace         *grace
	place         *place
	otp           *otpState
	password, pin hashState
}

func (r createRow) String() string {
	return fmt.Sprintf("grace %s, %s; otp %s, password %s, pin %s", r.grace.name, r.place.name, r.otp.name, r.password, r.pin)
}

func (r createRow) hash(f credential.Factor) hashState {
	if f == credential.FactorPassword {
		return r.password
	}
	return r.pin
}

func (r createRow) presents(f credential.Factor) bool {
	if f == credential.FactorOTP {
		return !r.otp.absent
	}
	return r.hash(f) != hashAbsent
}

func (r createRow) presentsNothing() bool {
	return r.otp.absent && r.password == hashAbsent && r.pin == hashAbsent
}

// graceOpen: the account is known, it was registered at most five minutes ago, and
// this request may.
func (r createRow) graceOpen() bool {
	return r.grace.open && !r.grace.closedForThis && !r.place.unknown
}

// theOneField names what is presented where it is one value only.
func (r createRow) theOneField() (field string) {
	n := 0
	for f, name := range [...]string{credential.FactorOTP: "OTP", credential.FactorPassword: "Password", credential.FactorPIN: "PIN"} {
		if name != "" && r.presents(credential.Factor(f)) {
			field, n = name, n+1
		}
	}
	if n > 1 {
		return ""
	}
	return field
}

// grace is the state of the grace window.
type grace struct {
	name          string
	age           time.Duration // of the registration
	unknown, open bool
	closedForThis bool // request: NoGrace
	full          bool // as many devices rest on it as may
	issued        int
}

var graces = []*grace{
	{name: "in", age: time.Minute, open: true, issued: 1},
	{name: "at its end", age: fiveMin, open: true, issued: 1},
	{name: "ahead", age: -tolerance, open: true, issued: 1},
	{name: "over", age: fiveMin + 1, issued: 1},
	{name: "too far ahead", age: -tolerance - 1, issued: 1},
	{name: "unknown", unknown: true, issued: 1},
	{name: "closed for this request", age: time.Minute, open: true, closedForThis: true, issued: 1},
	{name: "full", age: time.Minute, open: true, full: true, issued: 1},
	{name: "used up", age: time.Minute, open: true, issued: tableGrace},
}

// retryGraces are those that matter to a retry.
var retryGraces = []*grace{graces[3], graces[6]}

// otpState is what is presented as an OTP, and what its verifier says of it.
type otpState struct {
	name          string
	absent, empty bool
	is            knownOTP
	says          verifier.Status // StatusUndecided for an error
	kind          kind            // of the one-time code that it is
	own           []string        // the devices whose code it is
	reused        bool            // right, and used up
	silent        bool            // the verifier does not say what it compared
	broken        opening
	before        func(*facts) // counters
}

// knownOTP is what a device of the asked id knows of an OTP.
type knownOTP int

const (
	aFreshOTP           knownOTP = iota
	theSameOTP                   // it was created on
	anEarlierOTP                 // an earlier device of the id was created on, 4 minutes ago
	anEarlierOTPLongAgo          // the same, more than 5 minutes ago
)

// opening is what does not open.
type opening int

const (
	everythingOpens opening = iota
	oneIsBroken             // provedID
	nothingOpens
)

// breaks reports whether c does not open.
func (o *otpState) breaks(c candidate) bool {
	return o.broken == nothingOpens || o.broken == oneIsBroken && c.device == provedID
}

func (c candidate) unreadable() unreadableFact {
	u := unreadableFact{factor: credential.FactorOTP, device: c.device}
	if c.device == "" {
		u.kind = kindNames[c.kind]
	}
	return u
}

// rightFor reports whether the OTP is right: not used up, and not a code of the
// device that it would replace.
func (o *otpState) rightFor(p *place) bool {
	return o.says == saysValid && !o.reused && !p.unknown && !slices.Contains(o.own, tableID)
}

// resultFor is what is told of one that is not right.
func (o *otpState) resultFor(p *place) devicetotp.Result {
	if (o.says == saysSpent || o.reused) && !p.unknown {
		return devicetotp.ResultSpent
	}
	return devicetotp.ResultWrong
}

// What the counters of an OTP are before.
func paceBlocked(f *facts)   { f.otp = failures{n: 5} }
func paceAhead(f *facts)     { f.otp = failures{n: 6, since: -time.Minute} }
func paceFarAhead(f *facts)  { f.otp = failures{n: 7, since: -time.Hour - 1} }
func silentStopped(f *facts) { f.kinds[kindSilent] = failed(20) }
func someBlocked(f *facts) {
	f.kinds[kindMailed] = failures{n: 6}
	if d := f.device(provedID); d != nil {
		d.attempts = failures{n: 5}
	}
}

func allBlocked(f *facts) {
	f.kinds[kindMailed], f.kinds[kindSMS] = failures{n: 6}, failed(20)
	for i := range f.devices {
		f.devices[i].attempts = failed(80)
	}
	if d := f.device(provedID); d != nil {
		d.attempts = failures{n: 7, since: 10 * time.Second}
	}
}

const (
	saysValid     = verifier.StatusValid
	saysWrong     = verifier.StatusWrong
	saysSpent     = verifier.StatusSpent
	saysUndecided = verifier.StatusUndecided
)

var otpStates = []*otpState{
	{name: "absent", absent: true},
	{name: "empty", empty: true},
	{name: "code", says: saysValid, kind: kindMailed},
	{name: "code of a proved device", says: saysValid, own: []string{provedID}},
	{name: "code of a resting device", says: saysValid, own: []string{restingID}},
	{name: "code of both", says: saysValid, own: []string{provedID, restingID}},
	{name: "right, silent", says: saysValid, silent: true},
	{name: "code of a proved device, silent", says: saysValid, silent: true, own: []string{provedID}},
	{name: "wrong", says: saysWrong},
	{name: "wrong, silent", says: saysWrong, silent: true},
	{name: "spent", says: saysSpent, kind: kindMailed},
	{name: "reused, silent", says: saysValid, silent: true, reused: true},
	{name: "code of a spent step, silent", says: saysValid, silent: true, reused: true, own: []string{usedID}},
	{name: "too soon", says: saysValid, before: paceBlocked},
	{name: "too soon by a clock ahead", says: saysValid, before: paceAhead},
	{name: "wrong, after a failure far ahead", says: saysWrong, before: paceFarAhead},
	{name: "wrong, some blocked", says: saysWrong, before: someBlocked},
	{name: "code, some blocked", says: saysValid, kind: kindSMS, before: someBlocked},
	{name: "all blocked", says: saysValid, before: allBlocked},
	{name: "verifier stopped", says: saysValid, silent: true, before: silentStopped},
	{name: "undecided", says: saysUndecided},
	{name: "wrong, one broken", says: saysWrong, broken: oneIsBroken},
	{name: "code, one broken", says: saysValid, kind: kindMailed, broken: oneIsBroken},
	{name: "nothing opens", says: saysWrong, broken: nothingOpens},
}

// retryOTPs are presented with an id that is taken.
var retryOTPs = append(slices.Clone(otpStates),
	&otpState{name: "code of the asked device", says: saysValid, own: []string{tableID}},
	&otpState{name: "the same", is: theSameOTP, says: saysSpent, kind: kindMailed},
	&otpState{name: "the same, too soon", is: theSameOTP, says: saysSpent, kind: kindMailed, before: paceBlocked},
	&otpState{name: "the same, all blocked", is: theSameOTP, says: saysSpent, kind: kindMailed, before: allBlocked},
	&otpState{name: "earlier", is: anEarlierOTP, says: saysSpent, kind: kindMailed},
	&otpState{name: "earlier, too soon", is: anEarlierOTP, says: saysSpent, kind: kindMailed, before: paceBlocked},
	&otpState{name: "earlier, long ago", is: anEarlierOTPLongAgo, says: saysSpent, kind: kindMailed},
)

// hashState is what is presented as a password or PIN, and what its verifier says.
type hashState string

const (
	hashAbsent    hashState = "absent"
	hashValid     hashState = "valid"
	hashWrong     hashState = "wrong"
	hashSpent     hashState = "spent" // of a verifier of the host's own
	hashEmpty     hashState = "empty"
	hashUnset     hashState = "unset"
	hashBlocked   hashState = "blocked"
	hashAhead     hashState = "blocked by a clock ahead"
	hashUndecided hashState = "undecided"
	hashBroken    hashState = "broken" // the stored hash
)

var (
	passwordStates = []hashState{hashAbsent, hashValid, hashWrong, hashEmpty, hashBlocked, hashUndecided, hashBroken}
	pinStates      = []hashState{hashAbsent, hashValid, hashUnset, hashSpent, hashBlocked, hashAhead, hashBroken}
	retryStates    = []hashState{hashAbsent, hashValid, hashWrong, hashBlocked, hashBroken}
)
