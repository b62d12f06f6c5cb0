package engines

import (
	"context"
	"crypto/rand"
	"io"
	"strings"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"example.com/devicetotp/credential/etcdstore"
	"example.com/devicetotp/credential/etcdstore/etcdtest"
)

// etcdCluster has a prefix where others have a database. What restarts is the
// leader.
type etcdCluster struct{ *etcdtest.Cluster }

func startEtcd(ctx context.Context) (Server, error) {
	c, err := etcdtest.Start(ctx)
	if err != nil {
		return nil, err
	}
	return etcdCluster{c}, nil
}

// CreateDatabase returns a prefix and the endpoints, with commas between them.
func (c etcdCluster) CreateDatabase(context.Context) (dsn string, drop func(context.Context) error, err error) {
	return strings.Join(append([]string{rand.Text() + "/"}, c.Endpoints()...), ","), func(context.Context) error { return nil }, nil
}

func (c etcdCluster) Restart(ctx context.Context) error {
	leader, err := c.Leader(ctx)
	if err != nil {
		return err
	}
	if err := leader.Kill(); err != nil {
		return err
	}
	return leader.StartAgain(ctx)
}

// withoutTables has nothing to migrate.
type withoutTables struct{ *etcdstore.Store }

func (withoutTables) Migrate(context.Context) error { return nil }

func openEtcd(ctx context.Context, dsn string) (io.Closer, Store, error) {
	prefix, endpoints, _ := strings.Cut(dsn, ",")
	config := etcdstore.ClientConfig(strings.Split(endpoints, ",")...)
	config.Logger = zap.NewNop()
	client, err := clientv3.New(config)
	if err != nil {
		return nil, nil, err
	}
	store, err := etcdstore.New(ctx, client, etcdstore.Config{Prefix: prefix})
	if err != nil {
		_ = client.Close() // it has told nothing yet
		return nil, nil, err
	}
	return client, withoutTables{store}, nil
}
