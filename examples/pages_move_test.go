package examples

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential/sqlstore/sqltest/pgtest"
)

// The command that moves the module leaves one that works. Where the module has
// been moved already, the command has nothing left to change.
func TestMoveToAnotherPath(t *testing.T) {
	want := strings.TrimSpace(command(t, "..", "go", "list", "-m"))
	if strings.HasPrefix(want, "example.com/") {
		want = "github.com/you/devicetotp"
	}
	for _, tool := range []string{"git", "perl", "xargs"} {
		if _, err := exec.LookPath(tool); err != nil {
			pgtest.Skip(t, err)
		}
	}
	if err := exec.CommandContext(t.Context(), "git", "-C", "..", "rev-parse", "--verify", "HEAD").Run(); err != nil {
		pgtest.Skip(t, "this is not a clone, and the command needs one")
	}
	move := regexp.MustCompile(`(?m)^git grep .*$`).FindString(pages(t)["../CONTRIBUTING.md"])
	require.NotEmpty(t, move)
	dir := filepath.Join(t.TempDir(), "moved")
	command(t, "..", "git", "clone", "--quiet", ".", dir)
	command(t, dir, "sh", "-c", move)
	require.Equal(t, want, strings.TrimSpace(command(t, dir, "go", "list", "-m")))
	command(t, dir, "go", "build", "./...")
	command(t, filepath.Join(dir, "examples"), "go", "run", "./quickstart")
	command(t, filepath.Join(dir, "examples"), "go", "run", "./grpc", "-walk") // its generated code is read when it starts
}
