package main

import (
	"bufio"
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential/sqlstore/sqltest/pgtest"
)

// TestMain lets the test binary be the server, so that it is a process of its
// own in these tests.
func TestMain(m *testing.M) {
	if os.Getenv("RUN_AS_SERVER") == "1" {
		main()
		return
	}
	os.Exit(pgtest.Main(m))
}

// The first start needs nothing, the printed line works as printed, SIGTERM
// ends the process with status 0, and the second start prints a line that works.
func TestPrintedLineWorks(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("needs a POSIX shell and SIGTERM")
	}
	if _, err := exec.LookPath("curl"); err != nil {
		pgtest.Skip(t, err)
	}
	dir := t.TempDir()
	for _, run := range []string{"first start", "second start"} {
		server := exec.Command(os.Args[0], "-addr", "127.0.0.1:0")
		server.Env = append(os.Environ(), "RUN_AS_SERVER=1")
		server.Dir = dir
		stdout, err := server.StdoutPipe()
		require.NoError(t, err)
		var log bytes.Buffer
		server.Stderr = &log
		require.NoError(t, server.Start())
		t.Cleanup(func() { _ = server.Process.Kill() })

		line := printedLine(t, bufio.NewScanner(stdout))
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		curl := exec.CommandContext(ctx, "sh", "-c", line)
		curl.Env = append(os.Environ(), "no_proxy=*")
		answer, err := curl.Output()
		cancel()
		require.NoError(t, err, run)
		require.Contains(t, string(answer), "201 Created", run)
		require.Contains(t, string(answer), `"algorithm":"SHA1"`, run)

		require.NoError(t, server.Process.Signal(syscall.SIGTERM))
		require.NoError(t, server.Wait(), "%s:\n%s", run, &log)
		require.Contains(t, log.String(), "msg=stopped", run)
		for _, secret := range []string{"superSecret12345!", "8299", "526271", "good"} {
			require.NotContains(t, chosen(log.String()), secret, "the log holds no secret")
		}
	}
	for _, name := range []string{"devicetotp-demo.db", "devicetotp-demo.key"} {
		info, err := os.Stat(filepath.Join(dir, name))
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), name)
	}
}

func printedLine(t *testing.T, lines *bufio.Scanner) string {
	t.Helper()
	found := make(chan string, 1)
	go func() {
		defer close(found)
		for lines.Scan() {
			if strings.HasPrefix(lines.Text(), "curl ") {
				found <- lines.Text()
				return
			}
		}
	}()
	select {
	case line, ok := <-found:
		require.True(t, ok, "the server ended without a line")
		return line
	case <-time.After(patience):
		t.Fatal("the server prints no line")
		return ""
	}
}
