package verifier

import (
	"context"
	"slices"
	"strconv"
	"time"

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
func (v otpVerifier) Verify(_ context.Context, a credential.Account, presented credential.Secret, now time.Time) (Verdict, error) {
	if !credential.IsCode(presented) {
		return Verdict{Status: Invalid}, nil
	}
	verdict, err := v.oneTimeCode(a, presented, now)
	if err != nil {
		return Verdict{}, err
	}
	if slices.Contains(v.kinds, KindDeviceTOTP) {
		device, err := v.deviceCode(a, presented, now)
		if err != nil {
			return Verdict{}, err
		}
		if verdict.Status != Valid && device.Status == Valid {
			return device, nil
		}
	}
	return verdict, nil
}

func (v otpVerifier) oneTimeCode(a credential.Account, presented credential.Secret, now time.Time) (Verdict, error) {
	found := Verdict{Status: Invalid}
	for _, c := range a.State.Codes {
		if !slices.Contains(v.kinds, c.Kind) || !now.Before(c.ExpiresAt) {
			continue
		}
		scope := credential.Scope{Purpose: credential.PurposeOneTimeCode, AccountID: a.ID, Subject: c.ID}
		ok, err := v.keys.Matches(scope, c.Digest, presented)
		switch {
		case err != nil:
			return Verdict{}, err
		case !ok:
		case !a.State.IsSpent(codeProof(c.ID)):
			found = Verdict{Status: Valid, Proof: codeProof(c.ID), Until: c.ExpiresAt}
		case found.Status != Valid:
			found.Status = Spent
		}
	}
	return found, nil
}

// codeProof is the name under which the one-time code of that id is spent.
func codeProof(id string) string { return "code:" + id }

func (v otpVerifier) deviceCode(a credential.Account, presented credential.Secret, now time.Time) (Verdict, error) {
	found := Verdict{Status: Invalid}
	for _, d := range a.State.Devices {
		if d.Digits != len(presented.Reveal()) {
			continue
		}
		m, ok, err := MatchDevice(v.keys, a.ID, d, presented, now)
		if err != nil {
			return Verdict{}, err
		}
		if ok && found.Status != Valid {
			found = Verdict{
				Status: Valid, Proof: "totp:" + d.ID + ":" + strconv.FormatInt(m.Step, 10), Until: m.ValidUntil,
				DeviceID: d.ID, Step: m.Step, Outdated: m.Outdated,
			}
		}
	}
	return found, nil
}
