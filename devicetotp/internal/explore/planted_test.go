package explore

import (
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var planted = flag.Bool("planted", false, "plant bugs in the library and require that each is caught")

// bug is a small change of the library that some history must catch.
type bug struct {
	name      string
	file      string // below the module
	old, new  string // old is in the file exactly once
	scenarios string // in which it is looked for
	kind      string // how the violation begins
}

// Every bug is caught, and the history that catches it is printed.
func TestPlantedBugsAreCaught(t *testing.T) {
	if !*planted {
		t.Skip("for make explore-planted: run with -planted")
	}
	root, err := filepath.Abs("../../..")
	require.NoError(t, err)
	for _, b := range bugs {
		t.Run(strings.ReplaceAll(b.name, " ", "-"), func(t *testing.T) {
			t.Parallel()
			out := runWith(t, root, b)
			_, violation, found := strings.Cut(out, "VIOLATION: ")
			require.True(t, found, out)
			require.True(t, strings.HasPrefix(violation, b.kind), "%s", violation)
			violation, _, _ = strings.Cut(violation, "\nFAIL")
			t.Logf("%s (%s), caught as: %s", b.name, b.file, strings.ReplaceAll(violation, "\n                ", "\n"))
		})
	}
}

// runWith explores with the bug b in the library, and returns what is printed.
func runWith(t *testing.T, root string, b bug) string {
	t.Helper()
	path := filepath.Join(root, b.file)
	source, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, 1, strings.Count(string(source), b.old), "%s must have exactly once:\n%s", b.file, b.old)
	dir := t.TempDir()
	changed := filepath.Join(dir, filepath.Base(b.file))
	require.NoError(t, os.WriteFile(changed, []byte(strings.Replace(string(source), b.old, b.new, 1)), 0o600))
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{path: changed}})
	require.NoError(t, err)
	list := filepath.Join(dir, "overlay.json")
	require.NoError(t, os.WriteFile(list, overlay, 0o600))

	run := exec.CommandContext(t.Context(), "go", "test", "-overlay", list, "-run", "^TestEveryHistory$",
		"./devicetotp/internal/explore", "-args", "-only", b.scenarios)
	run.Dir = root
	out, err := run.CombinedOutput()
	require.Error(t, err, "not caught: %s\n%s", b.name, out)
	return string(out)
}
