package main

import (
	"bytes"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential/sqlstore/sqltest/pgtest"
	"example.com/devicetotp/examples/internal/harness/engines"
)

// TestMain lets the test binary be the server.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == serve {
		main()
		return
	}
	os.Exit(m.Run())
}

// A short run: the long one is a command.
func TestShortRun(t *testing.T) {
	for _, e := range engines.All[:1] {
		t.Run(e.Name, func(t *testing.T) { runShortly(t, e) })
	}
}

func TestEngineShortRun(t *testing.T) {
	for _, e := range engines.All[1:] {
		t.Run(e.Name, func(t *testing.T) { runShortly(t, e) })
	}
}

func runShortly(t *testing.T, e *engines.Engine) {
	var out bytes.Buffer
	err := run(t.Context(), []string{"-kills", "6", "-restarts", "1", "-engine", e.Name}, &out)
	if engines.IsMissing(err) {
		pgtest.Skip(t, err)
	}
	require.NoError(t, err, "%s", &out)
	require.Regexp(t, `(?m)^kills of the server +6$`, out.String())
	require.Regexp(t, `(?m)^  right after the Save of a device +3$`, out.String())
	require.Regexp(t, `(?m)^restarts of `+e.Title+` +1$`, out.String())
	require.Regexp(t, `(?m)^violations +0$`, out.String())
}

func TestFlags(t *testing.T) {
	for _, args := range [][]string{
		{"-kills", "0"}, {"-restarts", "-1"}, {"-kills", "2", "-restarts", "3"}, {"-workers", "0"}, {"-engine", "oracle"}, {"-what"},
	} {
		_, err := parseFlags(args)
		require.Error(t, err, args)
	}
	o, err := parseFlags(nil)
	require.NoError(t, err)
	require.Equal(t, options{engine: engines.All[0], kills: 100, restarts: 10, workers: 4}, o)
}

// A run that has shown nothing is not a success.
func TestVerdict(t *testing.T) {
	o := options{kills: 2, restarts: 1}
	r := &report{kills: 2, restarts: 1}
	require.ErrorContains(t, r.verdict(o), "nothing has been shown")
	r.replayed.Add(1)
	require.NoError(t, r.verdict(o))
	r.violations = []string{"two devices"}
	require.ErrorContains(t, r.verdict(o), "two devices")
	r.violations, r.killsAfterSave = nil, 2
	require.ErrorContains(t, r.verdict(o), "2 answers were lost right after a Save, and 1 were given again")
	r.killsAfterSave, r.kills = 1, 1
	require.ErrorContains(t, r.verdict(o), "1 kills and 1 restarts, want 2 and 1")
}
