package devicetotp

import (
	"fmt"
	"time"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/verifier"
)

// comparison remembers a verdict, which holds as long as the stored hash is the
// one that was compared.
type comparison struct {
	done    bool
	hash    string
	verdict verifier.Verdict
}

// looker returns the look function of one round.
func (j *createCall) looker(a credential.Account, known bool) lookFunc {
	return func(f credential.Factor, createdOn *credential.Device) verifier.Verdict {
		verdict, err := j.verdict(a, f, createdOn)
		if err != nil {
			j.lookErr = err
			return verifier.Verdict{}
		}
		j.looked = true
		if !known && verdict.Status == verifier.StatusValid {
			return verifier.Verdict{Status: verifier.StatusWrong} // about an account that does not exist
		}
		return verdict
	}
}

// verdict asks the verifier of f, or what is remembered of it.
func (j *createCall) verdict(a credential.Account, f credential.Factor, createdOn *credential.Device) (verifier.Verdict, error) {
	if createdOn == nil {
		// Made before anything is looked at: a source that fails after a valid
		// proof would tell that it was valid.
		if err := j.makeSecret(); err != nil {
			return verifier.Verdict{}, err
		}
	} else if f == credential.FactorOTP {
		return j.sameOTP(createdOn)
	}
	remembered := j.remembered(f)
	if remembered != nil && remembered.done && remembered.hash == a.Hash(f) {
		return remembered.verdict, nil
	}
	if f == credential.FactorOTP {
		a.State.Devices = j.unblocked(a.State.Devices)
	}
	verdict, err := j.callVerifier(a, f)
	if err != nil {
		return verifier.Verdict{}, j.collaborator("verifier of the "+f.String(), err)
	}
	if err := checkVerdict(f, verdict, j.now); err != nil {
		return verifier.Verdict{}, j.internal(err)
	}
	if remembered != nil {
		verdict = verifier.Verdict{Status: verdict.Status, Outdated: verdict.Outdated}
		*remembered = comparison{done: true, hash: a.Hash(f), verdict: verdict}
	}
	return verdict, nil
}

// remembered is the place of f's verdict; nil for OTP, because what an OTP is
// worth changes with the State.
func (j *createCall) remembered(f credential.Factor) *comparison {
	switch f {
	case credential.FactorPassword:
		return &j.password
	case credential.FactorPIN:
		return &j.pin
	default:
		return nil
	}
}

func (j *createCall) callVerifier(a credential.Account, f credential.Factor) (verdict verifier.Verdict, err error) {
	started := time.Now()
	ctx := j.bounded(started)
	defer ctx.End()
	defer j.looks(started)
	defer contain("Verifier", &err)
	return j.issuer.verifiers[f].Verify(ctx, verifier.NewQuery(a, f, j.request.presented(f), j.now))
}

// sameOTP compares with the OTP that the device was created on, not with the
// codes of today.
func (j *createCall) sameOTP(d *credential.Device) (verifier.Verdict, error) {
	ok, err := j.issuer.keys.Matches(proofScope(j.accountID, d.ID), d.ProofDigest, j.request.OTP)
	switch {
	case err != nil:
		return verifier.Verdict{}, j.internal(fmt.Errorf("device %s: %w", d.ID, err))
	case ok:
		return verifier.Verdict{Status: verifier.StatusValid}, nil
	default:
		return verifier.Verdict{Status: verifier.StatusWrong}, nil
	}
}

// unblocked leaves out devices whose own failures block them, so that their
// codes cannot be tried out as a user OTP either.
func (j *createCall) unblocked(devices []credential.Device) []credential.Device {
	out := make([]credential.Device, 0, len(devices))
	for _, d := range devices {
		if _, blocked := j.issuer.policy.Device.Blocked(d.Attempts, j.now); !blocked {
			out = append(out, d)
		}
	}
	return out
}

// maxProof is the longest name of a spent proof in bytes.
const maxProof = 255

// checkVerdict refuses verdicts that no verifier may give.
func checkVerdict(f credential.Factor, v verifier.Verdict, now time.Time) error {
	switch {
	case v.Status != verifier.StatusValid && v.Status != verifier.StatusWrong && v.Status != verifier.StatusSpent:
		return fmt.Errorf("%w: the verifier of the %v gave no verdict and no error", errNonsense, f)
	case f != credential.FactorOTP || v.Status != verifier.StatusValid:
		return nil
	case v.ProofID == "" || len(v.ProofID) > maxProof:
		return fmt.Errorf("%w: a valid OTP without a proof of 1 to %d bytes", errNonsense, maxProof)
	case !v.Until.After(now):
		return fmt.Errorf("%w: a valid OTP whose proof need not be remembered", errNonsense)
	default:
		return nil
	}
}
