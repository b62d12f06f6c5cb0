package mariadbtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"

	"example.com/devicetotp/credential/sqlstore/sqltest/pgtest"
)

// shared is the server of this test binary, started by the first test that
// needs it.
var shared struct {
	sync.Mutex
	server *Server
	err    error
}

// Need returns the server of this test binary, which it starts when it is first
// called. Without a MariaDB the test is skipped, or fails where the environment
// says CI=true. TestMain must call [Main].
func Need(t testing.TB) *Server {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if shared.server == nil && shared.err == nil {
		shared.server, shared.err = Start(context.Background())
	}
	started(t, shared.err)
	return shared.server
}

// NeedOwn is [Need] for tests that change settings of the whole server, which
// they must not do to one that the environment names.
func NeedOwn(t testing.TB) *Server {
	t.Helper()
	s := Need(t)
	if network, _ := s.Address(); network == "" {
		t.Skip("needs a server of its own, and " + EnvDSN + " names another")
	}
	return s
}

// NeedCluster starts a cluster for t, on the same terms as [Need], and stops it at
// the end of t. It is never a server that the environment names.
func NeedCluster(t testing.TB) *Cluster {
	t.Helper()
	c, err := StartCluster(context.Background())
	started(t, err)
	t.Cleanup(func() {
		if err := c.Stop(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// started ends t if a server could not be started.
func started(t testing.TB, err error) {
	t.Helper()
	switch {
	case errors.Is(err, ErrNotInstalled), errors.Is(err, ErrNoGalera):
		pgtest.Skip(t, err)
	case err != nil:
		t.Fatal(err)
	}
}

// Main runs the tests, stops the server if one was started, and returns the code
// to exit with.
func Main(run func() int) int {
	code := run()
	shared.Lock()
	defer shared.Unlock()
	if shared.server == nil {
		return code
	}
	if err := shared.server.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return max(code, 1)
	}
	return code
}
