package devicetotp_test

import (
	"slices"
	"time"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	totperrors "example.com/devicetotp/errors"
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

// expectation is what a row must come to.
type expectation struct {
	code       devicetotp.Code
	basis      credential.Basis // of the device given
	replayed   bool
	undecided  bool
	looked     []credential.Factor
	failures   map[credential.Factor]int
	adjusted   bool // a failure from the future was brought back to now
	retryAfter time.Duration
}

// The failures that each factor has before, and its wait where it is blocked.
const failuresBefore = 2

var blockedFailures = map[credential.Factor]int{credential.FactorOTP: 5, credential.FactorPassword: 6, credential.FactorPIN: 10}
var blockedWaits = map[credential.Factor]time.Duration{credential.FactorOTP: 30 * time.Second, credential.FactorPassword: time.Minute, credential.FactorPIN: 0}

// row is one combination.
type row struct {
	grace, situation string
	noGrace          bool
	presents         map[credential.Factor]proof
}

// expect states the rules, rule by rule, for one row.
func expect(r row) expectation {
	order := []credential.Factor{credential.FactorOTP, credential.FactorPassword, credential.FactorPIN}
	s := situations[r.situation]
	e := expectation{failures: map[credential.Factor]int{}}
	presented := slices.DeleteFunc(slices.Clone(order), func(f credential.Factor) bool { return r.presents[f] == absent })
	for _, f := range order {
		e.failures[f] = failuresBefore
		if r.presents[f] == blocked || r.presents[f] == ahead {
			e.failures[f] = blockedFailures[f]
		}
	}

	// A locked account refuses everything.
	if s.locked {
		e.code = totperrors.CodeAccountLocked
		return e
	}
	// A taken id is in use, unless it is asked for again on what it was created on; then only that counts.
	if s.device != nil {
		on, isFactor := s.retryOn.Factor()
		switch {
		case s.retryOn == credential.BasisGrace && len(presented) == 0 && !r.noGrace:
			e.basis, e.replayed = credential.BasisGrace, true
			return e
		case !isFactor || r.presents[on] == absent:
			e.code = totperrors.CodeIDInUse
			return e
		}
		presented = []credential.Factor{on}
		e.replayed = true
	} else if !s.room {
		e.code = totperrors.CodeDeviceLimitReached
		return e
	} else if len(presented) == 0 {
		// Nothing presented: grace or nothing.
		if graces[r.grace].open && !r.noGrace {
			e.basis = credential.BasisGrace
		} else {
			e.code = totperrors.CodeCredentialsRequired
		}
		return e
	}

	// OTP, then password, then PIN: the first valid one grants and ends it.
	allBlocked := true
	for _, f := range presented {
		p := r.presents[f]
		switch {
		case p == ahead:
			p, e.adjusted = blocked, true
		case f != credential.FactorOTP && p == reused:
			p = valid // only OTPs are spent
		case p == reused && !e.replayed, f == credential.FactorOTP && p == valid && s.stepped:
			p = spent
		case e.replayed && f == credential.FactorOTP && (p == spent || p == reused):
			p = valid // the code that made the device is spent, and is the right one here
		}
		if p != blocked {
			allBlocked = false
		}
		if p != blocked && p != empty {
			e.looked = append(e.looked, f)
		}
		switch p {
		case valid:
			e.basis = credential.BasisOf(f)
			if !e.replayed {
				e.failures[f] = 0
			}
			return e
		case wrong, spent, empty, unset:
			e.failures[f]++
		case undecided:
			e.undecided, e.replayed = true, false
			return e
		}
	}
	e.replayed = false
	if !allBlocked {
		e.code = totperrors.CodeInvalidCredentials
		return e
	}
	e.code = totperrors.CodeTooManyAttempts
	for _, f := range presented {
		if w := blockedWaits[f]; w > 0 && (e.retryAfter == 0 || w < e.retryAfter) {
			e.retryAfter = w
		}
	}
	return e
}
