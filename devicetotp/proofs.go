package devicetotp

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp/internal/rounds"
	totperrors "example.com/devicetotp/errors"
	"example.com/devicetotp/verifier"
)

// proofs is what a request presents: OTP, password and PIN, checked in that
// order and counted. It asks for one factor at a time, so that nothing is hashed
// that the precedence does not ask for.
type proofs struct {
	call               *call
	otp, password, pin credential.Secret
	kinds              []string // of the OTP; nil for all of the policy

	// of this round
	results []FactorResult
	waits   []time.Duration // of the blocked factors
	counted bool            // a value was checked, so that the account must be saved
	otpSeen otpCheck        // what the OTP was compared with

	unreadable []Unreadable
	confirmed  []string // devices whose rotation the OTP confirmed

	// of the whole request: the verdicts of slow hashes
	rememberedPassword, rememberedPIN comparison

	stale *staleHash // of this round; nil if none is to be renewed
}

// comparison remembers a verdict, which holds as long as the stored hash is the
// one that was compared.
type comparison struct {
	done    bool
	hash    string
	verdict verifier.Verdict
}

// staleHash is a hash that is to be renewed, with the right value of it.
type staleHash struct {
	factor credential.Factor
	query  verifier.Query
}

// restart forgets what belongs to one round.
func (p *proofs) restart() {
	p.results, p.waits, p.counted, p.otpSeen, p.stale, p.unreadable = nil, nil, false, otpCheck{}, nil, nil
	p.confirmed = nil
}

// presented returns what the request presents for f.
func (p *proofs) presented(f credential.Factor) credential.Secret {
	switch f {
	case credential.FactorOTP:
		return p.otp
	case credential.FactorPassword:
		return p.password
	default:
		return p.pin
	}
}

// none reports whether nothing at all is presented.
func (p *proofs) none() bool {
	return !p.otp.Present() && !p.password.Present() && !p.pin.Present()
}

// next returns the first presented factor behind last that is right, or why there
// is none; last is 0 for the first of all. It is the precedence, as the published
// API description has it: "In case the PIN, password or OTP is invalid 403 is
// returned. If multiple values are provided first the OTP is checked, then the
// password, then the PIN. In case the one of the provided values is correct, a
// TOTP will be created."
func (p *proofs) next(a *credential.Account, last credential.Factor) (credential.Factor, error) {
	var broken error
	for _, factor := range [...]credential.Factor{credential.FactorOTP, credential.FactorPassword, credential.FactorPIN} {
		if factor <= last || !p.presented(factor).Present() {
			continue
		}
		result, err := p.check(a, factor)
		switch {
		case isBroken(err): // what is stored does not open: it grants nothing, and the rest decides
			broken = cmp.Or(broken, err)
		case err != nil:
			return 0, err
		case result == ResultValid:
			return factor, nil
		}
	}
	if !p.compared() { // with a wrong key, say
		return 0, cmp.Or(broken, p.refusal())
	}
	return 0, p.refusal()
}

// compared reports whether anything that is presented was compared with something.
func (p *proofs) compared() bool {
	return slices.ContainsFunc(p.results, func(r FactorResult) bool {
		return r.Result != ResultBlocked && r.Result != ResultUndecided
	})
}

// isBroken reports whether err says that a stored value does not open, rather
// than that a collaborator failed.
func isBroken(err error) bool {
	return errors.Is(err, verifier.ErrHash) || errors.Is(err, credential.ErrTampered) || errors.Is(err, credential.ErrMissingKey)
}

// only returns nil if the request presents the right value of f. No other factor
// is checked.
func (p *proofs) only(a *credential.Account, f credential.Factor) error {
	result, err := p.check(a, f)
	if err == nil && result != ResultValid {
		err = p.refusal()
	}
	return err
}

// check checks one presented factor, unless it is blocked, and counts a failure.
func (p *proofs) check(a *credential.Account, f credential.Factor) (Result, error) {
	if f == credential.FactorOTP {
		return p.checkOTP(a)
	}
	policy, attempts := p.call.issuer.policy.attempts(f), a.Attempts(f)
	if wait, blocked := policy.Blocked(attempts, p.call.Now); blocked {
		p.waits = append(p.waits, wait)
		return p.note(a, f, ResultBlocked), nil
	}
	if p.presented(f).Reveal() == "" { // present, and wrong
		return p.fail(a, f, policy.Fail(attempts, p.call.Now), ResultWrong), nil
	}
	query := verifier.NewQuery(*a, f, p.presented(f), p.call.Now)
	verdict, err := p.verify(f, query)
	if err != nil {
		if isBroken(err) {
			p.unreadable = append(p.unreadable, Unreadable{Factor: f, Err: err})
		}
		p.note(a, f, ResultUndecided)
		return 0, err
	}
	p.call.Looked()
	if verdict.Status != verifier.StatusValid || !p.call.Known { // nothing is right about an account that does not exist
		return p.fail(a, f, policy.Fail(attempts, p.call.Now), resultOf(verdict.Status)), nil
	}
	if verdict.Outdated && p.call.issuer.onRehash != nil {
		p.stale = &staleHash{f, query}
	}
	p.counted = true // no verdict, good or bad, leaves before it is recorded
	return p.note(a, f, ResultValid), nil
}

// fail counts a failure of f.
func (p *proofs) fail(a *credential.Account, f credential.Factor, at credential.Attempts, r Result) Result {
	a.State.SetAttempts(f, at)
	p.counted = true
	return p.note(a, f, r)
}

func (p *proofs) note(a *credential.Account, f credential.Factor, r Result) Result {
	p.results = append(p.results, FactorResult{Factor: f, Result: r, Failures: a.Attempts(f).Failures})
	return r
}

func resultOf(s verifier.Status) Result {
	if s == verifier.StatusSpent {
		return ResultSpent
	}
	return ResultWrong
}

// succeed clears the failures of what was proved, and spends it.
func (p *proofs) succeed(a *credential.Account, f credential.Factor) {
	if f == credential.FactorOTP {
		p.spendOTP(a)
	} else {
		a.State.SetAttempts(f, a.State.Attempts(f).Cleared())
	}
	for i := range p.results {
		if p.results[i].Factor == f {
			p.results[i].Failures = 0
		}
	}
}

// onGrace reports whether the accepted value of f rests on grace alone.
func (p *proofs) onGrace(a *credential.Account, f credential.Factor) bool {
	return f == credential.FactorOTP && p.otpSeen.restsOnGrace(&a.State)
}

// verify asks the verifier of f, or returns what is remembered of it.
func (p *proofs) verify(f credential.Factor, q verifier.Query) (verdict verifier.Verdict, err error) {
	remembered := p.remembered(f)
	if remembered != nil && remembered.done && remembered.hash == q.Hash.Reveal() {
		return remembered.verdict, nil
	}
	visit := p.call.Visit()
	defer visit.End(verifierName(f), &err)
	if verdict, err = p.call.issuer.verifiers[f].Verify(visit, q); err != nil {
		return verdict, err
	}
	if err = checkVerdict(f, verdict, q.Now); err == nil && f == credential.FactorOTP && p.call.issuer.ownOTP {
		err = checkKinds(verdict.Compared)
	}
	if err != nil {
		return verifier.Verdict{}, err
	}
	if remembered != nil {
		*remembered = comparison{done: true, hash: q.Hash.Reveal(), verdict: verdict}
	}
	return verdict, nil
}

func verifierName(f credential.Factor) string {
	switch f {
	case credential.FactorOTP:
		return "verifier of the otp"
	case credential.FactorPassword:
		return "verifier of the password"
	default:
		return "verifier of the pin"
	}
}

// remembered is the place of f's verdict; nil for OTP, because what an OTP is
// worth changes with the State.
func (p *proofs) remembered(f credential.Factor) *comparison {
	switch f {
	case credential.FactorPassword:
		return &p.rememberedPassword
	case credential.FactorPIN:
		return &p.rememberedPIN
	default:
		return nil
	}
}

// refusal is the error when nothing that was presented is right.
func (p *proofs) refusal() error {
	for _, r := range p.results {
		if r.Result != ResultBlocked {
			return p.call.Fail(CodeInvalidCredentials, p.field(), 0)
		}
	}
	return p.call.Fail(CodeTooManyAttempts, "", shortest(p.waits))
}

// field names the presented value where there is only one. Where there are more,
// the one that was checked stays unnamed: it would say what a device that is asked
// for again was created on.
func (p *proofs) field() string {
	otp, password, pin := p.otp.Present(), p.password.Present(), p.pin.Present()
	switch {
	case otp && !password && !pin:
		return totperrors.FieldOTP
	case password && !otp && !pin:
		return totperrors.FieldPassword
	case pin && !otp && !password:
		return totperrors.FieldPIN
	default:
		return ""
	}
}

// shortest returns the shortest wait that ends; 0 if none does.
func shortest(waits []time.Duration) (least time.Duration) {
	for _, w := range waits {
		if w > 0 && (least == 0 || w < least) {
			least = w
		}
	}
	return least
}

// maxProof is the longest name of a spent proof in bytes.
const maxProof = 255

// checkVerdict refuses verdicts that no verifier may give.
func checkVerdict(f credential.Factor, v verifier.Verdict, now time.Time) error {
	switch {
	case v.Status != verifier.StatusValid && v.Status != verifier.StatusWrong && v.Status != verifier.StatusSpent:
		return fmt.Errorf("%w: neither a verdict nor an error", rounds.ErrNonsense)
	case f != credential.FactorOTP || v.Status != verifier.StatusValid || v.Kind() == verifier.KindRecovery:
		return nil
	case v.ProofID == "" || len(v.ProofID) > maxProof:
		return fmt.Errorf("%w: a valid OTP without a proof of 1 to %d bytes", rounds.ErrNonsense, maxProof)
	case !v.Until.After(now):
		return fmt.Errorf("%w: a valid OTP whose proof need not be remembered", rounds.ErrNonsense)
	default:
		return nil
	}
}
