package devicetotp_test

import (
	"slices"
	"time"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
)

// The rules of Create, stated once more and apart from the code, for the truth
// table. They stand beside the sentences of the published API description:
//
//	A device TOTP token is created within 5 minutes of registration without PIN,
//	password or an user OTP or it is created using either PIN, password or an
//	user OTP. In case the PIN, password or OTP is invalid 403 is returned. If
//	multiple values are provided first the OTP is checked, then the password,
//	then the PIN. In case the one of the provided values is correct, a TOTP will
//	be created.

// The numbers of the table.
const (
	tableRoom  = 8 // devices that fit
	tableGrace = 3 // devices that may rest on grace
	tolerance  = 30 * time.Second
	fiveMin    = 5 * time.Minute // the grace window, and the retry window
	aDay       = 24 * time.Hour  // after which a never-used device makes room
	codeDigits = 6               // of the OTP that is presented
)

// createExpectation is the answer that a row must get, what the host must be told,
// and what must be stored afterwards.
type createExpectation struct {
	facts
	saved bool

	code               devicetotp.Code
	field              string
	retryAfter         time.Duration
	basis              credential.Basis // of the device given; 0 for none
	replayed, replaced bool

	restsOnGrace bool
	factors      []devicetotp.FactorResult
	unreadable   []unreadableFact
	evicted      []string
	asked        []credential.Factor // whose verifiers are called

	waits    []time.Duration // of the blocked factors
	compared bool            // something was
	differs  bool            // the OTP was compared with the digest of another
}

// expectCreate states the rules in their order. A request that presents nothing
// could rest on nothing but grace, so that there is room for it only in the place
// of a device that rests on grace.
func expectCreate(r createRow) createExpectation {
	e := createExpectation{facts: r.before()}
	place := r.place
	asked := e.device(tableID)
	switch {
	case place.locked:
		e.refuse(devicetotp.CodeAccountLocked, "")
	case asked != nil:
		e.takenID(r, asked)
	case !e.room(r.presentsNothing()) || place.noProofRoom:
		e.refuse(devicetotp.CodeDeviceLimitReached, "")
	case r.presentsNothing() && r.graceOpen() && e.issued < tableGrace && e.resting() < tableGrace:
		if place.noSecret {
			e.refuse(devicetotp.CodeInternal, "")
		} else {
			e.grant(r, credential.BasisGrace)
		}
	case r.presentsNothing():
		e.refuse(devicetotp.CodeCredentialsRequired, "")
	case place.noSecret: // before anything is looked at, so that it does not tell what is right
		e.refuse(devicetotp.CodeInternal, "")
	default:
		e.precedence(r)
	}
	if place.unknown { // there is nothing to save
		e.facts, e.saved = facts{}, false
	}
	return e
}

// precedence: "If multiple values are provided first the OTP is checked, then the
// password, then the PIN. In case the one of the provided values is correct, a
// TOTP will be created." The first right one grants, and the rest is not looked
// at. A right code that rests on grace, where no more may, is spent and grants
// nothing: the rest decides.
func (e *createExpectation) precedence(r createRow) {
	beyondGrace := false
	for _, f := range []credential.Factor{credential.FactorOTP, credential.FactorPassword, credential.FactorPIN} {
		if !r.presents(f) {
			continue
		}
		switch e.look(r, f) {
		case devicetotp.ResultValid:
			if f == credential.FactorOTP && e.codeRests(r.otp) && (e.resting() >= tableGrace || !e.room(true)) {
				e.spendOTP(r.otp)
				if beyondGrace = true; e.room(false) {
					continue
				}
				e.refuse(devicetotp.CodeDeviceLimitReached, "")
				return
			}
			e.grant(r, credential.BasisOf(f))
			return
		case devicetotp.ResultUndecided:
			if !e.isBroken(r, f) { // the verifier has no answer: neither has the request
				e.refuse(devicetotp.CodeInternal, "")
				return
			}
		}
	}
	if beyondGrace {
		e.refuse(devicetotp.CodeDeviceLimitReached, "")
	} else {
		e.nothingRight(r)
	}
}

// nothingRight: "In case the PIN, password or OTP is invalid 403 is returned." What
// does not open takes down only itself: it is a fault only where nothing could be
// compared. Where everything is blocked, the shortest wait is named.
func (e *createExpectation) nothingRight(r createRow) {
	switch {
	case e.compared:
		e.refuse(devicetotp.CodeInvalidCredentials, r.theOneField())
	case len(e.waits) < len(e.factors):
		e.refuse(devicetotp.CodeInternal, "")
	default:
		e.refuse(devicetotp.CodeTooManyAttempts, "")
		e.retryAfter = shortestOf(e.waits)
	}
}

// takenID is the retry rule. The device is given again if it was never used, was
// created at most five minutes ago, and the request presents what it was created
// on. It is replaced on an OTP that is good now. In every other case its id is in
// use, and nothing is looked at.
func (e *createExpectation) takenID(r createRow, d *deviceFacts) {
	recent := d.age >= -tolerance && d.age <= fiveMin
	createdOn := map[credential.Basis]credential.Factor{credential.BasisPassword: credential.FactorPassword, credential.BasisPIN: credential.FactorPIN}[d.basis]
	switch {
	case d.step > 0 || d.basis == credential.BasisImported:
		e.inUse()
	case d.basis == credential.BasisOTP && r.presents(credential.FactorOTP):
		e.retryOTP(r, d, recent)
	case recent && createdOn != 0 && r.presents(createdOn): // only that is looked at
		if e.only(r, createdOn) == devicetotp.ResultValid {
			e.again(r, d)
		}
	case recent && d.basis == credential.BasisGrace && r.presentsNothing() && !r.grace.closedForThis:
		e.again(r, d)
	case r.presents(credential.FactorOTP):
		e.replace(r, d)
	default:
		e.inUse()
	}
}

// retryOTP: the same code, compared with the digest kept on the device. One that
// made an earlier device of this id is recognized. One that differs and grants
// nothing is one wrong OTP, whatever else is in its way, and one failure that names
// the device. A right code that rests on grace is that failure too. The pace of the
// account and that of the device must both allow it.
func (e *createExpectation) retryOTP(r createRow, d *deviceFacts, recent bool) {
	same := r.otp.is == theSameOTP && !r.place.digestBroken
	wait, paced := ofOTP.wait(e.otp)
	named, stopped := ofNamed.wait(d.named)
	if wait = max(wait, named); stopped && named == 0 {
		wait = 0 // which only the host ends
	}
	switch {
	case paced || stopped:
		e.blocked(credential.FactorOTP, wait)
		e.nothingRight(r)
	case r.otp.is == anEarlierOTP:
		e.recognized()
	case same && !recent:
		e.recognized()
	case same:
		e.saved = true
		e.note(credential.FactorOTP, devicetotp.ResultValid)
		e.again(r, d)
	default:
		e.differs = !r.place.digestBroken
		e.replace(r, d)
	}
}

// replace: a never-used device is replaced by one on an OTP that is good now and
// is not a code of that device: new secret, time and basis in the same place. A
// request that rests on grace replaces only a device that does too.
func (e *createExpectation) replace(r createRow, d *deviceFacts) {
	if r.place.noProofRoom || r.place.noSecret { // before it is looked at
		if e.differs {
			e.wrong(credential.FactorOTP)
		}
		e.refuse(devicetotp.CodeDeviceLimitReached, "")
		if r.place.noSecret {
			e.refuse(devicetotp.CodeInternal, "")
		}
		return
	}
	if e.only(r, credential.FactorOTP) != devicetotp.ResultValid {
		return
	}
	if e.codeRests(r.otp) && !d.rests {
		e.countGuess()
		e.spendOTP(r.otp)
		e.inUse()
		return
	}
	fresh := e.newDevice(r, credential.BasisOTP)
	fresh.replaced = remembered(d)
	e.spendOTP(r.otp)
	*d = fresh
	e.give(&fresh)
	e.replaced = true
}

// only looks at one factor.
func (e *createExpectation) only(r createRow, f credential.Factor) devicetotp.Result {
	result := e.look(r, f)
	switch {
	case result == devicetotp.ResultUndecided && !e.isBroken(r, f):
		e.refuse(devicetotp.CodeInternal, "")
	case result != devicetotp.ResultValid:
		e.nothingRight(r)
	}
	return result
}

// again gives the device as it is: nothing changes, and it is saved.
func (e *createExpectation) again(r createRow, d *deviceFacts) {
	if r.place.sealBroken {
		e.refuse(devicetotp.CodeInternal, "")
		return
	}
	e.give(d)
	e.replayed = true
}

// recognized: the OTP is known and used up, which is no guess.
func (e *createExpectation) recognized() {
	e.saved = true
	e.note(credential.FactorOTP, devicetotp.ResultSpent)
	e.inUse()
}

func (e *createExpectation) inUse() { e.refuse(devicetotp.CodeIDInUse, "DeviceID") }

func (e *createExpectation) refuse(code devicetotp.Code, field string) { e.code, e.field = code, field }

// grant: a device with its basis and proof, in a place of its own or in that of
// devices that were never used.
func (e *createExpectation) grant(r createRow, basis credential.Basis) {
	d := e.newDevice(r, basis)
	e.makeRoom(d.rests, d.madeBy)
	switch basis {
	case credential.BasisGrace:
		e.issued++
	case credential.BasisOTP:
		e.spendOTP(r.otp)
	case credential.BasisPassword:
		e.password = failures{}
	case credential.BasisPIN:
		e.pin = failures{}
	}
	if i := len(e.factors) - 1; i >= 0 {
		e.factors[i].Failures = 0 // what succeeded resets what it proved
	}
	e.devices = append(e.devices, d)
	e.give(&d)
}

// newDevice: what it rests on, and whose code made it, is stored with it.
func (e *createExpectation) newDevice(r createRow, basis credential.Basis) deviceFacts {
	d := deviceFacts{id: tableID, basis: basis, digits: codeDigits, rests: basis == credential.BasisGrace}
	if basis == credential.BasisOTP {
		d.rests, d.digest = e.codeRests(r.otp), true
		if len(r.otp.own) > 0 {
			d.madeBy = r.otp.own[0]
		}
	}
	return d
}

func (e *createExpectation) give(d *deviceFacts) {
	e.saved, e.basis, e.restsOnGrace = true, d.basis, d.rests
}

// makeRoom: never-used devices older than a day make room, oldest first, and the
// one whose code is presented last; for one that rests on grace only such ones.
func (e *createExpectation) makeRoom(rests bool, last string) {
	for len(e.devices) >= tableRoom {
		goes := -1
		for i, d := range e.devices {
			if d.makesRoom(rests) && (goes < 0 || e.devices[goes].id == last || d.id != last && d.age > e.devices[goes].age) {
				goes = i
			}
		}
		e.evicted = append(e.evicted, e.devices[goes].id)
		e.devices = slices.Delete(e.devices, goes, goes+1)
	}
}
