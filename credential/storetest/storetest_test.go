package storetest_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/storetest"
)

func TestStoreThatKeepsTheContractPasses(t *testing.T) {
	storetest.Run(t, func(*testing.T) storetest.Backend {
		s := newIntact()
		return backend(s, func() credential.Store { return s })
	})
}

// Each broken store fails the one rule that is meant for it. Rules that build on
// that one are left out, as Run leaves them out.
func TestBrokenStoreFailsExactlyTheRuleMeantForIt(t *testing.T) {
	for _, b := range brokenStores {
		t.Run(b.rule+"/"+b.how, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, []string{b.rule}, brokenRules(t, b))
		})
	}
}

func brokenRules(t *testing.T, b broken) []string {
	var failed []string
	leftOut := map[string]bool{}
	for _, r := range storetest.Rules() {
		for _, name := range r.After() {
			leftOut[r.Name] = leftOut[r.Name] || leftOut[name]
		}
		if leftOut[r.Name] {
			continue
		}
		s := newIntact()
		if err := r.Check(context.Background(), backend(s, b.open(s))); err != nil {
			t.Log(err)
			require.ErrorContains(t, err, r.Why)
			failed = append(failed, r.Name)
			leftOut[r.Name] = true
		}
	}
	return failed
}

func TestEveryRuleHasABrokenStore(t *testing.T) {
	covered := map[string]bool{}
	for _, b := range brokenStores {
		covered[b.rule] = true
	}
	for _, r := range storetest.Rules() {
		require.Truef(t, covered[r.Name], "no broken store shows that rule %s can fail", r.Name)
	}
}

func TestRulesComeAfterThoseTheyBuildOn(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range storetest.Rules() {
		require.NotEmpty(t, r.Why)
		require.Falsef(t, seen[r.Name], "two rules are called %s", r.Name)
		for _, name := range r.After() {
			require.Truef(t, seen[name], "%s comes before %s", r.Name, name)
		}
		seen[r.Name] = true
	}
}

func TestRuleIsSkippedWhereTheBackendLacksWhatItNeeds(t *testing.T) {
	s := newIntact()
	b := backend(s, func() credential.Store { return s })
	b.SetHash, b.BeginChange, b.ChangeRegisteredAt, b.PlantState, b.NewAccountWithID = nil, nil, nil, nil, nil
	b.ChangeHash = func(context.Context, string, credential.Factor) error { return errors.ErrUnsupported }
	var skipped []string
	for _, r := range storetest.Rules() {
		if err := r.Check(context.Background(), b); err != nil {
			require.ErrorIs(t, err, errors.ErrUnsupported, r.Name)
			skipped = append(skipped, r.Name)
		}
	}
	require.Equal(t, []string{"only_state", "hash_changed", "exact_hash", "registration_changed", "change_under_way", "unknown_format"}, skipped)
}

func TestIncompleteBackendIsRefusedByName(t *testing.T) {
	err := storetest.Rules()[0].Check(context.Background(), storetest.Backend{})
	for _, field := range []string{"Open", "NewAccount", "ChangeHash", "Lock", "Delete"} {
		require.ErrorContains(t, err, "Backend."+field+" is nil")
	}
	require.Error(t, storetest.Rule{}.Check(context.Background(), storetest.Backend{}))
}

func TestErrorsOfTheBackendAreReported(t *testing.T) {
	s := newIntact()
	for _, c := range []struct {
		field string
		spoil func(*storetest.Backend)
	}{
		{"Open", func(b *storetest.Backend) { b.Open = func() (credential.Store, error) { return nil, errOther } }},
		{"Open", func(b *storetest.Backend) { b.Open = func() (credential.Store, error) { return nil, nil } }},
		{"NewAccount", func(b *storetest.Backend) {
			b.NewAccount = func(context.Context) (string, error) { return "", errOther }
		}},
		{"NewAccount", func(b *storetest.Backend) {
			b.NewAccount = func(context.Context) (string, error) { return "", nil }
		}},
		{"Delete", func(b *storetest.Backend) { b.Delete = func(context.Context, string) error { return errOther } }},
	} {
		b := backend(s, func() credential.Store { return s })
		c.spoil(&b)
		require.ErrorContains(t, storetest.Rules()[0].Check(context.Background(), b), "Backend."+c.field)
	}
}

// A store that never answers must not hang the suite: the rule's context ends.
func TestStoreThatDoesNotAnswerFailsTheRule(t *testing.T) {
	s := newIntact()
	stuck := handle{func(ctx context.Context, _ string) (credential.Account, error) {
		<-ctx.Done()
		return credential.Account{}, ctx.Err()
	}, s.Save}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	err := storetest.Rules()[0].Check(ctx, backend(s, func() credential.Store { return stuck }))
	require.ErrorIs(t, err, context.Canceled)
}
