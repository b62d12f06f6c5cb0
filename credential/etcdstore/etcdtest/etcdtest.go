// Package etcdtest starts a throw-away etcd cluster for tests: three servers, each
// a process of its own.
//
// A test asks [Need] for the cluster of its test binary, which it must leave as it
// is, or [NeedOwn] for one whose nodes it may kill and pause; TestMain calls
// [Main], which stops the first at the end:
//
//	func TestMain(m *testing.M) { os.Exit(etcdtest.Main(m.Run)) }
//
//	func TestStore(t *testing.T) {
//		client, err := clientv3.New(etcdstore.ClientConfig(etcdtest.Need(t).Endpoints()...))
//		...
//	}
//
// A command without a test uses [Start] and [Cluster.Stop].
//
// The server is built with the go command, of the version of etcd that this
// module's go.mod names, so nothing needs to be installed. The nodes listen on free
// ports of the loopback address, write to disk with fsync, and keep everything in
// a new directory.
package etcdtest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// size is the least that survives the loss of a node.
const size = 3

const (
	startTimeout = time.Minute
	askAgain     = 20 * time.Millisecond
)

// Cluster is an etcd cluster on this machine. Its methods, and those of its nodes,
// are called from one goroutine at a time.
type Cluster struct {
	Nodes []*Node

	dir    string
	binary string
}

// Start builds etcd and starts a cluster of three. The caller stops it. The error
// wraps [ErrNotBuilt] if the go command could not build it.
func Start(ctx context.Context) (*Cluster, error) {
	dir, err := os.MkdirTemp("", "etcd")
	if err != nil {
		return nil, fmt.Errorf("etcdtest: %w", err)
	}
	c := &Cluster{dir: dir, binary: filepath.Join(dir, "etcd")}
	if err := build(ctx, c.binary); err != nil {
		return nil, errors.Join(err, c.Stop())
	}
	if err := c.start(ctx); err != nil {
		return nil, errors.Join(err, c.Stop())
	}
	return c, nil
}

func (c *Cluster) start(ctx context.Context) error {
	addresses, err := freeAddresses(ctx, 2*size)
	if err != nil {
		return err
	}
	members := make([]string, size)
	for i := range size {
		n := &Node{
			binary: c.binary, dir: filepath.Join(c.dir, fmt.Sprint(i)),
			name: fmt.Sprintf("node%d", i), client: addresses[i], peer: addresses[size+i],
		}
		c.Nodes, members[i] = append(c.Nodes, n), n.name+"=http://"+n.peer
	}
	for _, n := range c.Nodes {
		n.members = strings.Join(members, ",")
	}
	return c.StartAgain(ctx)
}

// StartAgain starts every node that does not run. It returns when they answer.
func (c *Cluster) StartAgain(ctx context.Context) error {
	var started []*Node
	for _, n := range c.Nodes {
		if n.cmd != nil {
			continue
		}
		if err := n.launch(); err != nil { // and none is waited for yet: it waits for another
			return err
		}
		started = append(started, n)
	}
	for _, n := range started {
		if err := n.ready(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Endpoints are the addresses at which the nodes answer clients.
func (c *Cluster) Endpoints() []string {
	var all []string
	for _, n := range c.Nodes {
		all = append(all, n.Endpoint())
	}
	return all
}

// Leader waits until a node that runs says that it leads, and returns it.
func (c *Cluster) Leader(ctx context.Context) (*Node, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		for _, n := range c.Nodes {
			if n.leads(ctx) {
				return n, nil
			}
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("etcdtest: waiting for a leader: %w", ctx.Err())
		case <-time.After(askAgain):
		}
	}
}

// Follower returns a node that runs and does not lead.
func (c *Cluster) Follower(ctx context.Context) (*Node, error) {
	leader, err := c.Leader(ctx)
	if err != nil {
		return nil, err
	}
	for _, n := range c.Nodes {
		if n != leader && n.runs() {
			return n, nil
		}
	}
	return nil, errors.New("etcdtest: only the leader runs")
}

// Stop kills all nodes, in whatever state they are, and removes all that they kept.
func (c *Cluster) Stop() error {
	var errs []error
	for _, n := range c.Nodes {
		errs = append(errs, n.Kill())
	}
	return errors.Join(append(errs, os.RemoveAll(c.dir))...)
}

// freeAddresses returns addresses that nobody listened on a moment ago.
func freeAddresses(ctx context.Context, n int) ([]string, error) {
	addresses := make([]string, n)
	for i := range addresses {
		l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("etcdtest: %w", err)
		}
		defer l.Close() // when all are chosen, so that none is chosen twice
		addresses[i] = l.Addr().String()
	}
	return addresses, nil
}

// status asks one node only.
func status(ctx context.Context, endpoint string) (*clientv3.StatusResponse, error) {
	client, err := clientv3.New(clientv3.Config{Endpoints: []string{endpoint}, Logger: quiet})
	if err != nil {
		return nil, err
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	return client.Status(ctx, endpoint)
}
