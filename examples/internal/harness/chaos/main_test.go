package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
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
	for _, name := range []string{"postgres", "mariadb"} {
		t.Run(name, func(t *testing.T) { holds(t, name, 6, 1) })
	}
}

// In short it lasts half a minute on each engine, or a little longer where a node
// takes its time to come back.
func TestEngineKillsAndCrashes(t *testing.T) {
	kills, restarts := 100, 10
	if testing.Short() {
		kills, restarts = 16, 1
	}
	for _, e := range engines.All[1:] {
		t.Run(e.Name, func(t *testing.T) { holds(t, e.Name, kills, restarts) })
	}
}

// holds requires that a run finds no violations.
func holds(t *testing.T, engine string, kills, restarts int) {
	t.Helper()
	e, err := engines.Named(engine)
	require.NoError(t, err)
	var out bytes.Buffer
	err = run(t.Context(), []string{"-kills", strconv.Itoa(kills), "-restarts", strconv.Itoa(restarts), "-engine", engine}, &out)
	if engines.IsMissing(err) {
		pgtest.Skip(t, err)
	}
	require.NoError(t, err, "%s", &out)
	t.Logf("\n%s", &out)
	for what, want := range map[string]int{
		"kills of the server": kills, "  right after the Save of a device": kills / 2, "restarts of " + e.Title: restarts, "violations": 0,
	} {
		require.Regexp(t, fmt.Sprintf(`(?m)^%s +%d$`, what, want), out.String())
	}
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
