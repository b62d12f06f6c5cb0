package errors_test

import (
	"errors"
	"fmt"
	"time"

	totperrors "example.com/devicetotp/errors"
)

// create stands for an operation of the Issuer.
func create() error {
	return fmt.Errorf("enrolling: %w", &totperrors.Error{
		Op: "create", Code: totperrors.CodeTooManyAttempts, RetryAfter: 30 * time.Second,
	})
}

// Ask for the code where each matters.
func ExampleCodeOf() {
	switch totperrors.CodeOf(create()) {
	case "":
		fmt.Println("a device was created")
	case totperrors.CodeTooManyAttempts:
		fmt.Println("wait")
	case totperrors.CodeUnavailable:
		fmt.Println("send the same request again")
	}
	// Output: wait
}

// Match a class where the code does not matter.
func Example_class() {
	err := create()
	fmt.Println(errors.Is(err, totperrors.ErrDenied), errors.Is(err, totperrors.ErrInvalid))
	// Output: true false
}

// What a caller may see is the code, the field and the retry time; the text is
// for the operator.
func ExampleError() {
	var failed *totperrors.Error
	if errors.As(create(), &failed) {
		fmt.Println(failed.Code, failed.RetryAfter)
		fmt.Println(failed)
	}
	// Output:
	// too-many-attempts 30s
	// devicetotp: create: too-many-attempts (retry after 30s)
}

// A host with its own transport makes its table once, over the closed set.
func ExampleCodes() {
	for _, code := range totperrors.Codes() {
		fmt.Println(code.Class(), code)
	}
	// Output:
	// denied invalid-credentials
	// denied credentials-required
	// denied too-many-attempts
	// denied account-locked
	// denied device-limit-reached
	// invalid invalid-id
	// invalid id-in-use
	// invalid invalid-argument
	// invalid not-found
	// internal unavailable
	// internal internal-error
}

func ExampleCode_Class() {
	fmt.Println(totperrors.CodeInvalidID.Class(), totperrors.Code("of a later release").Class())
	// Output: invalid internal
}
