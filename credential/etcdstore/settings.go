package etcdstore

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"example.com/devicetotp/credential/internal/hostside"
)

// DefaultPrefix begins every key, unless [Config] says otherwise.
const DefaultPrefix = "devicetotp/"

// maxPrefix keeps keys short, which etcd holds in memory.
const maxPrefix = 256

// Config says where in etcd the accounts are.
type Config struct {
	// Prefix begins every key of the store: 1 to 256 bytes of UTF-8 without
	// NUL. "" is [DefaultPrefix]. No other store's prefix may begin with it.
	Prefix string
}

func (c Config) prefix() (string, error) {
	if c.Prefix == "" {
		return DefaultPrefix, nil
	}
	if len(c.Prefix) > maxPrefix || !hostside.IsText(c.Prefix) {
		return "", fmt.Errorf("Config.Prefix must be at most %d bytes of UTF-8 without NUL", maxPrefix)
	}
	return c.Prefix, nil
}

// Numbers for [ClientConfig].
const (
	// keepAliveTime is the least that gRPC allows a client. A server takes
	// offence below 5 s (--grpc-keepalive-min-time).
	keepAliveTime    = 10 * time.Second
	keepAliveTimeout = 3 * time.Second
	dialTimeout      = 5 * time.Second
)

// ClientConfig returns a configuration for [clientv3.New] that suits a [Store]:
// with keep-alives, so that a server which is frozen, or behind a network that
// went silent, is left after 13 seconds. Without them it is never left, and each
// call that it is given waits until its ctx ends. Name all members of the cluster,
// and set TLS and what the cluster wants for authentication.
func ClientConfig(endpoints ...string) clientv3.Config {
	return clientv3.Config{
		Endpoints:            endpoints,
		DialTimeout:          dialTimeout,
		DialKeepAliveTime:    keepAliveTime,
		DialKeepAliveTimeout: keepAliveTimeout,
	}
}

// New returns a store over client and checks the members of the cluster that its
// endpoints name. Those that do not answer are passed over, unless none does. The
// error names a member whose version is below 3.6, or that is a learner, and so
// answers no Load.
func New(ctx context.Context, client *clientv3.Client, c Config) (*Store, error) {
	if client == nil {
		return nil, errors.New("etcdstore: client is nil")
	}
	prefix, err := c.prefix()
	if err != nil {
		return nil, fmt.Errorf("etcdstore: %w", err)
	}
	if err := checkMembers(ctx, client, client.Endpoints()); err != nil {
		return nil, fmt.Errorf("etcdstore: %w", err)
	}
	return &Store{kv: client, prefix: prefix}, nil
}

// checkMembers asks every endpoint at once. It waits for those that do not answer
// no longer than the caller, or dialTimeout.
func checkMembers(ctx context.Context, cluster clientv3.Maintenance, endpoints []string) error {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	silent, wrong := make([]error, len(endpoints)), make([]error, len(endpoints))
	var asked sync.WaitGroup
	for i, endpoint := range endpoints {
		asked.Go(func() {
			status, err := cluster.Status(ctx, endpoint)
			if err != nil {
				silent[i] = fmt.Errorf("%s: %w", endpoint, err)
				return
			}
			wrong[i] = checkMember(endpoint, status)
		})
	}
	asked.Wait()
	if err := errors.Join(wrong...); err != nil {
		return err
	}
	for _, err := range silent {
		if err == nil {
			return nil
		}
	}
	return fmt.Errorf("no endpoint answers: %w", errors.Join(silent...))
}

// The least version of a server that this package is tested with.
const leastMajor, leastMinor = 3, 6

func checkMember(endpoint string, status *clientv3.StatusResponse) error {
	if !isAtLeast(status.Version, leastMajor, leastMinor) {
		return fmt.Errorf("%s: the version is %q, must be %d.%d or newer", endpoint, status.Version, leastMajor, leastMinor)
	}
	if status.IsLearner {
		return fmt.Errorf("%s: the member is a learner, which answers no Load: promote it, or do not name it", endpoint)
	}
	return nil
}

func isAtLeast(version string, major, minor int) bool {
	first, rest, _ := strings.Cut(version, ".")
	second, _, _ := strings.Cut(rest, ".")
	a, errA := strconv.Atoi(first)
	b, errB := strconv.Atoi(second)
	return errA == nil && errB == nil && (a > major || a == major && b >= minor)
}
