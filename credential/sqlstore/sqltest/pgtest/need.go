package pgtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"
)

// shared is the server of this test binary, started by the first test that
// needs it.
var shared struct {
	sync.Mutex
	server *Server
	err    error
}

// Need returns the server of this test binary, which it starts when it is first
// called. Without a PostgreSQL the test is skipped, or fails where the
// environment says CI=true. TestMain must call [Main].
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

// NeedPair starts a pair for t, on the same terms as [Need], and stops it at the
// end of t. It is never a server that the environment names.
func NeedPair(t testing.TB) *Pair {
	t.Helper()
	p, err := StartPair(context.Background())
	started(t, err)
	t.Cleanup(func() {
		if err := p.Stop(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// started ends t if a server could not be started.
func started(t testing.TB, err error) {
	t.Helper()
	switch {
	case errors.Is(err, ErrNotInstalled):
		Skip(t, err)
	case err != nil:
		t.Fatal(err)
	}
}

// Skip skips a test for what this machine lacks, or fails it where the
// environment says CI=true: a laptop may lack it, a gate may not.
func Skip(t testing.TB, why any) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(why)
	}
	t.Skip(why)
}

// Main runs the tests, stops the server if one was started, and returns the
// code to exit with.
func Main(m *testing.M) int {
	code := m.Run()
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
