package accountstest

import (
	"bufio"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

// asCommand is in the environment of a test binary that is to be the command.
const asCommand = "DEVICETOTP_TEST_AS_COMMAND"

// IsCommand reports whether the test binary was started by Kill, so that TestMain
// runs the command with the arguments, and no test.
func IsCommand() bool { return os.Getenv(asCommand) != "" }

// Kill runs the command in a process of its own, and kills that after so many lines of
// progress, each of which counts what.
func Kill(t *testing.T, lines int, what string, args ...string) {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	command := exec.CommandContext(t.Context(), self, args...)
	command.Env = append(os.Environ(), asCommand+"=1")
	progress, err := command.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, command.Start())
	scanner := bufio.NewScanner(progress)
	for range lines {
		require.True(t, scanner.Scan(), "the command ended too early")
		require.Contains(t, scanner.Text(), what)
	}
	require.NoError(t, command.Process.Kill())
	require.ErrorContains(t, command.Wait(), "killed")
}
