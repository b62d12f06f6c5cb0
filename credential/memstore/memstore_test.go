package memstore_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/internal/hosttest"
	"example.com/devicetotp/credential/memstore"
	"example.com/devicetotp/credential/storetest"
)

func TestStoreKeepsTheContract(t *testing.T) {
	storetest.Run(t, func(*testing.T) storetest.Backend {
		s := memstore.New()
		var count atomic.Int64
		next := func(what string) string { return fmt.Sprintf("%s-%d", what, count.Add(1)) }
		put := func(ctx context.Context, id string) error {
			return s.Put(ctx, credential.Account{ID: id, PasswordHash: "p", PINHash: "q"})
		}
		return storetest.Backend{
			Open: func() (credential.Store, error) { return s, nil },
			NewAccount: func(ctx context.Context) (string, error) {
				id := next("account")
				return id, put(ctx, id)
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
			SetHash: func(_ context.Context, id string, f credential.Factor, hash string) error {
				return s.Update(id, func(a *credential.Account) {
					if f == credential.FactorPIN {
						a.PINHash = hash
					} else {
						a.PasswordHash = hash
					}
				})
			},
			Lock: func(ctx context.Context, id string) error { return s.SetLocked(ctx, id, true) },
			Delete: func(ctx context.Context, id string) error {
				_, err := s.Delete(ctx, id)
				return err
			},
			ChangeRegisteredAt: func(_ context.Context, id string) error {
				return s.Update(id, func(a *credential.Account) { a.RegisteredAt = a.RegisteredAt.Add(1) })
			},
			NewAccountWithID: put,
		}
	})
}

func TestHostSideIsThatOfEveryStore(t *testing.T) {
	hosttest.Run(t, func(*testing.T) hosttest.Store { return memstore.New() })
}

func withDevice(id string) credential.Account {
	return credential.Account{ID: id, Version: 3, State: credential.State{Devices: []credential.Device{{ID: "d", Sealed: []byte("s")}}}}
}

func TestReplaceReplacesAllOfAnAccountAndSharesNothing(t *testing.T) {
	ctx := context.Background()
	s := memstore.New()
	require.NoError(t, s.Put(ctx, credential.Account{ID: "a", PasswordHash: "old", Locked: true}))
	a := withDevice("a")
	require.NoError(t, s.Replace(ctx, a))
	a.State.Devices[0].Sealed[0] = 'X'
	got, err := s.Load(ctx, "a")
	require.NoError(t, err)
	require.Equal(t, withDevice("a"), got)
}

func TestReplaceRefusesWhatInsertRefuses(t *testing.T) {
	ctx := context.Background()
	s := memstore.New()
	for _, a := range []credential.Account{
		{ID: ""}, {ID: "a", PINHash: "\x00"}, {ID: "a", Version: -1},
		{ID: "a", State: credential.State{Devices: make([]credential.Device, credential.MaxDevices+1)}},
	} {
		_, insertErr := s.Insert(ctx, a)
		require.Error(t, insertErr)
		require.Equal(t, insertErr, s.Replace(ctx, a))
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	require.ErrorIs(t, s.Replace(ended, withDevice("a")), context.Canceled)
	_, err := s.Load(ctx, "a")
	require.ErrorIs(t, err, credential.ErrNotFound)
}

func TestUpdateRefusesAHashThatIsNoText(t *testing.T) {
	ctx := context.Background()
	s := memstore.New()
	require.NoError(t, s.Replace(ctx, withDevice("a")))
	require.ErrorContains(t, s.Update("a", func(a *credential.Account) { a.PINHash, a.Locked = "\xff", true }), "the PIN hash is not UTF-8")
	got, err := s.Load(ctx, "a")
	require.NoError(t, err)
	require.Equal(t, withDevice("a"), got)
}

func TestUpdateChangesHostFieldsOnly(t *testing.T) {
	ctx := context.Background()
	s := memstore.New()
	require.NoError(t, s.Replace(ctx, withDevice("a")))
	at := time.Unix(5, 6).UTC()
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
