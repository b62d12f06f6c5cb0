package mariadbtest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync/atomic"

	"github.com/go-sql-driver/mysql"
)

// balanced is the network of a DSN that leads to the nodes of a cluster by turns.
// Its address is their sockets, with commas between them.
const balanced = "galera"

func init() {
	var turn atomic.Int64
	mysql.RegisterDialContext(balanced, func(ctx context.Context, address string) (net.Conn, error) {
		sockets := strings.Split(address, ",")
		first := int(turn.Add(1))
		var errs []error
		for i := range sockets {
			conn, err := new(net.Dialer).DialContext(ctx, "unix", sockets[(first+i)%len(sockets)])
			if err == nil {
				return conn, nil
			}
			errs = append(errs, err)
		}
		return nil, errors.Join(errs...)
	})
}

// DSN is a connection string that leads to all nodes by turns, past those that are
// down, in whatever process this package is part of. What one node has answered is
// seen through the next: wsrep_sync_wait is 7.
func (c *Cluster) DSN() string {
	sockets := make([]string, len(c.Nodes))
	for i, s := range c.Nodes {
		sockets[i] = s.socket()
	}
	return With(fmt.Sprintf("root@%s(%s)/?interpolateParams=true", balanced, strings.Join(sockets, ",")), "wsrep_sync_wait", "7")
}

// CreateDatabase makes an empty database and returns its DSN, which leads to all
// nodes by turns, and what drops it.
func (c *Cluster) CreateDatabase(ctx context.Context) (dsn string, drop func(context.Context) error, err error) {
	return (&Server{dsn: c.DSN()}).CreateDatabase(ctx)
}

// Restart ends one node as a crash would, another one each time, and starts it again.
// It returns when the node is part of the cluster.
func (c *Cluster) Restart(ctx context.Context) error {
	s := c.Nodes[c.crashes%len(c.Nodes)]
	c.crashes++
	if err := s.Restart(ctx); err != nil {
		return err
	}
	return s.until(ctx, "it is part of the cluster again", func() error { return s.inClusterOf(ctx, len(c.Nodes)) })
}
