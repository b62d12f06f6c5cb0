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

// root is the folder of the module.
const root = "../../.."

// A change of the library leaves each bug a place where it can be planted.
func TestEveryBugCanBePlanted(t *testing.T) {
	for _, b := range bugs {
		b.plant(t)
	}
}

// plant returns the file of the bug, and what is in it with the bug.
func (b bug) plant(t *testing.T) (path, source string) {
	t.Helper()
	path, err := filepath.Abs(filepath.Join(root, b.file))
	require.NoError(t, err)
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, 1, strings.Count(string(text), b.old), "%s: %s must have exactly once:\n%s", b.name, b.file, b.old)
	return path, strings.Replace(string(text), b.old, b.new, 1)
}

// Every bug is caught, and the history that catches it is printed.
func TestPlantedBugsAreCaught(t *testing.T) {
	if !*planted {
		t.Skip("for make explore-planted: run with -planted")
	}
	for _, b := range bugs {
		t.Run(strings.ReplaceAll(b.name, " ", "-"), func(t *testing.T) {
			t.Parallel()
			out := runWith(t, b)
			_, violation, found := strings.Cut(out, "VIOLATION: ")
			require.True(t, found, out)
			require.True(t, strings.HasPrefix(violation, b.kind), "%s", violation)
			violation, _, _ = strings.Cut(violation, "\nFAIL")
			t.Logf("%s (%s), caught as: %s", b.name, b.file, strings.ReplaceAll(violation, "\n                ", "\n"))
		})
	}
}

// runWith explores with the bug b in the library, and returns what is printed.
func runWith(t *testing.T, b bug) string {
	t.Helper()
	path, source := b.plant(t)
	dir := t.TempDir()
	changed := filepath.Join(dir, filepath.Base(b.file))
	require.NoError(t, os.WriteFile(changed, []byte(source), 0o600))
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
