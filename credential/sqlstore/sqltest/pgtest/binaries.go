package pgtest

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
)

// binaries returns the directory with initdb and postgres: that of the newest
// version that Debian's packages have installed, or that of the initdb in PATH.
func binaries() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil {
		return "", fmt.Errorf("pgtest: %w", err)
	}
	if len(found) > 0 {
		newest := slices.MaxFunc(found, func(a, b string) int { return majorVersion(a) - majorVersion(b) })
		return filepath.Dir(newest), nil
	}
	path, err := exec.LookPath("initdb")
	if err != nil {
		return "", ErrNotInstalled
	}
	// A link in PATH need not have the server beside it.
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return "", fmt.Errorf("pgtest: %w", err)
	}
	return filepath.Dir(path), nil
}

func majorVersion(initdb string) int {
	version := filepath.Base(filepath.Dir(filepath.Dir(initdb)))
	n, err := strconv.Atoi(version)
	if err != nil {
		return 0
	}
	return n
}
