package mariadbtest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
)

// provider is where Debian's package galera-4 has the library.
const provider = "/usr/lib/galera/libgalera_smm.so"

// ErrNoGalera says that there is a MariaDB, but not the library that makes a
// cluster of it.
var ErrNoGalera = errors.New("mariadbtest: Galera is not installed (no " + provider + ")")

// clusterSize is the least that survives the loss of a node.
const clusterSize = 3

// Cluster is a Galera cluster on this machine. Its nodes listen for each other on
// free ports of the loopback address.
type Cluster struct {
	Nodes   []*Server
	crashes int
}

// StartCluster starts a cluster of three nodes of this machine's MariaDB. The
// caller stops it. The error wraps [ErrNotInstalled] or [ErrNoGalera] if there is
// none.
func StartCluster(ctx context.Context) (*Cluster, error) {
	if _, err := findPrograms(); err != nil {
		return nil, err
	}
	if _, err := os.Stat(provider); err != nil {
		return nil, ErrNoGalera
	}
	ports, err := freePorts(ctx, 3*clusterSize)
	if err != nil {
		return nil, err
	}
	group, transfers, copies := ports[:clusterSize], ports[clusterSize:2*clusterSize], ports[2*clusterSize:]
	c := &Cluster{}
	for i := range group {
		s, err := create("--wsrep-on=ON", "--wsrep-provider="+provider, "--binlog-format=ROW",
			"--innodb-autoinc-lock-mode=2", "--wsrep-cluster-name=devicetotp", "--wsrep-node-address=127.0.0.1",
			"--wsrep-cluster-address=gcomm://"+strings.Join(group, ","),
			"--wsrep-sst-method=rsync", "--wsrep-sst-receive-address="+copies[i],
			"--wsrep-provider-options=gmcast.listen_addr=tcp://"+group[i]+";ist.recv_addr="+transfers[i]+";gcache.size=32M")
		if err != nil {
			return nil, errors.Join(err, c.Stop())
		}
		c.Nodes = append(c.Nodes, s)
	}
	if err := c.begin(ctx); err != nil {
		return nil, errors.Join(err, c.Stop())
	}
	return c, nil
}

func (c *Cluster) begin(ctx context.Context) error {
	for i, s := range c.Nodes {
		var once []string
		if i == 0 { // the others are sent its data
			once = append(once, "--wsrep-new-cluster")
			if err := s.initialise(ctx); err != nil {
				return err
			}
		}
		if err := s.launch(ctx, once...); err != nil {
			return err
		}
		if err := s.until(ctx, "it is part of the cluster", func() error { return s.inClusterOf(ctx, i+1) }); err != nil {
			return err
		}
	}
	return nil
}

// inClusterOf returns nil if the node is part of a cluster of that size, and has
// all its data.
func (s *Server) inClusterOf(ctx context.Context, size int) error {
	db, err := sql.Open("mysql", s.dsn)
	if err != nil {
		return err
	}
	defer db.Close()
	for name, want := range map[string]string{"wsrep_cluster_size": fmt.Sprint(size), "wsrep_local_state_comment": "Synced"} {
		var value string
		if err := db.QueryRowContext(ctx, `SHOW STATUS WHERE Variable_name = ?`, name).Scan(&name, &value); err != nil {
			return err
		}
		if value != want {
			return fmt.Errorf("%s is %s", name, value)
		}
	}
	return nil
}

// Stop stops all nodes, in whatever state they are, and removes all that they
// kept.
func (c *Cluster) Stop() error {
	var errs []error
	for _, s := range c.Nodes {
		errs = append(errs, s.Stop())
	}
	return errors.Join(errs...)
}

// freePorts returns addresses that nobody listened on a moment ago.
func freePorts(ctx context.Context, n int) ([]string, error) {
	addresses := make([]string, n)
	for i := range addresses {
		l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("mariadbtest: %w", err)
		}
		defer l.Close() // when all are chosen, so that none is chosen twice
		addresses[i] = l.Addr().String()
	}
	return addresses, nil
}
