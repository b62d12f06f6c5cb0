// Package credential holds what the library knows and remembers about one
// account, and the contract of the store that keeps it.
//
// Start with [Account], which a store loads, and [Store], which a host
// implements: two methods, one SELECT and one conditional UPDATE. Ready ones
// are in memstore and sqlstore; storetest checks any other.
//
// # What a host keeps
//
// An account has fields that belong to the host (id, registration time, the
// password and PIN hashes, the lock) and one that belongs to this library:
// [State], with the issued devices, pending one-time codes, spent proofs and
// failure counters. State is saved whole, as the bytes of
// [State.MarshalBinary], beside a version number. A table needs no more than
//
//	id text PRIMARY KEY, registered_at timestamptz, password_hash text, pin_hash text,
//	locked boolean, state bytea, version bigint
//
// # What an attacker would do
//
// Race: send one one-time code, or a thousand PIN guesses, at the same instant.
// Save must therefore be one atomic, durable, conditional step; a store that
// checks and then writes grants twice. Read the database: device secrets are
// sealed and one-time codes are digested with keys of the [Keyring], which must
// not live in that database. Write to the database: a sealed secret opens only
// for the account and device it was made for. Somebody who can roll State back
// can un-spend a proof; that is out of scope.
//
// # Compatibility
//
// What a release stores, every later one reads, verifies and writes back without a
// loss, as long as the Keyring has the key: a State; what [Keyring.Seal] sealed and
// [Keyring.Digest] digested, for each [Purpose]; PIN hashes that
// [Keyring.SealPINHash] sealed, and hashes of every form that package verifier
// accepts; [Fingerprint]; and the text of a key file. testdata/frozen holds one of
// each shape that this library writes, and a test reads them all.
//
// The encoding of State starts with a format number. Within a format, fields that a
// release does not know survive a rewrite, so two releases can share a database
// while a service rolls. A State of a format that a release does not know, newer or
// older, is refused with [ErrStateFormat], and nothing is overwritten.
package credential
