//go:build race || mutation

package devicetotp_test

// households are fewer here, because the race detector makes each of their million
// requests many times as slow, and make mutate runs the tests hundreds of times.
// Neither finds more in more of them.
const households = 48
