//go:build race

package devicetotp_test

// households are fewer here, because the race detector makes each of their million
// requests many times as slow. It finds nothing more in more of them.
const households = 48
