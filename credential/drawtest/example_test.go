package drawtest_test

import (
	"context"
	"fmt"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/drawtest"
)

// A source that fills its buffer by half is found.
func ExampleBits() {
	source := credential.RandomSecrets()
	whole := func() ([]byte, error) {
		secret, err := source.NewSecret(context.Background(), 20)
		return []byte(secret.Reveal()), err
	}
	half := func() ([]byte, error) {
		b, err := whole()
		clear(b[10:])
		return b, err
	}
	fmt.Println(drawtest.Bits(20, 0, whole))
	fmt.Println(drawtest.Bits(20, 0, half))
	// Output:
	// <nil>
	// 80 bits of 160 never vary, want 0
}
