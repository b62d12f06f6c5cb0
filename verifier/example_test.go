package verifier_test

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/verifier"
)

// A host with a password service of its own plugs it in as a Verifier.
func ExampleVerifier() {
	var password verifier.Verifier = verifier.Func(func(_ context.Context, q verifier.Query) (verifier.Verdict, error) {
		// Ask the password service about q.AccountID here.
		if q.Presented.Reveal() != "superSecret12345!" {
			return verifier.Verdict{Status: verifier.StatusWrong}, nil
		}
		return verifier.Verdict{Status: verifier.StatusValid}, nil
	})
	verdict, err := password.Verify(context.Background(), verifier.Query{AccountID: "alice", Presented: credential.NewSecret("superSecret12345!")})
	fmt.Println(verdict.Status, err)
	// Output: valid <nil>
}

func ExamplePassword() {
	ctx := context.Background()
	hasher := verifier.DefaultHasher() // share one in the process
	stored, err := hasher.Hash(ctx, credential.NewSecret("superSecret12345!"))
	if err != nil {
		fmt.Println(err)
		return
	}
	account := credential.Account{ID: "alice", PasswordHash: stored}
	for _, presented := range []string{"superSecret12345!", "SuperSecret12345!"} {
		verdict, err := verifier.Password(hasher).Verify(ctx, verifier.NewQuery(account, credential.FactorPassword, credential.NewSecret(presented), time.Now()))
		fmt.Println(verdict.Status, err)
	}
	// Output:
	// valid <nil>
	// wrong <nil>
}

// A PIN hash is stored sealed, because the hash alone of so short a value does
// not keep it from whoever reads the database.
func ExamplePIN() {
	ctx := context.Background()
	keys, _ := credential.NewKeyring("2026-05", credential.NewKey("2026-05"))
	hasher := verifier.DefaultHasher()
	hash, _ := hasher.HashPIN(ctx, credential.NewSecret("8299"))
	account := credential.Account{ID: "alice"}
	account.PINHash, _ = keys.SealPINHash(account.ID, hash)

	verdict, err := verifier.PIN(keys, hasher).Verify(ctx, verifier.NewQuery(account, credential.FactorPIN, credential.NewSecret("8299"), time.Now()))
	fmt.Println(verdict.Status, verdict.Outdated, err)

	account.PINHash = hash // as it may come from a table of the host
	verdict, err = verifier.PIN(keys, hasher).Verify(ctx, verifier.NewQuery(account, credential.FactorPIN, credential.NewSecret("8299"), time.Now()))
	fmt.Println(verdict.Status, verdict.Outdated, err)
	// Output:
	// valid false <nil>
	// valid true <nil>
}

// Renew a stored hash that is behind as soon as its value is known.
func ExampleRehasher() {
	ctx := context.Background()
	account := credential.Account{ID: "alice", PasswordHash: "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"}
	password := verifier.Password(nil)
	presented := credential.NewSecret("U*U")
	query := verifier.NewQuery(account, credential.FactorPassword, presented, time.Now())
	verdict, _ := password.Verify(ctx, query)
	fmt.Println(verdict.Status, verdict.Outdated)
	if verdict.Outdated {
		renewed, err := password.Rehash(ctx, query)
		fmt.Println(renewed[:31], err)
	}
	// Output:
	// valid true
	// $argon2id$v=19$m=19456,t=2,p=1$ <nil>
}

// salted accepts what a service of the past stored: "sha256$", a salt, and SHA-256
// of both, beside whatever verifier.Password accepts, which makes the new hashes.
type salted struct{ standard verifier.Verifier }

func (s salted) Verify(ctx context.Context, q verifier.Query) (verifier.Verdict, error) {
	parts := strings.Split(q.Hash.Reveal(), "$")
	if len(parts) != 3 || parts[0] != "sha256" {
		return s.standard.Verify(ctx, q)
	}
	sum := sha256.Sum256([]byte(parts[1] + q.Presented.Reveal()))
	if subtle.ConstantTimeCompare([]byte(hex.EncodeToString(sum[:])), []byte(parts[2])) != 1 {
		return verifier.Verdict{Status: verifier.StatusWrong}, nil
	}
	return verifier.Verdict{Status: verifier.StatusValid, Outdated: true}, nil
}

func (s salted) Rehash(ctx context.Context, q verifier.Query) (string, error) {
	return s.standard.(verifier.Rehasher).Rehash(ctx, q)
}

// A host accepts hashes of a form of its own, until their users have signed in.
func ExampleRehasher_form() {
	password := salted{verifier.Password(nil)} // Config.Password
	account := credential.Account{ID: "alice", PasswordHash: "sha256$5a1t$569caecf89a89b278abac3225e3979cefa34840b305ec6ab579ce6acb9950c90"}
	query := verifier.NewQuery(account, credential.FactorPassword, credential.NewSecret("superSecret12345!"), time.Now())
	verdict, err := password.Verify(context.Background(), query)
	fmt.Println(verdict.Status, verdict.Outdated, err)

	// What the Issuer does then, and hands to Config.OnRehash.
	renewed, err := password.Rehash(context.Background(), query)
	fmt.Println(renewed[:31], err)
	query.Hash = credential.NewSecret(renewed)
	verdict, err = password.Verify(context.Background(), query)
	fmt.Println(verdict.Status, verdict.Outdated, err)
	// Output:
	// valid true <nil>
	// $argon2id$v=19$m=19456,t=2,p=1$ <nil>
	// valid false <nil>
}

// The verdict on a user OTP names the proof that must be spent with it.
func ExampleOTP() {
	keys, _ := credential.NewKeyring("2026-05", credential.NewKey("2026-05"))
	now := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	code := credential.OneTimeCode{ID: "00c0ffee00c0ffee", Kind: verifier.KindAccount, ExpiresAt: now.Add(5 * time.Minute)}
	scope := credential.Scope{Purpose: credential.PurposeOneTimeCode, AccountID: "alice", Subject: code.ID}
	code.Digest, _ = keys.Digest(scope, credential.NewSecret("12345678"))
	account := credential.Account{ID: "alice", State: credential.State{Codes: []credential.OneTimeCode{code}}}

	otp := verifier.OTP(keys, verifier.KindAccount, verifier.KindDeviceTOTP)
	verdict, err := otp.Verify(context.Background(), verifier.NewQuery(account, credential.FactorOTP, credential.NewSecret("12345678"), now))
	fmt.Println(verdict.Status, verdict.ProofID, verdict.Until.Sub(now), err)

	account.State.Spent = []credential.SpentProof{{ProofID: verdict.ProofID, Until: verdict.Until}}
	verdict, err = otp.Verify(context.Background(), verifier.NewQuery(account, credential.FactorOTP, credential.NewSecret("12345678"), now))
	fmt.Println(verdict.Status, err)
	// Output:
	// valid code:00c0ffee00c0ffee 5m0s <nil>
	// spent <nil>
}

// A service without PINs switches that factor off.
func ExampleOff() {
	verdict, err := verifier.Off().Verify(context.Background(), verifier.Query{Presented: credential.NewSecret("8299")})
	fmt.Println(verdict.Status, err)
	// Output: wrong <nil>
}

// The values of RFC 6238 appendix B.
func ExampleTOTP() {
	device := verifier.TOTP{
		Secret:    credential.NewSecret("12345678901234567890"),
		Algorithm: credential.AlgorithmSHA1,
		Digits:    8,
		Period:    30 * time.Second,
	}
	now := time.Unix(1111111111, 0)
	code, err := device.Code(device.Step(now))
	fmt.Println(code.Reveal(), err)

	step, ok, err := device.Match(code, now, 0)
	fmt.Println(step, ok, err, device.AcceptedUntil(step).Sub(now))

	_, ok, err = device.Match(code, now, step) // the step has been used
	fmt.Println(ok, err)
	// Output:
	// 14050471 <nil>
	// 37037037 true <nil> 59s
	// false <nil>
}

func ExampleMatchDevice() {
	keys, _ := credential.NewKeyring("2026-05", credential.NewKey("2026-05"))
	device := credential.Device{
		ID:        "738e379f-fe30-45ab-819c-ba88804b6368",
		Algorithm: credential.AlgorithmSHA1, Digits: 6, Period: 30 * time.Second,
	}
	device.Sealed, _ = keys.Seal(credential.DeviceScope("alice", &device), credential.NewSecret("12345678901234567890"))

	match, ok, err := verifier.MatchDevice(keys, "alice", &device, credential.NewSecret("287082"), time.Unix(75, 0))
	fmt.Println(match.Step, match.Drift, match.ValidUntil.Unix(), ok, err)
	// Output: 1 -1 90 true <nil>
}

// A hasher of its own, cheap enough for tests.
func ExampleNewHasher() {
	hasher, err := verifier.NewHasher(verifier.HasherConfig{Memory: 64, Time: 1, Threads: 1, Parallel: 1, Queue: 16})
	if err != nil {
		fmt.Println(err)
		return
	}
	stored, err := hasher.Hash(context.Background(), credential.NewSecret("8299"))
	fmt.Println(stored[:28], err)

	_, err = verifier.NewHasher(verifier.HasherConfig{Memory: 64, Time: 11, Threads: 1, Parallel: 1})
	fmt.Println(err)
	// Output:
	// $argon2id$v=19$m=64,t=1,p=1$ <nil>
	// verifier: HasherConfig.Time is 11, must be from 1 to 10
}

// Hashes that other programs made are accepted within limits. One that is below
// the configured cost or the standard is outdated.
func ExampleHasher_Compare() {
	ctx, hasher := context.Background(), verifier.DefaultHasher()
	for _, stored := range []string{
		"$argon2id$v=19$m=4096,t=3,p=1$c29tZXNhbHQ$5wesMzBpw5Cb9ePh6VSOq1P+NaLXyri3MOPeAdI2sEc", // argon2(1)
		"$2y$05$s6TKvI7NEOnFPrfHaza9peBfyz1FqCCnOHL7QNnyI7iBlOyifYkCe",                          // htpasswd(1)
		"", // none set: the work is done all the same
		"$argon2id$v=19$m=4194304,t=3,p=1$c29tZXNhbHQ$5wesMzBpw5Cb9ePh6VSOq1P+NaLXyri3MOPeAdI2sEc",
	} {
		ok, outdated, err := hasher.Compare(ctx, stored, credential.NewSecret("superSecret12345!"))
		fmt.Println(ok, outdated, errors.Is(err, verifier.ErrHash))
	}
	// Output:
	// true true false
	// true true false
	// false false false
	// false false true
}

// Check a PIN before it is hashed, and tell the user what is wrong with it.
func ExampleCheckPIN() {
	for _, pin := range []string{"4378", "9012", "1122", "123"} {
		err := verifier.CheckPIN(credential.NewSecret(pin))
		switch {
		case errors.Is(err, verifier.ErrPINSeries):
			fmt.Println("a series is the first thing that others try")
		case err != nil:
			fmt.Println(err)
		default:
			hash, err := verifier.DefaultHasher().HashPIN(context.Background(), credential.NewSecret(pin))
			fmt.Println(hash[:9], err)
		}
	}
	// Output:
	// $argon2id <nil>
	// a series is the first thing that others try
	// verifier: a PIN must have at least three different digits
	// verifier: a PIN must be exactly four digits
}

// Ten wrong PINs in a row.
func ExampleAttemptPolicy() {
	policy := verifier.DefaultAttempts(10)
	now := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	var attempts credential.Attempts
	for range 10 {
		attempts = policy.Fail(attempts, now)
		if wait, blocked := policy.Blocked(attempts, now); blocked {
			fmt.Println(attempts.Failures, wait)
		}
	}
	// Output:
	// 5 30s
	// 6 1m0s
	// 7 2m0s
	// 8 4m0s
	// 9 8m0s
	// 10 0s
}

func ExampleAttemptPolicy_Check() {
	fmt.Println(verifier.AttemptPolicy{BackoffFrom: 5, Backoff: time.Minute, MaxBackoff: time.Hour, BlockAt: 200}.Check())
	// Output: BlockAt is 200, must be from BackoffFrom (5) to 100
}

// Passwords in a normal form of Unicode, for an Issuer that renews hashes: give it to
// Config.Password, and Config.OnRehash the method that stores a new hash.
func ExampleNormalized() {
	// norm.NFC.String of golang.org/x/text/unicode/norm, in a service.
	normalize := strings.NewReplacer("e\u0301", "\u00e9").Replace
	ctx := context.Background()
	hasher := verifier.DefaultHasher()
	stored, err := hasher.Hash(ctx, credential.NewSecret("cafe\u0301")) // before the service normalized
	if err != nil {
		panic(err)
	}
	passwords := verifier.Normalized(verifier.Password(hasher), normalize)
	q := verifier.Query{AccountID: "alice", Presented: credential.NewSecret("cafe\u0301"), Hash: credential.NewSecret(stored)}
	verdict, err := passwords.Verify(ctx, q)
	fmt.Println(verdict.Status, verdict.Outdated, err)

	renewed, err := passwords.Rehash(ctx, q) // as the Issuer does
	if err != nil {
		panic(err)
	}
	q.Presented, q.Hash = credential.NewSecret("caf\u00e9"), credential.NewSecret(renewed)
	verdict, err = passwords.Verify(ctx, q)
	fmt.Println(verdict.Status, verdict.Outdated, err)
	// Output:
	// valid true <nil>
	// valid false <nil>
}
