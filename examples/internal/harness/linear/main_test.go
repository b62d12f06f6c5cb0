package main

import (
	"bytes"
	"os"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

// The command starts itself for its clients, and in a test that is the test.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == childArg {
		main()
		return
	}
	os.Exit(m.Run())
}

// The engines that need nothing on the machine; make linear has the others.
func TestMemoryAndSQLiteAreLinearizableAndPlantedFaultsAreFound(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), []string{"-engine", "memory,sqlite", "-time", "1s", "-seed", "1"}, &out))
	require.Regexp(t, `(?s)memory: linearizable: \d+ operations.*sqlite: linearizable: \d+ operations`, out.String())
	for _, p := range []plant{plantNoCompare, plantStale, plantHost} {
		require.Regexp(t, `sqlite with `+string(p)+`: found in run`, out.String())
	}
}

func TestAViolationLeavesAPictureAndACommand(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	args := []string{"-engine", "sqlite", "-time", "1s", "-seed", "2", "-plant", string(plantNoCompare)}
	var err error
	for range 10 { // one run may be too short on a busy machine
		if err = run(t.Context(), args, new(bytes.Buffer)); err != nil {
			break
		}
	}
	require.ErrorContains(t, err, "go -C examples run ./internal/harness/linear -engine sqlite -time 1s -seed 2 -planted=false -plant no-compare-and-set")
	picture := regexp.MustCompile(`/\S+history\.html`).FindString(err.Error())
	text, readErr := os.ReadFile(picture)
	require.NoError(t, readErr)
	require.Contains(t, string(text), "<html")
}

func TestFlags(t *testing.T) {
	for _, bad := range [][]string{{"-engine", "nosuch"}, {"-time", "x"}, {"-plant"}} {
		require.Error(t, run(t.Context(), bad, new(bytes.Buffer)))
	}
}
