package etcdstore

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"
)

func TestPrefix(t *testing.T) {
	longest := strings.Repeat("x", maxPrefix)
	for given, want := range map[string]string{"": "devicetotp/", "a": "a", longest: longest} {
		got, err := Config{Prefix: given}.prefix()
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	for _, bad := range []string{longest + "x", "a\x00", "\xff"} {
		_, err := Config{Prefix: bad}.prefix()
		require.ErrorContains(t, err, "Config.Prefix must be at most 256 bytes")
	}
}

func TestNewRefusesNoClient(t *testing.T) {
	_, err := New(t.Context(), nil, Config{})
	require.EqualError(t, err, "etcdstore: client is nil")
}

// members answers for a cluster. A nil status is a member that is down.
type members struct {
	clientv3.Maintenance
	status map[string]*clientv3.StatusResponse
}

var errDown = errors.New("it is down")

func (m members) Status(_ context.Context, endpoint string) (*clientv3.StatusResponse, error) {
	if s := m.status[endpoint]; s != nil {
		return s, nil
	}
	return nil, errDown
}

func TestMembers(t *testing.T) {
	of := func(version string) *clientv3.StatusResponse {
		return (*clientv3.StatusResponse)(&etcdserverpb.StatusResponse{Version: version})
	}
	learner := (*clientv3.StatusResponse)(&etcdserverpb.StatusResponse{Version: "3.7.1", IsLearner: true})
	for name, c := range map[string]struct {
		status map[string]*clientv3.StatusResponse
		want   string
	}{
		"least":               {map[string]*clientv3.StatusResponse{"a": of("3.6.0"), "b": of("3.7.3")}, ""},
		"a later major":       {map[string]*clientv3.StatusResponse{"a": of("4.0.0")}, ""},
		"a release candidate": {map[string]*clientv3.StatusResponse{"a": of("3.10.0-rc.1")}, ""},
		"one is down":         {map[string]*clientv3.StatusResponse{"a": nil, "b": of("3.7.3")}, ""},
		"all are down":        {map[string]*clientv3.StatusResponse{"a": nil, "b": nil}, "no endpoint answers: "},
		"none is named":       {nil, "no endpoint answers"},
		"an old one":          {map[string]*clientv3.StatusResponse{"a": of("3.7.3"), "b": of("3.5.21")}, `b: the version is "3.5.21", must be 3.6 or newer`},
		"an old one, others down": {
			map[string]*clientv3.StatusResponse{"a": nil, "b": of("2.9.0")}, `b: the version is "2.9.0", must be 3.6 or newer`,
		},
		"no version": {map[string]*clientv3.StatusResponse{"a": of("")}, `a: the version is "", must be 3.6 or newer`},
		"a learner":  {map[string]*clientv3.StatusResponse{"a": learner}, "a: the member is a learner, which answers no Load"},
	} {
		t.Run(name, func(t *testing.T) {
			var endpoints []string
			for endpoint := range c.status {
				endpoints = append(endpoints, endpoint)
			}
			err := checkMembers(t.Context(), members{status: c.status}, endpoints)
			if c.want == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, c.want)
			}
		})
	}
}

// Without keep-alives a client never leaves a server that is frozen.
func TestClientConfigHasKeepAlives(t *testing.T) {
	c := ClientConfig("a", "b")
	require.Equal(t, []string{"a", "b"}, c.Endpoints)
	require.GreaterOrEqual(t, c.DialKeepAliveTime.Seconds(), 10.0, "gRPC clients ping no more often")
	require.Positive(t, c.DialKeepAliveTimeout)
}
