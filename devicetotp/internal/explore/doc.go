// Package explore runs every history of a few concurrent requests with faults,
// and not samples of them. All of it is tests; it uses the public surface of the
// library only.
//
// A client is a process with an Issuer of its own, and all clients share one
// simulated store. Load, Save and Clock.Now are the only points at which the
// requests of different processes can meet, so one goroutine runs at a time, and
// a history is a list of moves: who goes on, and what becomes of its call.
// Histories are run one after another, each from the start, depth first. States
// that are equal but for random numbers are visited once, and the number of
// histories beyond them is added, so that totals are exact.
//
// After each history, what was answered and what is stored must obey the
// invariants of the library, and must be what the same requests give whole, one
// after another, in the order in which their saves took effect.
//
// Not covered: waiting lines within one process, what a real database does, and
// time that passes within a call. TRACKRECORD.md says what covers them.
package explore
