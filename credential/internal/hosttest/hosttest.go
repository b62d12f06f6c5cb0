// Package hosttest checks that the stores of this module mean the same by the
// methods with which a host manages its accounts.
package hosttest

import (
	"context"
	"testing"

	"example.com/devicetotp/credential"
)

// Store is a credential.Store with the host's side.
type Store interface {
	credential.Store
	Put(ctx context.Context, a credential.Account) error
	Insert(ctx context.Context, a credential.Account) (inserted bool, err error)
	Delete(ctx context.Context, id string) (deleted bool, err error)
	SetLocked(ctx context.Context, id string, locked bool) error
	RotateHash(ctx context.Context, id string, f credential.Factor, from, to string) error
	IDs(ctx context.Context, after string, limit int) ([]string, error)
}

// A Case is one thing that every store does alike.
type Case struct {
	Name string
	// Check returns nil if the store, which is empty, does so.
	Check func(ctx context.Context, s Store) error
}

// Cases returns every case.
func Cases() []Case {
	return []Case{
		{"put", put},
		{"registration time", registrationTime},
		{"insert", insert},
		{"delete", deleting},
		{"set locked", setLocked},
		{"rotate hash", rotateHash},
		{"ids", ids},
		{"refused arguments", refusedArguments},
		{"ended context", endedContext},
		{"change under way", changeUnderWay},
	}
}

// Run checks every case in a sub-test of its own, each with an empty store.
func Run(t *testing.T, open func(t *testing.T) Store) {
	t.Helper()
	for _, c := range Cases() {
		t.Run(c.Name, func(t *testing.T) {
			if err := c.Check(t.Context(), open(t)); err != nil {
				t.Error(err)
			}
		})
	}
}
