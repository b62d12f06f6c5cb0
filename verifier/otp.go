package verifier

import (
	"context"
	"slices"
	"strconv"

	"example.com/devicetotp/credential"
)

// Kinds of user OTP. Others are the host's to name.
const (
	// KindAccount is a one-time code that the host sent for this purpose.
	KindAccount = "account"
	// KindDeviceTOTP is the current code of one of the account's own devices.
	KindDeviceTOTP = "device-totp"
)

// OTP returns the verifier of user OTPs of the given kinds: pending one-time
// codes, and for [KindDeviceTOTP] the codes of the account's devices. keys is
// what they were sealed and digested with.
func OTP(keys *credential.Keyring, kinds ...string) Verifier {
	return otpVerifier{keys, slices.Clone(kinds)}
}

type otpVerifier struct {
	keys  *credential.Keyring
	kinds []string
}

// Verify implements [Verifier]. A code that was right and has been spent yields
// to any that is valid. Everything is compared even after a match, so that an
// error, if there is one, does not depend on whether the code is right.
func (v otpVerifier) Verify(_ context.Context, q Query) (Verdict, error) {
	if !credential.IsCode(q.Presented) {
		return Verdict{Status: StatusWrong}, nil
	}
	verdict, err := v.oneTimeCode(q)
	if err != nil {
		return Verdict{}, err
	}
	if slices.Contains(v.kinds, KindDeviceTOTP) {
		device, err := v.deviceCode(q)
		if err != nil {
			return Verdict{}, err
		}
		if verdict.Status != StatusValid && device.Status == StatusValid {
			return device, nil
		}
	}
	return verdict, nil
}

func (v otpVerifier) oneTimeCode(q Query) (Verdict, error) {
	found := Verdict{Status: StatusWrong}
	for _, c := range q.Codes {
		if !slices.Contains(v.kinds, c.Kind) || !q.Now.Before(c.ExpiresAt) {
			continue
		}
		scope := credential.Scope{Purpose: credential.PurposeOneTimeCode, AccountID: q.AccountID, Subject: c.ID}
		ok, err := v.keys.Matches(scope, c.Digest, q.Presented)
		switch {
		case err != nil:
			return Verdict{}, err
		case !ok:
		case !q.isSpent(codeProof(c.ID)):
			found = Verdict{Status: StatusValid, ProofID: codeProof(c.ID), Until: c.ExpiresAt}
		case found.Status != StatusValid:
			found.Status = StatusSpent
		}
	}
	return found, nil
}

func (q Query) isSpent(proofID string) bool {
	return slices.ContainsFunc(q.Spent, func(p credential.SpentProof) bool { return p.ProofID == proofID })
}

// codeProof is the name under which the one-time code of that id is spent.
func codeProof(id string) string { return "code:" + id }

func (v otpVerifier) deviceCode(q Query) (Verdict, error) {
	found := Verdict{Status: StatusWrong}
	for _, d := range q.Devices {
		if d.Digits != len(q.Presented.Reveal()) {
			continue
		}
		m, ok, err := MatchDevice(v.keys, q.AccountID, d, q.Presented, q.Now)
		if err != nil {
			return Verdict{}, err
		}
		if ok && found.Status != StatusValid {
			found = Verdict{
				Status: StatusValid, ProofID: "totp:" + d.ID + ":" + strconv.FormatInt(m.Step, 10), Until: m.ValidUntil,
				DeviceID: d.ID, Step: m.Step, Outdated: m.Outdated,
			}
		}
	}
	return found, nil
}
