package etcdtest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	clientv3 "go.etcd.io/etcd/client/v3"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/etcdstore"
	"example.com/devicetotp/credential/internal/hosttest"
	"example.com/devicetotp/credential/storetest"
)

// open returns a client with connections of its own.
func open(t *testing.T, endpoints ...string) *clientv3.Client {
	t.Helper()
	config := etcdstore.ClientConfig(endpoints...)
	config.Logger = quiet
	client, err := clientv3.New(config)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, client.Close()) })
	return client
}

// newStore returns a handle with a client of its own.
func newStore(t *testing.T, prefix string, endpoints ...string) *etcdstore.Store {
	t.Helper()
	s, err := etcdstore.New(t.Context(), open(t, endpoints...), etcdstore.Config{Prefix: prefix})
	require.NoError(t, err)
	return s
}

// newPrefix returns one that nothing is below.
func newPrefix() string { return rand.Text() + "/" }

func TestStoreKeepsTheContract(t *testing.T) {
	c := Need(t)
	storetest.Run(t, func(t *testing.T) storetest.Backend {
		prefix := newPrefix()
		var opened int
		return backend(t, prefix, open(t, c.Endpoints()...), func() *etcdstore.Store {
			opened++ // each node is asked by some handle alone
			return newStore(t, prefix, c.Nodes[opened%size].Endpoint())
		})
	})
}

// backend has handles from open, and the host on a client of its own. The host
// changes accounts in single steps only.
func backend(t *testing.T, prefix string, client *clientv3.Client, open func() *etcdstore.Store) storetest.Backend {
	host, err := etcdstore.New(t.Context(), client, etcdstore.Config{Prefix: prefix})
	require.NoError(t, err)
	var accounts atomic.Int64
	put := func(ctx context.Context, id string) error {
		return host.Put(ctx, credential.Account{ID: id, RegisteredAt: time.Unix(1767225600, 123456789), PasswordHash: "first", PINHash: "first"})
	}
	setHash := func(ctx context.Context, id string, f credential.Factor, to func(string) string) error {
		a, err := host.Load(ctx, id)
		if err != nil {
			return err
		}
		return host.RotateHash(ctx, id, f, a.Hash(f), to(a.Hash(f)))
	}
	return storetest.Backend{
		Open: func() (credential.Store, error) { return open(), nil },
		NewAccount: func(ctx context.Context) (string, error) {
			id := fmt.Sprint(accounts.Add(1))
			return id, put(ctx, id)
		},
		ChangeHash: func(ctx context.Context, id string, f credential.Factor) error {
			return setHash(ctx, id, f, func(from string) string { return from + "+" })
		},
		SetHash: func(ctx context.Context, id string, f credential.Factor, hash string) error {
			return setHash(ctx, id, f, func(string) string { return hash })
		},
		Lock: func(ctx context.Context, id string) error { return host.SetLocked(ctx, id, true) },
		Delete: func(ctx context.Context, id string) error {
			_, err := host.Delete(ctx, id)
			return err
		},
		ChangeRegisteredAt: func(ctx context.Context, id string) error {
			a, err := host.Load(ctx, id)
			if err != nil {
				return err
			}
			a.RegisteredAt = a.RegisteredAt.Add(time.Nanosecond)
			return host.Put(ctx, a)
		},
		NewAccountWithID: func(ctx context.Context, id string) error {
			inserted, err := host.Insert(ctx, credential.Account{ID: id})
			if err == nil && !inserted {
				err = errors.New("is there already")
			}
			return err
		},
		PlantState: func(ctx context.Context, id string, state []byte) error {
			_, err := client.Put(ctx, prefix+"state/"+id, string(state))
			return err
		},
	}
}

func TestHostSide(t *testing.T) {
	c := Need(t)
	hosttest.Run(t, func(t *testing.T) hosttest.Store { return newStore(t, newPrefix(), c.Endpoints()...) })
}
