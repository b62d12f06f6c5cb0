// Package storetest checks that a [credential.Store] keeps its contract.
//
// Call [Run] from a test and describe the store with a [Backend]:
//
//	func TestStore(t *testing.T) {
//		storetest.Run(t, func(t *testing.T) storetest.Backend {
//			db := openTestDatabase(t)
//			return storetest.Backend{
//				Open:       func() (credential.Store, error) { return NewStore(db), nil },
//				NewAccount: func(ctx context.Context) (string, error) { return insertUser(ctx, db) },
//				// ...
//			}
//		})
//	}
//
// Every rule is a sub-test with a deadline of its own, and its failure says
// what the rule is for. A rule that builds on one that failed is skipped, so that
// one fault is reported once. Run it with -race, and more than once: some rules
// are races that a broken store can win.
//
// What it cannot see is a power failure. A Save that returned must be on disk:
// keep PostgreSQL's fsync and synchronous_commit on, and SQLite's synchronous at
// FULL.
//
// It needs the standard library only. New rules may be added in any release: a
// store that keeps the contract passes them.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"example.com/devicetotp/credential"
)

// Backend is what a rule needs of a store and of the host's side of its data.
// Its functions speak the host's terms: ids may come from a sequence or be
// UUIDs, and accounts are made the way the host makes them. They are called
// from one goroutine at a time, except that the stores they return are used
// from many.
type Backend struct {
	// Open returns a handle on the data, as independent of the others as
	// another process would be: with connections of its own. Up to 32 are open
	// at once; close them with the test's Cleanup. Required.
	Open func() (credential.Store, error)

	// NewAccount makes an account with a password hash, not locked, without
	// State, and returns its id. Required.
	NewAccount func(ctx context.Context) (id string, err error)

	// ChangeHash gives the account another hash of f, which is
	// [credential.FactorPassword] or [credential.FactorPIN]. Return an error that wraps
	// [errors.ErrUnsupported] if the host has no such hash. Required.
	ChangeHash func(ctx context.Context, id string, f credential.Factor) error

	// SetHash gives the account that hash of f, to the letter; the rule about
	// hashes that differ in case or in a trailing space needs it. Return an
	// error that wraps [errors.ErrUnsupported] if the host has no such hash or
	// refuses it. Nil if the host makes every hash itself.
	SetHash func(ctx context.Context, id string, f credential.Factor, hash string) error

	// BeginChange begins to give the account another password hash, as a
	// transaction of the host's that is not committed yet, and returns what
	// commits it. It is called before a Save and committed while that Save
	// waits, or after it has returned. Nil if the host changes accounts in
	// single steps only.
	BeginChange func(ctx context.Context, id string) (commit func() error, err error)

	// Lock locks the account, so that Load returns it with Locked set.
	// Required.
	Lock func(ctx context.Context, id string) error

	// Delete removes the account. Required.
	Delete func(ctx context.Context, id string) error

	// ChangeRegisteredAt gives the account another registration time. Nil if
	// the host never does that.
	ChangeRegisteredAt func(ctx context.Context, id string) error

	// NewAccountWithID makes an account of that id, or returns an error if the
	// host cannot have such an id. Nil if the host chooses the ids.
	NewAccountWithID func(ctx context.Context, id string) error

	// PlantState replaces the stored bytes of the account's State, as a newer
	// release could have written them, and leaves the version. Nil if the
	// store does not keep State as bytes.
	PlantState func(ctx context.Context, id string, state []byte) error
}

func (b Backend) check() error {
	var missing []error
	for _, f := range []struct {
		name string
		set  bool
	}{
		{"Open", b.Open != nil}, {"NewAccount", b.NewAccount != nil}, {"ChangeHash", b.ChangeHash != nil},
		{"Lock", b.Lock != nil}, {"Delete", b.Delete != nil},
	} {
		if !f.set {
			missing = append(missing, fmt.Errorf("Backend.%s is nil, but required", f.name))
		}
	}
	return errors.Join(missing...)
}

// Run checks every rule in a sub-test of its own. newBackend is called once a
// rule; what it opens may be closed with the Cleanup of the t it is given. The
// data of two rules may be the same database: no rule looks at an account that
// it did not make.
func Run(t *testing.T, newBackend func(t *testing.T) Backend) {
	t.Helper()
	w := walk{}
	for _, r := range rules {
		passed := t.Run(r.Name, func(t *testing.T) {
			if failed := w.blocking(r); failed != "" {
				t.Skipf("not checked, because %s failed, on which this rule builds", failed)
			}
			switch err := r.Check(t.Context(), newBackend(t)); {
			case errors.Is(err, errors.ErrUnsupported):
				t.Skip(err)
			case err != nil:
				t.Error(err)
			}
		})
		w.note(r, passed)
	}
}

// A walk through the rules in order remembers which were broken, so that what
// builds on them is left out.
type walk map[string]string // name of a rule -> the broken rule that is to blame

func (w walk) blocking(r Rule) string {
	for _, name := range r.after {
		if broken := w[name]; broken != "" {
			return broken
		}
	}
	return ""
}

func (w walk) note(r Rule, passed bool) {
	switch broken := w.blocking(r); {
	case broken != "":
		w[r.Name] = broken
	case !passed:
		w[r.Name] = r.Name
	}
}

// A Rule is one sentence of the contract. [Rules] lists them.
type Rule struct {
	// Name is the name of the sub-test, such as "save_stale".
	Name string
	// Why is the rule, and what goes wrong in a store that breaks it.
	Why string

	after   []string // rules that must hold for this one to mean anything
	timeout time.Duration
	check   func(e env) error
}

// Rules returns every rule in the order in which they are checked.
func Rules() []Rule { return slices.Clone(rules) }

// After returns the names of the rules on which r builds.
func (r Rule) After() []string { return slices.Clone(r.after) }

// Check checks the rule outside of a test. It returns nil if it holds, an error
// that wraps [errors.ErrUnsupported] if b lacks what the rule needs, and else
// an error that explains the rule and what was seen instead.
func (r Rule) Check(ctx context.Context, b Backend) error {
	if r.check == nil {
		return errors.New("storetest: use a Rule from Rules")
	}
	if err := b.check(); err != nil {
		return fmt.Errorf("storetest: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- r.check(env{ctx, b}) }()
	select {
	case err := <-done:
		return r.explain(err)
	case <-time.After(r.timeout + r.timeout/2):
		return r.explain(fmt.Errorf("not finished, although its context ended after %s: a call does not return", r.timeout))
	}
}

func (r Rule) explain(err error) error {
	if err == nil || errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	return fmt.Errorf("%s\n  rule: %s\n  seen: %w", r.Name, r.Why, err)
}
