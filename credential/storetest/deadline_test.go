package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
)

func TestCallThatDoesNotReturnFailsTheRule(t *testing.T) {
	forever := make(chan struct{})
	t.Cleanup(func() { close(forever) })
	r := Rule{Name: "stuck", Why: "because", timeout: time.Millisecond, check: func(env) error {
		<-forever
		return nil
	}}
	err := r.Check(context.Background(), Backend{
		Open:       func() (credential.Store, error) { return nil, nil },
		NewAccount: func(context.Context) (string, error) { return "", nil },
		ChangeHash: func(context.Context, string, credential.Factor) error { return nil },
		Lock:       func(context.Context, string) error { return nil },
		Delete:     func(context.Context, string) error { return nil },
	})
	require.ErrorContains(t, err, "stuck")
	require.ErrorContains(t, err, "because")
	require.ErrorContains(t, err, "does not return")
}

func TestRulesAfterABrokenOneAreLeftOutAllTheWay(t *testing.T) {
	a, b, c := Rule{Name: "a"}, Rule{Name: "b", after: []string{"a"}}, Rule{Name: "c", after: []string{"b"}}
	w := walk{}
	w.note(a, false)
	require.Equal(t, "a", w.blocking(b))
	w.note(b, true) // skipped, which counts as passed
	require.Equal(t, "a", w.blocking(c))
	require.Empty(t, w.blocking(Rule{Name: "d"}))
}
