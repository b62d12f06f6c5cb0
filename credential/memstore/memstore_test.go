package memstore_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/memstore"
	"example.com/devicetotp/credential/storetest"
)

func TestStoreKeepsTheContract(t *testing.T) {
	storetest.Run(t, func(*testing.T) storetest.Backend {
		s := memstore.New()
		var count atomic.Int64
		next := func(what string) string { return fmt.Sprintf("%s-%d", what, count.Add(1)) }
		put := func(id string) { s.Put(credential.Account{ID: id, PasswordHash: "p", PINHash: "q"}) }
		return storetest.Backend{
			Open: func() (credential.Store, error) { return s, nil },
			NewAccount: func(context.Context) (string, error) {
				id := next("account")
				put(id)
				return id, nil
			},
			ChangeHash: func(_ context.Context, id string, f credential.Factor) error {
				return s.Update(id, func(a *credential.Account) {
					if f == credential.FactorPIN {
						a.PINHash = next("hash")
					} else {
						a.PasswordHash = next("hash")
					}
				})
			},
			Lock: func(_ context.Context, id string) error {
				return s.Update(id, func(a *credential.Account) { a.Locked = true })
			},
			Delete: func(_ context.Context, id string) error {
				s.Delete(id)
				return nil
			},
			ChangeRegisteredAt: func(_ context.Context, id string) error {
				return s.Update(id, func(a *credential.Account) { a.RegisteredAt = a.RegisteredAt.Add(1) })
			},
			NewAccountWithID: func(_ context.Context, id string) error {
				put(id)
				return nil
			},
		}
	})
}

func withDevice(id string) credential.Account {
	return credential.Account{ID: id, Version: 3, State: credential.State{Devices: []credential.Device{{ID: "d", Sealed: []byte("s")}}}}
}

func TestPutReplacesAllOfAnAccountAndSharesNothing(t *testing.T) {
	ctx := context.Background()
	s := memstore.New()
	s.Put(credential.Account{ID: "a", PasswordHash: "old", Locked: true})
	a := withDevice("a")
	s.Put(a)
	a.State.Devices[0].Sealed[0] = 'X'
	got, err := s.Load(ctx, "a")
	require.NoError(t, err)
	require.Equal(t, withDevice("a"), got)
}

func TestUpdateChangesHostFieldsOnly(t *testing.T) {
	ctx := context.Background()
	s := memstore.New()
	s.Put(withDevice("a"))
	at := time.Unix(5, 6)
	require.NoError(t, s.Update("a", func(a *credential.Account) {
		a.State.Devices[0].Sealed[0] = 'X'
		*a = credential.Account{ID: "b", RegisteredAt: at, PasswordHash: "p", PINHash: "q", Locked: true}
	}))
	want := withDevice("a")
	want.RegisteredAt, want.PasswordHash, want.PINHash, want.Locked = at, "p", "q", true
	got, err := s.Load(ctx, "a")
	require.NoError(t, err)
	require.Equal(t, want, got)
	_, err = s.Load(ctx, "b")
	require.ErrorIs(t, err, credential.ErrNotFound)
}

func TestUpdateOfUnknownAccountIsNotFound(t *testing.T) {
	err := memstore.New().Update("a", func(*credential.Account) { t.Error("called for nobody") })
	require.ErrorIs(t, err, credential.ErrNotFound)
}

func TestDeleteOfUnknownAccountDoesNothing(t *testing.T) {
	s := memstore.New()
	s.Put(withDevice("a"))
	s.Delete("b")
	_, err := s.Load(context.Background(), "a")
	require.NoError(t, err)
}
