package etcdtest

import (
	"context"
	"fmt"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/etcdstore"
)

// The store is given to devicetotp.NewIssuer; the host adds and locks accounts. Here
// a cluster is started first; a service names its own members, with https, and sets
// Config.TLS.
func Example() {
	ctx := context.Background()
	cluster, err := Start(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = cluster.Stop() }()

	config := etcdstore.ClientConfig(cluster.Endpoints()...)
	config.Logger = zap.NewNop()
	client, err := clientv3.New(config)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()
	store, err := etcdstore.New(ctx, client, etcdstore.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := store.Put(ctx, credential.Account{ID: "alice", PasswordHash: "$argon2id$..."}); err != nil {
		fmt.Println(err)
		return
	}
	if err := store.SetLocked(ctx, "alice", true); err != nil {
		fmt.Println(err)
		return
	}
	account, err := store.Load(ctx, "alice")
	fmt.Println(account, err)
	// Output: account "alice" version 0 (password set: true, pin set: false, locked: true, devices: 0) <nil>
}
