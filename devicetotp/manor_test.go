package devicetotp_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/memstore"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/devicetotptest"
	"example.com/devicetotp/verifier"
)

// manor is an account that has everything that can be guessed at; and of the
// attacker's a device of their own and one that rests on grace.
type manor struct {
	*devicetotptest.World
	account            *devicetotptest.Account
	own, grace, target *devicetotptest.Phone
	turning            string                       // the device with a pending rotation
	secrets            map[string]credential.Secret // of the devices of before, by id
	sent               int                          // one-time codes
	copies             [2]*memstore.Store           // for what is tried out
	issuers            [2]*devicetotp.Issuer
}

// Devices that were never used, by what they were made on, and other ids.
const (
	onMailedCodeID = "00000000-0000-4000-8000-000000000010" // the second one of its id
	onGraceCodeID  = "00000000-0000-4000-8000-000000000011"
	onPINID        = "00000000-0000-4000-8000-000000000012"
	revokedID      = "00000000-0000-4000-8000-000000000013"
	newID          = "00000000-0000-4000-8000-000000000014"
)

func hashed(value string) string { return "hash of " + value }

// comparing compares with a hash that is none, which takes no time.
var comparing = verifier.Func(func(_ context.Context, q verifier.Query) (verifier.Verdict, error) {
	if q.Hash.Present() && q.Hash.Reveal() == hashed(q.Presented.Reveal()) {
		return verifier.Verdict{Status: verifier.StatusValid}, nil
	}
	return verifier.Verdict{Status: verifier.StatusWrong}, nil
})

func manorConfig(c *devicetotp.Config) {
	twoKinds(c)
	withRecovery(c)
	c.Password, c.PIN = comparing, comparing
}

func newManor(t *testing.T) *manor {
	t.Helper()
	w := devicetotptest.New(t, manorConfig)
	m := &manor{World: w, account: w.Account("acct").RegisteredAgo(0), secrets: map[string]credential.Secret{}}
	m.change(t, func(a *credential.Account) { a.PINHash, a.PasswordHash = hashed("8299"), hashed("password") })
	m.grace = w.Phone(m.create(t, devicetotp.CreateRequest{DeviceID: otherID(0)}))
	m.target = m.account.Device("target", time.Hour)
	m.own = m.account.Device("own", time.Hour)
	m.turning = m.account.Device("turning", time.Hour).DeviceID
	for _, d := range m.account.Stored().State.Devices {
		var err error
		m.secrets[d.ID], _, err = w.Keys.Open(credential.DeviceScope("acct", &d), d.Sealed)
		require.NoError(t, err)
	}
	require.NoError(t, rotationOf(rotationID(0), byOTP, m.turning)(t, w.Issuer, m.mail(t, verifier.KindAccount)))
	for range 2 {
		m.create(t, devicetotp.CreateRequest{DeviceID: onMailedCodeID, OTP: m.mail(t, "sms")})
	}
	m.create(t, devicetotp.CreateRequest{DeviceID: onGraceCodeID, OTP: m.grace.Drifted(-1)})
	m.create(t, devicetotp.CreateRequest{DeviceID: onPINID, PIN: secret("8299")})
	m.create(t, devicetotp.CreateRequest{DeviceID: revokedID, PIN: secret("8299")})
	_, err := w.Issuer.Revoke(t.Context(), devicetotp.RevokeRequest{AccountID: "acct", DeviceIDs: []string{revokedID}})
	require.NoError(t, err)
	m.mail(t, verifier.KindAccount)
	m.mail(t, "sms")
	_, err = w.Issuer.ReplaceRecoveryCodes(t.Context(), devicetotp.RecoveryRequest{AccountID: "acct", Count: 2})
	require.NoError(t, err)
	m.makeCopies(t)
	return m
}

func (m *manor) makeCopies(t *testing.T) {
	t.Helper()
	for i := range m.copies {
		m.copies[i] = memstore.New()
		cfg := devicetotp.Config{Clock: m.Clock, Secrets: sourceFunc(func(_ context.Context, size int) (credential.Secret, error) {
			return secret(strings.Repeat("s", size)), nil
		})}
		manorConfig(&cfg)
		var err error
		m.issuers[i], err = devicetotp.NewIssuer(m.copies[i], m.Keys, cfg)
		require.NoError(t, err)
	}
}

func (m *manor) change(t *testing.T, change func(*credential.Account)) {
	t.Helper()
	a := m.account.Stored()
	change(&a)
	require.NoError(t, m.Store.Accounts.Replace(t.Context(), a))
}

func (m *manor) create(t *testing.T, r devicetotp.CreateRequest) devicetotp.DeviceTOTP {
	t.Helper()
	r.AccountID = "acct"
	d, err := m.Issuer.Create(t.Context(), r)
	require.NoError(t, err)
	return d
}

// mail announces another code of the kind, unless that is refused.
func (m *manor) mail(t *testing.T, kind string) credential.Secret {
	t.Helper()
	m.sent++
	code := secret(fmt.Sprintf("5%07d", m.sent))
	_, err := m.Issuer.AddCode(t.Context(), devicetotp.AddCodeRequest{AccountID: "acct", Kind: kind, Code: code, TTL: 10 * time.Minute})
	require.Contains(t, []devicetotp.Code{"", devicetotp.CodeTooManyAttempts}, devicetotp.CodeOf(err))
	return code
}

// hidden is a secret of the manor.
type hidden struct {
	name string
	// put makes it x, or something else; false if there is no such secret now, or it
	// cannot be x.
	put func(m *manor, a *credential.Account, x credential.Secret, same bool) bool
	// failures are those of what guards it.
	failures func(m *manor, s *credential.State) int
	// of is what it is presented as, once if it is then spent.
	of   credential.Factor
	once bool
}

// orOther is x, or something else of no length that is presented.
func orOther(x credential.Secret, same bool) credential.Secret {
	if same {
		return x
	}
	return secret("3141592")
}

// everyHidden are all secrets of the manor.
func everyHidden() []hidden {
	id := func(id string) func(*manor) string { return func(*manor) string { return id } }
	target := func(m *manor) string { return m.target.DeviceID }
	turning := func(m *manor) string { return m.turning }
	return []hidden{
		hiddenCode(verifier.KindAccount), hiddenCode("sms"),
		hiddenProof("the OTP of a proved device", id(onMailedCodeID), func(d *credential.Device) *[]byte { return &d.ProofDigest }),
		hiddenProof("the OTP of a device on grace", id(onGraceCodeID), func(d *credential.Device) *[]byte { return &d.ProofDigest }),
		hiddenProof("the OTP of a replaced device", id(onMailedCodeID), func(d *credential.Device) *[]byte {
			if len(d.Replaced) == 0 {
				return nil
			}
			return &d.Replaced[0].Digest
		}),
		hiddenProof("the OTP of a rotation", turning, func(d *credential.Device) *[]byte {
			if d.Rotation == nil {
				return nil
			}
			return &d.Rotation.ProofDigest
		}),
		hiddenSecret(targetCode, target, false),
		hiddenSecret("the turning device's code", turning, false), hiddenSecret("the turning device's next code", turning, true),
		hiddenRecovery(),
		hiddenHash(credential.FactorPassword), hiddenHash(credential.FactorPIN),
	}
}

func hiddenCode(kind string) hidden {
	return hidden{"the code of kind " + kind, func(m *manor, a *credential.Account, x credential.Secret, same bool) bool {
		for i := range a.State.Codes {
			c := &a.State.Codes[i]
			if c.Kind == kind && !c.Withdrawn && !a.State.IsSpent(c.ProofID()) && m.Clock.Now().Before(c.ExpiresAt) {
				c.Digest = m.digest(credential.Scope{Purpose: credential.PurposeOneTimeCode, AccountID: "acct", Subject: c.ID}, orOther(x, same))
				return true
			}
		}
		return false
	}, func(_ *manor, s *credential.State) int { return s.KindAttempts(kind).Failures }, byOTP, true}
}

func (m *manor) digest(scope credential.Scope, value credential.Secret) []byte {
	return sure(m.Keys.Digest(scope, value))
}

func hiddenProof(name string, id func(*manor) string, at func(*credential.Device) *[]byte) hidden {
	return hidden{name, func(m *manor, a *credential.Account, x credential.Secret, same bool) bool {
		d := deviceOf(&a.State, id(m))
		if d == nil || at(d) == nil || *at(d) == nil {
			return false
		}
		*at(d) = m.digest(credential.Scope{Purpose: credential.PurposeProof, AccountID: "acct", Subject: d.ID}, orOther(x, same))
		return true
	}, func(m *manor, s *credential.State) int {
		if d := deviceOf(s, id(m)); d != nil {
			return d.Named.Failures
		}
		return 0
	}, byOTP, false}
}

func deviceOf(s *credential.State, id string) *credential.Device {
	if i := s.DeviceIndex(id); i >= 0 {
		return &s.Devices[i]
	}
	return nil
}

// hiddenSecret is the secret of a device, or the new one of its rotation. It
// generates x if it is that of a device that does.
func hiddenSecret(name string, id func(*manor) string, rotated bool) hidden {
	return hidden{name, func(m *manor, a *credential.Account, x credential.Secret, same bool) bool {
		d, of := deviceOf(&a.State, id(m)), secret("another secret of 20")
		for _, phone := range []*devicetotptest.Phone{m.own, m.grace, m.target} {
			if same && phone.Code().Equal(x) {
				of, same = m.secrets[phone.DeviceID], false
			}
		}
		switch {
		case same || d == nil || rotated && !d.Rotation.Pending(m.Clock.Now()):
			return false
		case rotated:
			d.Rotation.LastStep = 0
			d.Rotation.Sealed = sure(m.Keys.Seal(credential.RotationScope("acct", d, d.Rotation), of))
		default:
			d.LastStep = 1
			d.Sealed = sure(m.Keys.Seal(credential.DeviceScope("acct", d), of))
		}
		return true
	}, func(m *manor, s *credential.State) int {
		if d := deviceOf(s, id(m)); d != nil {
			return d.Attempts.Failures
		}
		return 0
	}, byOTP, true}
}

func hiddenRecovery() hidden {
	return hidden{"a recovery code", func(m *manor, a *credential.Account, x credential.Secret, same bool) bool {
		if _, typed := credential.RecoveryText(x); !typed || a.State.Recovery.Left == 0 {
			return false
		}
		of := secret("2222-2222-2222-2222")
		if same {
			of = x
		}
		return a.State.Recovery.Replace(m.Keys, "acct", []credential.Secret{of}, m.Clock.Now()) == nil
	}, func(_ *manor, s *credential.State) int { return s.Recovery.Attempts.Failures }, byOTP, true}
}

// hiddenHash is a password or PIN. What failed against the one of before counts as
// if it had been against this one.
func hiddenHash(f credential.Factor) hidden {
	return hidden{"the " + f.String(), func(_ *manor, a *credential.Account, x credential.Secret, same bool) bool {
		hash := &a.PINHash
		if f == byPassword {
			hash = &a.PasswordHash
		}
		*hash = hashed(orOther(x, same).Reveal())
		counted := a.State.Attempts(f)
		counted.Against = credential.Fingerprint(*hash)
		a.State.SetAttempts(f, counted)
		return true
	}, func(_ *manor, s *credential.State) int { return s.Attempts(f).Failures }, f, false}
}

// sure returns v of what cannot fail here.
func sure[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
