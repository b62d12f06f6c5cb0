package etcdtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"

	"go.uber.org/zap"
)

// ErrNotBuilt says that the go command could not build etcd: there is none, or its
// modules can not be downloaded.
var ErrNotBuilt = errors.New("etcdtest: etcd could not be built")

const (
	thisModule = "example.com/devicetotp/credential/etcdstore/etcdtest"
	server     = "go.etcd.io/etcd/server/v3"
)

// quiet keeps the client of these helpers from writing among a test's output.
var quiet = zap.NewNop()

// build writes the server to path. It builds in this module's directory, wherever
// the caller's is, because only its go.mod has what etcd needs.
func build(ctx context.Context, path string) error {
	found, err := command(ctx, "go", "list", "-f", "{{.Dir}}", thisModule)
	if err != nil {
		return err
	}
	_, err = command(ctx, "go", "build", "-C", strings.TrimSpace(found), "-o", path, server)
	return err
}

func command(ctx context.Context, name string, args ...string) (output string, err error) {
	//nolint:gosec // G204: only build calls it, with the go command
	cmd := exec.CommandContext(ctx, name, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%w: %s: %w\n%s", ErrNotBuilt, cmd, err, stderr.String())
	}
	return stdout.String(), nil
}
