package devicetotp_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/verifier"
)

// Where attackers present what they guess: every operation that checks a value, in
// every way that it can be asked.

// entrance is a way to present a value to the account.
type entrance func(*testing.T, *devicetotp.Issuer, credential.Secret) error

func byVerify(device string) entrance {
	return func(t *testing.T, i *devicetotp.Issuer, code credential.Secret) error {
		_, err := i.Verify(t.Context(), devicetotp.VerifyRequest{AccountID: "acct", DeviceID: device, Code: code})
		return err
	}
}

// byCreate presents the value for f. Beside it are more wrong values: they are
// not looked at if it is right.
func byCreate(f credential.Factor, id string, beside ...credential.Factor) entrance {
	return func(t *testing.T, i *devicetotp.Issuer, value credential.Secret) error {
		r := presented(f, value, beside)
		r.DeviceID = id
		_, err := i.Create(t.Context(), r)
		return err
	}
}

// byProve presents the same to Prove.
func byProve(f credential.Factor, beside ...credential.Factor) entrance {
	return proveOf(nil, f, beside...)
}

// proveOf presents it as an OTP of the kinds.
func proveOf(kinds []string, f credential.Factor, beside ...credential.Factor) entrance {
	return func(t *testing.T, i *devicetotp.Issuer, value credential.Secret) error {
		r := presented(f, value, beside)
		_, err := i.Prove(t.Context(), devicetotp.ProveRequest{AccountID: r.AccountID, OTP: r.OTP, Password: r.Password, PIN: r.PIN, Kinds: kinds})
		return err
	}
}

// byRotate presents the same to a Rotate of the device.
func byRotate(f credential.Factor, device string, beside ...credential.Factor) entrance {
	return rotationOf("00000000-0000-4000-8000-0000000000ff", f, device, beside...)
}

// rotationOf does so for a rotation of that id, which may be pending.
func rotationOf(id string, f credential.Factor, device string, beside ...credential.Factor) entrance {
	return func(t *testing.T, i *devicetotp.Issuer, value credential.Secret) error {
		r := presented(f, value, beside)
		_, err := i.Rotate(t.Context(), devicetotp.RotateRequest{
			AccountID: r.AccountID, DeviceID: device, RotationID: id, OTP: r.OTP, Password: r.Password, PIN: r.PIN,
		})
		return err
	}
}

// presented has the value for f, and more wrong ones.
func presented(f credential.Factor, value credential.Secret, beside []credential.Factor) devicetotp.CreateRequest {
	r := devicetotp.CreateRequest{AccountID: "acct"}
	present(&r, f, value.Reveal())
	for _, b := range beside {
		present(&r, b, "0000")
	}
	return r
}

// authenticator is what is guessed at.
type authenticator struct {
	right, wrong func(*siege) credential.Secret
	entrances    []entrance
	// before is what the attacker makes the host do before each guess.
	before func(*siege, *testing.T) error
}

const (
	byOTP      = credential.FactorOTP
	byPassword = credential.FactorPassword
	byPIN      = credential.FactorPIN
)

var (
	unnamedDevice = authenticator{
		right: func(s *siege) credential.Secret { return s.target.Code() },
		wrong: func(s *siege) credential.Secret { return wrong6(s.own, s.target) },
		entrances: []entrance{
			byVerify(""), byCreate(byOTP, ""), byCreate(byOTP, unusedID), byCreate(byOTP, "", byPassword, byPIN),
			byProve(byOTP), byProve(byOTP, byPIN), proveOf([]string{verifier.KindDeviceTOTP}, byOTP), byRotate(byOTP, targetID),
		},
	}
	namedDevice = authenticator{right: unnamedDevice.right, wrong: unnamedDevice.wrong, entrances: []entrance{byVerify(targetID)}}
	mailedCode  = authenticator{
		right: func(*siege) credential.Secret { return secret(rightCode) },
		wrong: func(*siege) credential.Secret { return secret(wrongCode) },
		entrances: []entrance{
			byCreate(byOTP, ""), byCreate(byOTP, unusedID), byProve(byOTP), proveOf([]string{verifier.KindAccount}, byOTP),
			byRotate(byOTP, targetID),
		},
		before: func(s *siege, t *testing.T) error { return s.announce(t, verifier.KindAccount, rightCode) },
	}
	recoveryCodes = authenticator{
		right: func(s *siege) credential.Secret { return s.recovery[0] },
		wrong: func(*siege) credential.Secret { return secret("2345-6789-abcd-efgh") },
		entrances: []entrance{
			byCreate(byOTP, ""), byCreate(byOTP, unusedID), byProve(byOTP), proveOf([]string{verifier.KindRecovery}, byOTP),
			byRotate(byOTP, targetID),
		},
		before: (*siege).newRecoveryCodes,
	}
	pin = authenticator{
		right: func(*siege) credential.Secret { return secret("8299") },
		wrong: func(*siege) credential.Secret { return secret("0000") },
		entrances: []entrance{
			byCreate(byPIN, ""), byCreate(byPIN, "", byPassword), byProve(byPIN), byProve(byPIN, byPassword),
			byRotate(byPIN, targetID), byRotate(byPIN, ownID, byOTP),
		},
	}
	password = authenticator{
		right: func(*siege) credential.Secret { return secret("password") },
		wrong: func(*siege) credential.Secret { return secret("0000") },
		entrances: []entrance{
			byCreate(byPassword, ""), byCreate(byPassword, "", byPIN), byProve(byPassword), byProve(byPassword, byPIN),
			byRotate(byPassword, targetID), byRotate(byPassword, ownID, byOTP),
		},
	}
)

// newRecoveryCodes replaces the recovery codes, as a host does that is asked to.
func (s *siege) newRecoveryCodes(t *testing.T) (err error) {
	s.recovery, err = s.Issuer.ReplaceRecoveryCodes(t.Context(), devicetotp.RecoveryRequest{AccountID: "acct", Count: 1})
	require.NoError(t, err)
	return nil
}
