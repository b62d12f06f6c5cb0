//go:build !race && !mutation

package devicetotp_test

// households is how many live for ten years.
const households = 1000
