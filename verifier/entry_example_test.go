package verifier_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/verifier"
)

// The reference secret of RFC 6238 appendix B.
var reference = verifier.TOTP{
	Secret: credential.NewSecret("12345678901234567890"), Algorithm: credential.AlgorithmSHA1, Digits: 8, Period: 30 * time.Second,
}

func ExampleTOTP_Code() {
	code, err := reference.Code(reference.Step(time.Unix(1111111109, 0)))
	fmt.Println(code.Reveal(), err)
	// Output: 07081804 <nil>
}

// The step is what makes a code good for one use: give the last one back in.
func ExampleTOTP_Match() {
	now, code := time.Unix(1111111109, 0), credential.NewSecret("07081804")
	step, ok, err := reference.Match(code, now, 0)
	fmt.Println(step, ok, err)
	_, ok, err = reference.Match(code, now, step)
	fmt.Println(ok, err)
	fmt.Println(reference.AcceptedUntil(step).Sub(now))
	// Output:
	// 37037036 true <nil>
	// false <nil>
	// 31s
}

func ExampleDefaultHasher() {
	hash, err := verifier.DefaultHasher().Hash(context.Background(), credential.NewSecret("superSecret12345!"))
	fmt.Println(strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$"), err)
	// Output: true <nil>
}

// Each broken rule names its field.
func ExampleFieldErrors() {
	var broken verifier.FieldErrors
	if errors.As(verifier.DefaultAttempts(101).Check(), &broken) {
		fmt.Println(broken[0].Field, "|", broken[0].Rule)
	}
	// Output: BlockAt | is 101, must be from BackoffFrom (5) to 100
}

// A value that no verifier would accept is not hashed.
func ExampleHasher_HashPIN() {
	_, err := verifier.DefaultHasher().HashPIN(context.Background(), credential.NewSecret(strings.Repeat("8", 65)))
	fmt.Println(errors.Is(err, verifier.ErrSize), err)
	// Output: true verifier: value is not hashed: it has 65 bytes, must have at most 64
}

func ExampleDefaultAttempts() {
	policy := verifier.DefaultAttempts(10)
	fmt.Println(policy.BackoffFrom, policy.Backoff, policy.MaxBackoff, policy.BlockAt)
	// Output: 5 30s 1h0m0s 10
}

func ExampleAttemptPolicy_Blocked() {
	policy, now := verifier.DefaultAttempts(10), time.Unix(1_700_000_000, 0)
	var attempts credential.Attempts
	for range 6 {
		attempts = policy.Fail(attempts, now)
	}
	fmt.Println(policy.Blocked(attempts, now.Add(15*time.Second)))
	fmt.Println(policy.Blocked(attempts, now.Add(time.Minute)))
	// Output:
	// 45s true
	// 0s false
}
