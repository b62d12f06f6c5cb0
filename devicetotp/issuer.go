package devicetotp

import (
	"context"
	"slices"
	"sync/atomic"

	"example.com/devicetotp/clock"
	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp/internal/nilcheck"
	"example.com/devicetotp/devicetotp/internal/rounds"
	"example.com/devicetotp/verifier"
)

// Config configures an [Issuer]. The zero value is complete: every field has a
// default.
type Config struct {
	// Clock returns the time. Default: clock.System.
	Clock Clock
	// Secrets makes the secrets of new devices. It is asked at most once a
	// request, and before a presented value is checked: a source that failed
	// only after a right value would reveal that it was right. Default:
	// credential.RandomSecrets.
	Secrets SecretSource
	// OTP, Password and PIN decide whether a presented value is right. Default:
	// those of package verifier, with the shared hasher. verifier.Off never
	// accepts the factor.
	OTP, Password, PIN verifier.Verifier
	// Policy has the rules; it is copied. If nil, [DefaultPolicy] holds.
	Policy *Policy
	// Limits bound the work of one request. The zero value means the defaults.
	Limits Limits
	// Observer receives one [Event] for each request, after the save and before
	// the response, with the context of the request. It runs on the caller's
	// time and must be safe for concurrent use; a panic in it is contained.
	Observer func(context.Context, Event)
	// OnRehash is called after a password or PIN was found valid whose stored
	// hash is outdated, with the hash to store in its place. Write it with
	// compare-and-set on from, because the user may have changed it meanwhile:
	//
	//	UPDATE users SET pin_hash = $to WHERE id = $account AND pin_hash = $from
	//
	// A store's RotateHash does that, so it can be given directly. It runs in a
	// goroutine of its own, once the request is answered, at most four of them at
	// a time, each bounded by Limits.VerifierTimeout. If it fails or is left out,
	// the hash is renewed at the next success. If nil, hashes are never renewed.
	//
	// Before you set it, make every other place that compares this hash, such as the
	// login, use verifier.Hasher.Compare, which takes every form. A login that calls
	// bcrypt.CompareHashAndPassword locks the user out for good: what was bcrypt is
	// argon2id after the first success. The new hash of a PIN is sealed: open it with
	// credential.Keyring.OpenPINHash first. If Password is verifier.Normalized, the new
	// hash of a password is one of its normal form. A change of password by
	// compare-and-set may lose to a renewal once: OPERATIONS.md shows what to do.
	OnRehash func(ctx context.Context, accountID string, f credential.Factor, from, to string) error
}

// Issuer issues device TOTPs and verifies their codes. Make one with
// [NewIssuer]; it is safe for concurrent use, and one for each process is
// right, because requests for one account wait for each other within it. The
// zero value answers every request with an internal error.
type Issuer struct {
	engine    *rounds.Engine
	keys      *credential.Keyring
	secrets   SecretSource
	verifiers map[credential.Factor]verifier.Verifier
	ownOTP    bool // the verifier of OTPs is the host's own
	policy    Policy
	observer  func(context.Context, Event)
	limits    Limits
	onRehash  func(ctx context.Context, accountID string, f credential.Factor, from, to string) error
	renewals  *atomic.Int32 // of hashes, under way
}

// NewIssuer returns an issuer of the accounts in store, whose values at rest
// are sealed with keys. Every mistake is reported at once: the error joins one
// [Error] for each, which names the field.
func NewIssuer(store CredentialStore, keys *credential.Keyring, cfg Config) (*Issuer, error) {
	var m mistakes
	if nilcheck.IsNil(store) {
		m.add("store", "must not be nil")
	}
	if !keys.Valid() {
		m.add("keys", "must hold at least one key")
	}
	m.prefix = "Config."
	for _, c := range []struct {
		field string
		value any
	}{
		{"Clock", cfg.Clock}, {"Secrets", cfg.Secrets},
		{"OTP", cfg.OTP}, {"Password", cfg.Password}, {"PIN", cfg.PIN},
	} {
		if c.value != nil && nilcheck.IsNil(c.value) {
			m.add(c.field, "holds a nil %T", c.value)
		}
	}
	policy := DefaultPolicy()
	if cfg.Policy != nil {
		policy = *cfg.Policy
		policy.OTPKinds = slices.Clone(policy.OTPKinds)
		m.prefix = "Config.Policy."
		policy.check(&m)
	}
	m.prefix = "Config.Limits."
	limits := cfg.Limits.complete(&policy, &m)
	if err := m.err(); err != nil {
		return nil, err
	}
	cfg.Clock = or(cfg.Clock, clock.System)
	return &Issuer{
		engine:  rounds.NewEngine(store, cfg.Clock, rounds.Limits(limits)),
		keys:    keys,
		secrets: or(cfg.Secrets, credential.RandomSecrets),
		verifiers: map[credential.Factor]verifier.Verifier{
			credential.FactorOTP:      or(cfg.OTP, func() verifier.Verifier { return verifier.OTP(keys, policy.OTPKinds...) }),
			credential.FactorPassword: or(cfg.Password, func() verifier.Verifier { return verifier.Password(nil) }),
			credential.FactorPIN:      or(cfg.PIN, func() verifier.Verifier { return verifier.PIN(keys, nil) }),
		},
		ownOTP:   cfg.OTP != nil,
		policy:   policy,
		limits:   limits,
		observer: cfg.Observer,
		onRehash: cfg.OnRehash,
		renewals: new(atomic.Int32),
	}, nil
}

// or returns given, or fallback() if given is the zero value.
func or[T comparable](given T, fallback func() T) T {
	var none T
	if given == none {
		return fallback()
	}
	return given
}
