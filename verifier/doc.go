// Package verifier decides whether one presented value is right, and how many
// wrong ones are too many.
//
// A [Verifier] looks at one factor of one account and gives a [Verdict].
// [Password], [PIN] and [OTP] are the ready ones; a host with a password or
// OTP service of its own implements the interface and gives it to the Issuer.
// [Off] accepts nothing.
//
// A verifier only reads. Counting failures, spending proofs and ordering the
// factors is the Issuer's work, in one place, so that no verifier and no
// transport can go round it. [AttemptPolicy] has the numbers.
//
// A host that lets users set passwords and PINs hashes them with a [Hasher], and
// asks [CheckPIN] first.
//
// # What an attacker would do
//
// Send a password of a megabyte, two hundred at once, or a code with a space in
// it; plant a hash that takes a gigabyte; use the same code twice; measure
// whether an account has a PIN at all. [Hasher] bounds memory and the queue,
// refuses stored hashes beyond its limits before any work, and does the same
// work when there is nothing to compare with. [TOTP] accepts ASCII digits only
// and returns the time step, so that the Issuer can refuse it the next time.
package verifier
