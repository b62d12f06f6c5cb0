package devicetotp_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/clock"
	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/memstore"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/devicetotptest"
	totperrors "example.com/devicetotp/errors"
	"example.com/devicetotp/verifier"
)

func testKeys(t testing.TB) *credential.Keyring {
	t.Helper()
	keys, err := credential.NewKeyring("k1", credential.NewKey("k1"))
	require.NoError(t, err)
	return keys
}

// fieldsOf returns the fields that a joined configuration error names.
func fieldsOf(t *testing.T, err error) (fields []string) {
	t.Helper()
	require.Error(t, err)
	require.ErrorIs(t, err, devicetotp.ErrInvalid)
	joined, ok := err.(interface{ Unwrap() []error })
	require.True(t, ok, "every mistake is reported at once")
	for _, mistake := range joined.Unwrap() {
		var e *devicetotp.Error
		require.ErrorAs(t, mistake, &e)
		require.Equal(t, totperrors.CodeInvalidArgument, e.Code)
		require.Equal(t, devicetotp.OpNewIssuer, e.Op)
		require.Error(t, e.Err, "the rule is named")
		fields = append(fields, e.Field)
	}
	return fields
}

type nilSource struct{}

func (*nilSource) NewSecret(context.Context, int) (credential.Secret, error) {
	return credential.Secret{}, nil
}

func TestNewIssuerReportsEveryMistakeByField(t *testing.T) {
	_, err := devicetotp.NewIssuer(nil, nil, devicetotp.Config{})
	require.Equal(t, []string{"store", "keys"}, fieldsOf(t, err))

	_, err = devicetotp.NewIssuer((*memstore.Store)(nil), &credential.Keyring{}, devicetotp.Config{
		Clock:    clock.Func(nil),
		Secrets:  (*nilSource)(nil),
		OTP:      verifier.Func(nil),
		Password: verifier.Func(nil),
		PIN:      verifier.Func(nil),
	})
	require.Equal(t, []string{"store", "keys", "Config.Clock", "Config.Secrets", "Config.OTP", "Config.Password", "Config.PIN"},
		fieldsOf(t, err), "a typed nil in an interface is not nil")

	_, err = devicetotp.NewIssuer(nil, testKeys(t), devicetotp.Config{Policy: &devicetotp.Policy{}})
	fields := fieldsOf(t, err)
	for _, field := range []string{
		"store", "Config.Policy.MaxDevices", "Config.Policy.UnusedAfter", "Config.Policy.Algorithm", "Config.Policy.Digits",
		"Config.Policy.Period", "Config.Policy.OTP.BackoffFrom",
		"Config.Policy.Password.Backoff", "Config.Policy.PIN.BackoffFrom", "Config.Policy.Device.BlockAt",
	} {
		require.Contains(t, fields, field, "an all-zero policy is refused")
	}
}

// kinds returns n kinds of OTP.
func kinds(n int) (out []string) {
	for i := range n {
		out = append(out, fmt.Sprint("kind-", i))
	}
	return out
}

// issuing returns the change to a policy that issues secrets of size bytes for a.
func issuing(a credential.Algorithm, size int) func(*devicetotp.Policy) {
	return func(p *devicetotp.Policy) { p.Algorithm, p.SecretSize = a, size }
}

// An operator who chose parameters that no app can use reads why.
func TestUnusableParametersAreRefusedWithTheReason(t *testing.T) {
	for want, change := range map[string]func(*devicetotp.Policy){
		"is 7, must be 6 or 8: authenticator apps do not generate codes of 7 digits":                                                func(p *devicetotp.Policy) { p.Digits = 7 },
		"is 20, must be 64, or 0 for that, with SHA512: some authenticator apps pad a shorter secret and then generate other codes": issuing(credential.AlgorithmSHA512, 20),
		"is 20, must be 32, or 0 for that, with SHA256: some authenticator apps pad a shorter secret and then generate other codes": issuing(credential.AlgorithmSHA256, 20),
		"is 15, must be from 16 (RFC 4226 requirement R6) to 64 (a block of the hash), or 0 for 20, with SHA1":                      issuing(credential.AlgorithmSHA1, 15),
		"is 128, must be from 16 (RFC 4226 requirement R6) to 64 (a block of the hash), or 0 for 20, with SHA1":                     issuing(credential.AlgorithmSHA1, 128),
		"is 30.5s, must be in whole seconds": func(p *devicetotp.Policy) { p.Period = 30500 * time.Millisecond },
	} {
		policy := devicetotp.DefaultPolicy()
		change(&policy)
		_, err := devicetotp.NewIssuer(memstore.New(), testKeys(t), devicetotp.Config{Policy: &policy})
		require.Len(t, fieldsOf(t, err), 1)
		require.ErrorContains(t, err, want)
	}
}

// The algorithm alone says how long the secret is, unless a size is given.
func TestTheSecretFitsTheAlgorithm(t *testing.T) {
	for _, c := range []struct {
		algorithm  credential.Algorithm
		size, want int
	}{
		{credential.AlgorithmSHA1, 0, 20}, {credential.AlgorithmSHA256, 0, 32}, {credential.AlgorithmSHA512, 0, 64},
		{credential.AlgorithmSHA1, 16, 16}, {credential.AlgorithmSHA512, 64, 64},
	} {
		w := devicetotptest.New(t, devicetotptest.WithPolicy(issuing(c.algorithm, c.size)))
		w.Account("acct").RegisteredAgo(0)
		d, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct"})
		require.NoError(t, err)
		require.Len(t, d.Secret.Reveal(), c.want, "%v", c.algorithm)
		require.Equal(t, c.algorithm, d.Algorithm)
		_, err = w.Issuer.Verify(t.Context(), devicetotp.VerifyRequest{AccountID: "acct", Code: w.Phone(d).Code()})
		require.NoError(t, err)
	}
}

func TestPolicyBounds(t *testing.T) {
	attempts := func(change func(*verifier.AttemptPolicy)) verifier.AttemptPolicy {
		p := verifier.DefaultAttempts(10)
		change(&p)
		return p
	}
	for _, c := range []struct {
		field  string
		change func(*devicetotp.Policy)
		ok     bool
	}{
		{"GraceWindow", func(p *devicetotp.Policy) { p.GraceWindow = -1 }, false},
		{"GraceWindow", func(p *devicetotp.Policy) { p.GraceWindow = 0 }, true},
		{"GraceWindow", func(p *devicetotp.Policy) { p.GraceWindow = 24*time.Hour + 1 }, false},
		{"ClockTolerance", func(p *devicetotp.Policy) { p.ClockTolerance = -1 }, false},
		{"ClockTolerance", func(p *devicetotp.Policy) { p.ClockTolerance = 5 * time.Minute }, true},
		{"ClockTolerance", func(p *devicetotp.Policy) { p.ClockTolerance = 5*time.Minute + 1 }, false},
		{"GraceDevices", func(p *devicetotp.Policy) { p.GraceDevices = -1 }, false},
		{"GraceDevices", func(p *devicetotp.Policy) { p.GraceDevices = 0 }, true},
		{"RetryWindow", func(p *devicetotp.Policy) { p.RetryWindow = 10 * time.Minute }, true},
		{"RetryWindow", func(p *devicetotp.Policy) { p.RetryWindow = 10*time.Minute + 1 }, false},
		{"RetryWindow", func(p *devicetotp.Policy) { p.RetryWindow = -1 }, false},
		{"MaxDevices", func(p *devicetotp.Policy) { p.MaxDevices = 0 }, false},
		{"MaxDevices", func(p *devicetotp.Policy) { p.MaxDevices = credential.MaxDevices + 1 }, false},
		{"UnusedAfter", func(p *devicetotp.Policy) { p.UnusedAfter = p.RetryWindow - 1 }, false},
		{"UnusedAfter", func(p *devicetotp.Policy) { p.UnusedAfter = 876000 * time.Hour }, true}, // a hundred years
		{"UnusedAfter", func(p *devicetotp.Policy) { p.UnusedAfter = 876000*time.Hour + 1 }, false},
		{"Algorithm", func(p *devicetotp.Policy) { p.Algorithm = 4 }, false},
		{"Digits", func(p *devicetotp.Policy) { p.Digits = 5 }, false},
		{"Digits", func(p *devicetotp.Policy) { p.Digits = 7 }, false},
		{"Digits", func(p *devicetotp.Policy) { p.Digits = 8 }, true},
		{"Digits", func(p *devicetotp.Policy) { p.Digits = 9 }, false},
		{"Period", func(p *devicetotp.Policy) { p.Period = 15*time.Second - 1 }, false},
		{"Period", func(p *devicetotp.Policy) { p.Period = 15 * time.Second }, true},
		{"Period", func(p *devicetotp.Policy) { p.Period = 30*time.Second + 1 }, false},
		{"Period", func(p *devicetotp.Policy) { p.Period = 120 * time.Second }, true},
		{"Period", func(p *devicetotp.Policy) { p.Period = 121 * time.Second }, false},
		{"SecretSize", func(p *devicetotp.Policy) { p.SecretSize = 15 }, false},
		{"SecretSize", func(p *devicetotp.Policy) { p.SecretSize = 16 }, true},
		{"SecretSize", func(p *devicetotp.Policy) { p.SecretSize = 64 }, true},
		{"SecretSize", func(p *devicetotp.Policy) { p.SecretSize = 65 }, false},
		{"SecretSize", func(p *devicetotp.Policy) { p.SecretSize = -1 }, false},
		{"SecretSize", issuing(credential.AlgorithmSHA1, 0), true},
		{"SecretSize", issuing(credential.AlgorithmSHA256, 0), true},
		{"SecretSize", issuing(credential.AlgorithmSHA256, 20), false},
		{"SecretSize", issuing(credential.AlgorithmSHA256, 32), true},
		{"SecretSize", issuing(credential.AlgorithmSHA256, 33), false},
		{"SecretSize", issuing(credential.AlgorithmSHA512, 0), true},
		{"SecretSize", issuing(credential.AlgorithmSHA512, 20), false},
		{"SecretSize", issuing(credential.AlgorithmSHA512, 63), false},
		{"SecretSize", issuing(credential.AlgorithmSHA512, 64), true},
		{"Algorithm", issuing(4, 20), false},
		{"OTPKinds", func(p *devicetotp.Policy) { p.OTPKinds = nil }, true},
		{"OTPKinds", func(p *devicetotp.Policy) { p.OTPKinds = []string{"sms-2"} }, true},
		{"OTPKinds", func(p *devicetotp.Policy) { p.OTPKinds = []string{"a", "az09-", strings.Repeat("z", 32)} }, true},
		{"OTPKinds", func(p *devicetotp.Policy) { p.OTPKinds = []string{strings.Repeat("z", 33)} }, false},
		{"OTPKinds", func(p *devicetotp.Policy) { p.OTPKinds = kinds(credential.MaxCodes) }, true},
		{"OTPKinds", func(p *devicetotp.Policy) { p.OTPKinds = kinds(credential.MaxCodes + 1) }, false},
		{"OTPKinds", func(p *devicetotp.Policy) { p.OTPKinds = []string{"a b"} }, false},
		{"OTPKinds", func(p *devicetotp.Policy) { p.OTPKinds = []string{""} }, false},
		{"OTPKinds", func(p *devicetotp.Policy) { p.OTPKinds = []string{"SMS"} }, false},
		{"OTPKinds", func(p *devicetotp.Policy) { p.OTPKinds = []string{"sms", "sms"} }, false},
		{"OTP.BlockAt", func(p *devicetotp.Policy) { p.OTP = attempts(func(a *verifier.AttemptPolicy) { a.BlockAt = 101 }) }, false},
		{"Password.Backoff", func(p *devicetotp.Policy) { p.Password = attempts(func(a *verifier.AttemptPolicy) { a.Backoff = -1 }) }, false},
		{"PIN.BlockAt", func(p *devicetotp.Policy) { p.PIN = attempts(func(a *verifier.AttemptPolicy) { a.BlockAt = 4 }) }, false},
		{"Device.BackoffFrom", func(p *devicetotp.Policy) { p.Device = attempts(func(a *verifier.AttemptPolicy) { a.BackoffFrom = 0 }) }, false},
		// A device sees so many wrong values as both of its limits have together.
		{"UnnamedDevice.BlockAt", func(p *devicetotp.Policy) { p.Device.BlockAt, p.UnnamedDevice.BlockAt = 40, 60 }, true},
		{"UnnamedDevice.BlockAt", func(p *devicetotp.Policy) { p.Device.BlockAt, p.UnnamedDevice.BlockAt = 41, 60 }, false},
		{"UnnamedDevice.BlockAt", func(p *devicetotp.Policy) { p.Device.BlockAt, p.UnnamedDevice.BlockAt = 40, 61 }, false},
	} {
		policy := devicetotp.DefaultPolicy()
		c.change(&policy)
		_, err := devicetotp.NewIssuer(memstore.New(), testKeys(t), devicetotp.Config{Policy: &policy})
		if c.ok {
			require.NoError(t, err, "%s: %+v", c.field, policy)
			continue
		}
		for _, field := range fieldsOf(t, err) {
			require.Equal(t, "Config.Policy."+c.field, field)
		}
	}
}

func TestLimitsBounds(t *testing.T) {
	patient := devicetotp.DefaultPolicy()
	patient.Password.BackoffFrom = 20
	for _, c := range []struct {
		field  string
		limits devicetotp.Limits
		policy *devicetotp.Policy
		ok     bool
	}{
		{"", devicetotp.Limits{}, nil, true},
		{"", devicetotp.Limits{}, &patient, true},
		{"MaxRounds", devicetotp.Limits{MaxRounds: 7}, nil, false},
		{"MaxRounds", devicetotp.Limits{MaxRounds: 8}, nil, true},
		{"MaxRounds", devicetotp.Limits{MaxRounds: 16}, &patient, false},
		{"MaxRounds", devicetotp.Limits{MaxRounds: 101}, nil, false},
		{"RoundsTimeout", devicetotp.Limits{RoundsTimeout: 1}, nil, false},
		{"RoundsTimeout", devicetotp.Limits{RoundsTimeout: time.Millisecond}, nil, true},
		{"StoreTimeout", devicetotp.Limits{StoreTimeout: -time.Second}, nil, false},
		{"VerifierTimeout", devicetotp.Limits{VerifierTimeout: time.Minute + 1}, nil, false},
		{"MaxWaiting", devicetotp.Limits{MaxWaiting: 1<<20 + 1}, nil, false},
		{"MaxWaiting", devicetotp.Limits{MaxWaiting: -1}, nil, true},
	} {
		_, err := devicetotp.NewIssuer(memstore.New(), testKeys(t), devicetotp.Config{Policy: c.policy, Limits: c.limits})
		if c.ok {
			require.NoError(t, err, "%+v", c)
			continue
		}
		require.Equal(t, []string{"Config.Limits." + c.field}, fieldsOf(t, err))
	}
}

func TestDefaultPolicyIsValidAndCopied(t *testing.T) {
	policy := devicetotp.DefaultPolicy()
	_, err := devicetotp.NewIssuer(memstore.New(), testKeys(t), devicetotp.Config{Policy: &policy})
	require.NoError(t, err)
	_, err = devicetotp.NewIssuer(memstore.New(), testKeys(t), devicetotp.Config{})
	require.NoError(t, err)
}

func TestZeroIssuerRefuses(t *testing.T) {
	var zero devicetotp.Issuer
	_, err := zero.Create(t.Context(), devicetotp.CreateRequest{AccountID: "a"})
	require.Equal(t, totperrors.CodeInternal, devicetotp.CodeOf(err))
	_, err = zero.Verify(t.Context(), devicetotp.VerifyRequest{AccountID: "a", Code: credential.NewSecret("123456")})
	require.Equal(t, totperrors.CodeInternal, devicetotp.CodeOf(err))
	require.Equal(t, totperrors.CodeInternal, devicetotp.CodeOf(zero.Unblock(t.Context(), devicetotp.UnblockRequest{AccountID: "a"})))
	_, err = zero.AddCode(t.Context(), devicetotp.AddCodeRequest{
		AccountID: "a", Kind: verifier.KindAccount, Code: credential.NewSecret("123456"), TTL: time.Minute,
	})
	require.Equal(t, totperrors.CodeInternal, devicetotp.CodeOf(err))
	_, err = zero.ReplaceRecoveryCodes(t.Context(), devicetotp.RecoveryRequest{AccountID: "a"})
	require.Equal(t, totperrors.CodeInternal, devicetotp.CodeOf(err))
}
