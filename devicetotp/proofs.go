package devicetotp

import (
	"fmt"
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

	// of this round
	results []FactorResult
	waits   []time.Duration  // of the blocked factors
	verdict verifier.Verdict // of the factor that was accepted
	counted bool             // the account was changed and must be saved

	stale       verifier.Query // whose hash should be renewed
	staleFactor credential.Factor

	// of the whole request: the verdicts of slow hashes
	rememberedPassword, rememberedPIN comparison
}

// comparison remembers a verdict, which holds as long as the stored hash is the
// one that was compared.
type comparison struct {
	done    bool
	hash    string
	verdict verifier.Verdict
}

// restart forgets what belongs to one round.
func (p *proofs) restart() {
	p.results, p.waits, p.verdict, p.counted, p.staleFactor = p.results[:0:0], nil, verifier.Verdict{}, false, 0
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

// first returns the first presented factor that is right, or why there is none.
// It is the precedence, as the published API description has it: "In case the
// PIN, password or OTP is invalid 403 is returned. If multiple values are
// provided first the OTP is checked, then the password, then the PIN. In case
// the one of the provided values is correct, a TOTP will be created."
func (p *proofs) first(a *credential.Account) (credential.Factor, error) {
	for _, factor := range [...]credential.Factor{credential.FactorOTP, credential.FactorPassword, credential.FactorPIN} {
		if !p.presented(factor).Present() {
			continue
		}
		result, err := p.check(a, factor, nil)
		if err != nil {
			return 0, err
		}
		if result == ResultValid {
			return factor, nil
		}
	}
	return 0, p.refusal()
}

// only returns nil if the request presents what device was created on. No other
// factor is checked: that would try out credentials that the device does not
// rest on.
func (p *proofs) only(a *credential.Account, f credential.Factor, device *credential.Device) error {
	result, err := p.check(a, f, device)
	if err == nil && result != ResultValid {
		err = p.refusal()
	}
	return err
}

// check checks one presented factor, unless it is blocked, and counts a failure.
// createdOn is the device of a repeated request.
func (p *proofs) check(a *credential.Account, f credential.Factor, createdOn *credential.Device) (Result, error) {
	policy, attempts := p.call.issuer.policy.attempts(f), a.Attempts(f)
	if attempts.LastAt.After(p.call.Now) {
		attempts.LastAt = p.call.Now // counted by a clock that was ahead
		p.setAttempts(a, f, attempts)
	}
	if wait, blocked := policy.Blocked(attempts, p.call.Now); blocked {
		p.waits = append(p.waits, wait)
		return p.note(a, f, ResultBlocked), nil
	}
	result := ResultWrong // what is present but empty
	if p.presented(f).Reveal() != "" {
		var err error
		if result, err = p.ask(a, f, createdOn); err != nil {
			p.note(a, f, ResultUndecided)
			return 0, err
		}
	}
	switch result {
	case ResultValid:
		p.counted = true // no verdict, good or bad, leaves before it is recorded
	case ResultWrong, ResultSpent:
		p.setAttempts(a, f, policy.Fail(attempts, p.call.Now))
	}
	return p.note(a, f, result), nil
}

func (p *proofs) setAttempts(a *credential.Account, f credential.Factor, at credential.Attempts) {
	a.State.SetAttempts(f, at)
	p.counted = true
}

func (p *proofs) note(a *credential.Account, f credential.Factor, r Result) Result {
	p.results = append(p.results, FactorResult{Factor: f, Result: r, Failures: a.Attempts(f).Failures})
	return r
}

// ask returns what the verifier of f finds.
func (p *proofs) ask(a *credential.Account, f credential.Factor, createdOn *credential.Device) (Result, error) {
	if createdOn != nil && f == credential.FactorOTP {
		return p.sameOTP(createdOn)
	}
	query := verifier.NewQuery(*a, f, p.presented(f), p.call.Now)
	if f == credential.FactorOTP {
		query.Devices = p.unblocked(query.Devices)
	}
	verdict, err := p.verify(f, query)
	if err != nil {
		return 0, err
	}
	p.call.Looked()
	switch {
	case verdict.Status == verifier.StatusSpent:
		return ResultSpent, nil
	case verdict.Status != verifier.StatusValid || !p.call.Known: // nothing is right about an account that does not exist
		return ResultWrong, nil
	case f == credential.FactorOTP && used(&a.State, verdict):
		return ResultSpent, nil
	}
	p.verdict = verdict
	if verdict.Outdated && f != credential.FactorOTP {
		p.stale, p.staleFactor = query, f
	}
	return ResultValid, nil
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
		return verifier.Verdict{}, err
	}
	if err := checkVerdict(f, verdict, q.Now); err != nil {
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

// sameOTP compares with the OTP that the device was created on, not with the
// codes of today.
func (p *proofs) sameOTP(d *credential.Device) (Result, error) {
	ok, err := p.call.issuer.keys.Matches(proofScope(p.call.accountID, d.ID), d.ProofDigest, p.otp)
	switch {
	case err != nil:
		return 0, p.call.Internal(fmt.Errorf("device %s: %w", d.ID, err))
	case ok:
		p.call.Looked()
		return ResultValid, nil
	default:
		p.call.Looked()
		return ResultWrong, nil
	}
}

// used reports whether a valid OTP was used up before: its proof, or its time
// step if one of the account's devices generated it.
func used(s *credential.State, v verifier.Verdict) bool {
	if i := s.DeviceIndex(v.DeviceID); i >= 0 && v.Step <= s.Devices[i].LastStep {
		return true
	}
	return s.IsSpent(v.ProofID)
}

// unblocked leaves out the devices that are blocked by their own failures, so
// that their codes cannot be tried out as a user OTP either.
func (p *proofs) unblocked(devices []credential.Device) []credential.Device {
	out := make([]credential.Device, 0, len(devices))
	for _, d := range devices {
		if _, blocked := p.call.issuer.policy.Device.Blocked(d.Attempts, p.call.Now); !blocked {
			out = append(out, d)
		}
	}
	return out
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

// field names the one presented value where there is only one.
func (p *proofs) field() string {
	if len(p.results) != 1 {
		return ""
	}
	switch p.results[0].Factor {
	case credential.FactorOTP:
		return totperrors.FieldOTP
	case credential.FactorPassword:
		return totperrors.FieldPassword
	default:
		return totperrors.FieldPIN
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

// succeed clears the failures of the factor that granted, and spends what it
// proved.
func (p *proofs) succeed(a *credential.Account, f credential.Factor) {
	state := &a.State
	state.SetAttempts(f, state.Attempts(f).Cleared())
	p.results[len(p.results)-1].Failures = 0
	if f != credential.FactorOTP {
		return
	}
	v := p.verdict
	i := state.DeviceIndex(v.DeviceID)
	if i < 0 {
		state.Spent = append(state.Spent, credential.SpentProof{ProofID: v.ProofID, Until: v.Until})
		return
	}
	device := &state.Devices[i]
	device.LastStep = max(device.LastStep, v.Step)
	device.Attempts = device.Attempts.Cleared()
	if v.Outdated {
		p.call.reseal(device)
	}
}

// maxProof is the longest name of a spent proof in bytes.
const maxProof = 255

// checkVerdict refuses verdicts that no verifier may give.
func checkVerdict(f credential.Factor, v verifier.Verdict, now time.Time) error {
	switch {
	case v.Status != verifier.StatusValid && v.Status != verifier.StatusWrong && v.Status != verifier.StatusSpent:
		return fmt.Errorf("%w: neither a verdict nor an error", rounds.ErrNonsense)
	case f != credential.FactorOTP || v.Status != verifier.StatusValid:
		return nil
	case v.ProofID == "" || len(v.ProofID) > maxProof:
		return fmt.Errorf("%w: a valid OTP without a proof of 1 to %d bytes", rounds.ErrNonsense, maxProof)
	case !v.Until.After(now):
		return fmt.Errorf("%w: a valid OTP whose proof need not be remembered", rounds.ErrNonsense)
	default:
		return nil
	}
}
