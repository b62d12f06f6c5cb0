package devicetotp_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/devicetotptest"
	"example.com/devicetotp/verifier"
)

// An owner has every authenticator that an account can have: a password, a PIN,
// recovery codes, one-time codes as they are needed, and two phones.
type owner struct {
	*devicetotptest.World
	saved  []credential.Secret
	phones [2]*devicetotptest.Phone
	codes  int // announced so far
}

func newOwner(t *testing.T, configure ...func(*devicetotp.Config)) *owner {
	t.Helper()
	o := &owner{World: devicetotptest.New(t, append(configure, withRecovery)...)}
	a := o.Account("acct").Password("password").PIN("8299")
	o.saved = a.RecoveryCodes(8)
	for n := range o.phones {
		d, err := o.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: otherID(n), PIN: secret("8299")})
		require.NoError(t, err)
		o.phones[n] = o.Phone(d)
	}
	return o
}

func (o *owner) create(t *testing.T, r devicetotp.CreateRequest) error {
	r.AccountID = "acct"
	_, err := o.Issuer.Create(t.Context(), r)
	return err
}

func (o *owner) verify(t *testing.T, deviceID string, code credential.Secret) error {
	_, err := o.Issuer.Verify(t.Context(), devicetotp.VerifyRequest{AccountID: "acct", DeviceID: deviceID, Code: code})
	return err
}

// mailed presents a one-time code that was announced just now, or a wrong one.
func (o *owner) mailed(t *testing.T, right bool) error {
	o.codes++
	code := secret(fmt.Sprintf("%08d", o.codes))
	r := devicetotp.AddCodeRequest{AccountID: "acct", Kind: verifier.KindAccount, Code: code, TTL: time.Minute}
	if _, err := o.Issuer.AddCode(t.Context(), r); err != nil {
		return err
	}
	if !right {
		code = secret(wrongCode)
	}
	return o.create(t, devicetotp.CreateRequest{OTP: code})
}

const unnamed = "a phone, not named"

// locks are the authenticators, with how many wrong values each takes.
var locks = map[string]struct {
	most         int
	phone        string // whose code the right value is; "" if it is none
	right, guess func(t *testing.T, o *owner) error
}{
	"password": {
		100, "",
		func(t *testing.T, o *owner) error {
			return o.create(t, devicetotp.CreateRequest{Password: secret("password")})
		},
		func(t *testing.T, o *owner) error {
			return o.create(t, devicetotp.CreateRequest{Password: secret("wrong")})
		},
	},
	"PIN": {
		10, "",
		func(t *testing.T, o *owner) error {
			return o.create(t, devicetotp.CreateRequest{PIN: secret("8299")})
		},
		func(t *testing.T, o *owner) error {
			return o.create(t, devicetotp.CreateRequest{PIN: secret("0000")})
		},
	},
	"one-time code": {
		kindLimit, "",
		func(t *testing.T, o *owner) error { return o.mailed(t, true) },
		func(t *testing.T, o *owner) error { return o.mailed(t, false) },
	},
	"recovery code": {
		anyLimit, "",
		func(t *testing.T, o *owner) error {
			o.saved = o.saved[1:]
			return o.create(t, devicetotp.CreateRequest{OTP: o.saved[0]})
		},
		func(t *testing.T, o *owner) error {
			return o.create(t, devicetotp.CreateRequest{OTP: secret(recoveryCode)})
		},
	},
	"phone 0, named": {
		namedLimit, "phone 0",
		func(t *testing.T, o *owner) error { return o.verify(t, otherID(0), o.phones[0].Code()) },
		func(t *testing.T, o *owner) error { return o.verify(t, otherID(0), wrong6(o.phones[:]...)) },
	},
	"phone 1, named": {
		namedLimit, "phone 1",
		func(t *testing.T, o *owner) error { return o.verify(t, otherID(1), o.phones[1].Code()) },
		func(t *testing.T, o *owner) error { return o.verify(t, otherID(1), wrong6(o.phones[:]...)) },
	},
	unnamed: {
		unnamedLimit, "phone 1",
		func(t *testing.T, o *owner) error { return o.verify(t, "", o.phones[1].Code()) },
		func(t *testing.T, o *owner) error { return o.verify(t, "", wrong6(o.phones[:]...)) },
	},
}

// Guessing one authenticator, until no wait opens it any more, locks that one only:
// the right value of each other one is accepted. The host ends it.
func TestGuessingOneFactorLeavesTheOthersOpen(t *testing.T) {
	const pace = time.Hour // an OTP of any kind waits for the OTPs that were wrong, but no longer
	for guessed, lock := range locks {
		for name, other := range locks {
			if name == guessed {
				continue
			}
			t.Run(guessed+"/"+name, func(t *testing.T) {
				o := newOwner(t)
				require.Equal(t, lock.most, guessUntilBlocked(t, o, lock.guess))
				requireLocked(t, lock.right(t, o))
				if name == "password" || name == "PIN" {
					require.NoError(t, other.right(t, o), "at once")
				}
				o.Clock.Advance(pace)
				require.NoError(t, other.right(t, o))
				if lock.phone != "" && lock.phone == other.phone { // a right code of the phone opens it
					return
				}
				o.Clock.Advance(365 * 24 * time.Hour)
				err := lock.right(t, o)
				require.ErrorIs(t, err, devicetotp.ErrDenied)
				if guessed != unnamed { // that one is compared with devices that others made, and is wrong
					requireLocked(t, err)
				}
				require.NoError(t, o.Issuer.Unblock(t.Context(), devicetotp.UnblockRequest{AccountID: "acct"}))
				require.NoError(t, lock.right(t, o))
			})
		}
	}
}

// A Policy can block each of them at ten failures, as PCI DSS 4.0 asks for in
// requirement 8.3.4.
func TestEachFactorCanBeBlockedAtTen(t *testing.T) {
	const atMost = 10
	for guessed, lock := range locks {
		t.Run(guessed, func(t *testing.T) {
			o := newOwner(t, devicetotptest.WithPolicy(func(p *devicetotp.Policy) {
				for _, attempts := range []*verifier.AttemptPolicy{&p.Password, &p.PIN, &p.Code, &p.Recovery, &p.Device, &p.UnnamedDevice} {
					attempts.BlockAt = atMost
				}
			}))
			require.Equal(t, atMost, guessUntilBlocked(t, o, lock.guess))
			requireLocked(t, lock.right(t, o))
		})
	}
}

// guessUntilBlocked guesses whenever a guess is compared, and returns how often that
// was.
func guessUntilBlocked(t *testing.T, o *owner, guess func(*testing.T, *owner) error) int {
	t.Helper()
	for n := 0; ; {
		err := guess(t, o)
		switch devicetotp.CodeOf(err) {
		case devicetotp.CodeInvalidCredentials:
			n++
		default:
			wait := requireCode(t, devicetotp.CodeTooManyAttempts, err).RetryAfter
			if wait == 0 {
				return n
			}
			o.Clock.Advance(wait)
		}
		require.LessOrEqual(t, n, verifier.MaxFailures)
	}
}

func requireLocked(t *testing.T, err error) {
	t.Helper()
	require.Zero(t, requireCode(t, devicetotp.CodeTooManyAttempts, err).RetryAfter, "no wait ends it")
}
