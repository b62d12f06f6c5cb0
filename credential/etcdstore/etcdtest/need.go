package etcdtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"
)

// shared is the cluster of this test binary, started by the first test that needs
// it.
var shared struct {
	sync.Mutex
	cluster *Cluster
	err     error
}

// Need returns the cluster of this test binary, which it starts when it is first
// called. Where etcd cannot be built the test is skipped, or fails if the
// environment says CI=true. TestMain must call [Main].
func Need(t testing.TB) *Cluster {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if shared.cluster == nil && shared.err == nil {
		shared.cluster, shared.err = Start(context.Background())
	}
	started(t, shared.err)
	return shared.cluster
}

// NeedOwn starts a cluster for t, on the same terms as [Need], and stops it at the
// end of t.
func NeedOwn(t testing.TB) *Cluster {
	t.Helper()
	c, err := Start(context.Background())
	started(t, err)
	t.Cleanup(func() {
		if err := c.Stop(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// started ends t if a cluster could not be started.
func started(t testing.TB, err error) {
	t.Helper()
	if err == nil {
		return
	}
	if errors.Is(err, ErrNotBuilt) && os.Getenv("CI") != "true" {
		t.Skip(err)
	}
	t.Fatal(err)
}

// Main runs the tests, stops the cluster if one was started, and returns the code
// to exit with.
func Main(run func() int) int {
	code := run()
	shared.Lock()
	defer shared.Unlock()
	if shared.cluster == nil {
		return code
	}
	if err := shared.cluster.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return max(code, 1)
	}
	return code
}
