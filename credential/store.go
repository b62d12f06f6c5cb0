package credential

import (
	"context"
	"errors"
)

// A Store keeps accounts. It is the only interface that a host must implement.
// Package storetest checks an implementation against this contract.
//
// Both methods must be safe for concurrent use, by any number of processes,
// must honour ctx, and must not keep or alter the slices of an Account that
// they are given or have given out.
type Store interface {
	// Load returns the account as it is stored now: read from the primary,
	// never from a replica or a cache, for a stale read brings spent proofs
	// back. An account that does not exist is an error that wraps
	// [ErrNotFound]; so is an id that the database cannot hold. An account
	// without a stored State has the zero State and Version 0. Next is 0.
	//
	// An error that wraps [ErrSerialization] means that nothing was read and
	// that loading again is right.
	Load(ctx context.Context, id string) (Account, error)

	// Save stores a.State, and a.Next as its version, if, and only if, the
	// account still exists and nothing that Load returned has changed:
	// Version, RegisteredAt, PasswordHash, PINHash, Locked. Otherwise it
	// returns an error that wraps [ErrConflict] and nothing has happened.
	//
	// It is one atomic step, and durable when it returns nil. It writes State
	// and the version only, and never creates an account.
	//
	// The version is no counter: one that counts comes back after a fail-over
	// that lost a save, and a request from before it then overwrites what was
	// saved after it. Store Next as it is given, compare all 64 bits, and rely
	// on no order.
	//
	// Two mistakes of the caller are refused, and nothing is written. A State
	// that [State.MarshalBinary] refuses is an error that wraps
	// [ErrStateSize]. A Next that is not 1 to [MaxVersion], or is the same as
	// Version, is an error that wraps [ErrVersion]: see [Account.CheckNext].
	//
	// An error that wraps [ErrSerialization] means that nothing was saved, for
	// no reason that lies in the account.
	//
	// Save must not return nil if ctx ended before the database had answered.
	// If the wait for a standby is cancelled, a database reports the write as
	// done although the standby does not have it.
	//
	// Any other error means that the outcome is unknown. The library then
	// loads the account and looks for its own write id in [State.Writes].
	Save(ctx context.Context, a Account) error
}

var (
	// ErrNotFound says that an account does not exist.
	ErrNotFound = errors.New("credential: account not found")
	// ErrConflict says that an account changed since it was loaded, so that
	// nothing was saved.
	ErrConflict = errors.New("credential: account changed since it was loaded")
	// ErrSerialization says that nothing was read or saved, and that the
	// database asked to try again: SQLSTATE 40001 (serialization failure) and
	// 40P01 (deadlock). Unlike ErrConflict it does not mean that the account
	// has changed.
	ErrSerialization = errors.New("credential: nothing was read or saved; the database asked to try again")
	// ErrStateSize says that a State has outgrown its bounds. It is refused
	// whole, never truncated.
	ErrStateSize = errors.New("credential: state exceeds its bounds")
	// ErrVersion says that Save was given a Next that it must not store: see
	// [Account.CheckNext].
	ErrVersion = errors.New("credential: not a version to save under")
	// ErrStateFormat says that stored bytes are not a State of a format that
	// this release knows.
	ErrStateFormat = errors.New("credential: not a state of a known format")
)
