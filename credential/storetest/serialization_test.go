package storetest_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/storetest"
)

// A database under strict isolation undoes what loses a race, and says so in
// words of its own.
func TestStoreMayAskToTryAgain(t *testing.T) {
	for rule, open := range map[string]func(s *intact) func() credential.Store{
		"one_winner": saving(func(ctx context.Context, s *intact, a credential.Account) error {
			err := s.Save(ctx, a)
			if errors.Is(err, credential.ErrConflict) {
				return credential.ErrSerialization
			}
			return err
		}),
		"no_lost_update": undoingTheFirst(credential.ErrSerialization),
	} {
		s := newIntact()
		require.NoError(t, check(t, rule, backend(s, open(s))), rule)
	}
	s := newIntact()
	err := check(t, "no_lost_update", backend(s, undoingTheFirst(errOther)(s)))
	require.ErrorIs(t, err, errOther, "only that one error asks for it")
}

// undoingTheFirst makes handles whose first Load and first Save do nothing and
// return err.
func undoingTheFirst(err error) func(s *intact) func() credential.Store {
	return func(s *intact) func() credential.Store {
		return func() credential.Store {
			var loaded, saved bool
			return handle{func(ctx context.Context, id string) (credential.Account, error) {
				if !loaded {
					loaded = true
					return credential.Account{}, err
				}
				return s.Load(ctx, id)
			}, func(ctx context.Context, a credential.Account) error {
				if !saved {
					saved = true
					return err
				}
				return s.Save(ctx, a)
			}}
		}
	}
}

func check(t *testing.T, rule string, b storetest.Backend) error {
	rules := storetest.Rules()
	at := slices.IndexFunc(rules, func(r storetest.Rule) bool { return r.Name == rule })
	require.GreaterOrEqual(t, at, 0, rule)
	return rules[at].Check(t.Context(), b)
}
