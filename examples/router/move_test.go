package router

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/sqlstore"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/verifier"
)

func newRouter(t *testing.T, d databases) *Router {
	t.Helper()
	r := d.open(t)
	require.NoError(t, r.Migrate(t.Context()))
	return r
}

func insert(t *testing.T, r *Router, a credential.Account) {
	t.Helper()
	inserted, err := r.Insert(t.Context(), a)
	require.NoError(t, err)
	require.True(t, inserted)
}

func load(t *testing.T, s credential.Store, id string) credential.Account {
	t.Helper()
	a, err := s.Load(t.Context(), id)
	require.NoError(t, err)
	return a
}

func TestMoveTakesEverythingAlong(t *testing.T) {
	both(t, func(t *testing.T, d databases) {
		r := newRouter(t, d)
		insert(t, r, credential.Account{
			ID: "a", PasswordHash: "p", PINHash: "q", Locked: true, Version: 5,
			State: credential.State{Spent: []credential.SpentProof{{ProofID: "x"}}},
		})
		want := load(t, r, "a")
		for range 2 { // a repetition does nothing
			require.NoError(t, r.Move(t.Context(), "a", r.other("a")))
			require.Equal(t, want.State, load(t, r, "a").State)
		}
		require.Equal(t, want, load(t, r.shards[r.other("a")].Store, "a"))
		_, err := r.shards[r.Home("a")].Store.Load(t.Context(), "a")
		require.ErrorIs(t, err, credential.ErrNotFound)

		require.NoError(t, r.SetLocked(t.Context(), "a", false))
		require.NoError(t, r.RotateHash(t.Context(), "a", credential.FactorPIN, "q", "q2"))
		require.Equal(t, "q2", load(t, r, "a").PINHash)
		inserted, err := r.Insert(t.Context(), credential.Account{ID: "a"})
		require.NoError(t, err)
		require.False(t, inserted)
		deleted, err := r.Delete(t.Context(), "a")
		require.NoError(t, err)
		require.True(t, deleted)
		_, err = r.Load(t.Context(), "a")
		require.ErrorIs(t, err, credential.ErrNotFound)
		insert(t, r, credential.Account{ID: "a", PasswordHash: "new"})
		require.Equal(t, "new", load(t, r.shards[r.other("a")].Store, "a").PasswordHash)
	})
}

// A repeated Insert that meets the end of the move must not make the account again
// where it was.
func TestInsertDuringAMove(t *testing.T) {
	both(t, func(t *testing.T, d databases) {
		r := newRouter(t, d)
		for i := range 20 {
			id := fmt.Sprint(i)
			insert(t, r, credential.Account{ID: id, PasswordHash: "first"})
			var moving sync.WaitGroup
			var moveErr error
			moving.Go(func() { moveErr = r.Move(context.WithoutCancel(t.Context()), id, r.other(id)) })
			for at := r.Home(id); at == r.Home(id); {
				inserted, err := r.Insert(t.Context(), credential.Account{ID: id, PasswordHash: "again"})
				require.NoError(t, err)
				require.False(t, inserted)
				at, err = r.place(t.Context(), id)
				require.NoError(t, err)
			}
			moving.Wait()
			require.NoError(t, moveErr)
			require.Equal(t, "first", load(t, r, id).PasswordHash)
		}
	})
}

func TestMoveRefuses(t *testing.T) {
	r := newRouter(t, onSQLite(t))
	insert(t, r, credential.Account{ID: "a"})
	require.ErrorIs(t, r.Move(t.Context(), "nobody", 0), credential.ErrNotFound)
	require.ErrorContains(t, r.Move(t.Context(), "a", 2), "there is no shard 2")
	require.ErrorContains(t, r.Move(t.Context(), "a", -1), "there is no shard -1")
	require.NoError(t, r.Move(t.Context(), "a", r.Home("a")), "it is there")
	require.NoError(t, r.Move(t.Context(), "a", r.other("a")))
	require.ErrorContains(t, r.Move(t.Context(), "a", r.Home("a")), "cannot go back to shard")
}

// A move that ends anywhere is finished by the next one.
func TestAMoveThatWasInterruptedIsFinished(t *testing.T) {
	for name, interrupt := range map[string]func(t *testing.T, m *move){
		"before the copy": func(*testing.T, *move) {},
		"after the copy": func(t *testing.T, m *move) {
			a := load(t, m.from.Store, m.id)
			inserted, err := m.to.Store.Insert(t.Context(), a)
			require.NoError(t, err)
			require.True(t, inserted)
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRouter(t, onSQLite(t))
			insert(t, r, credential.Account{ID: "a"})
			m := move{id: "a", from: r.shards[r.Home("a")], to: r.shards[r.other("a")]}
			require.NoError(t, m.begin(t.Context(), r.other("a")))
			interrupt(t, &m)
			a := load(t, r, "a")
			a.State.OTP.Failures, a.Next = 3, 7
			require.NoError(t, r.Save(t.Context(), a), "it is still where it was")
			require.NoError(t, r.Move(t.Context(), "a", r.other("a")))
			require.Equal(t, 3, load(t, r, "a").State.OTP.Failures)
		})
	}
}

// What an earlier call left under way must not take effect later: it would delete
// the account, although its copy is no longer there.
func TestAMoveThatWasGivenUpDoesNothingLater(t *testing.T) {
	both(t, func(t *testing.T, d databases) {
		r := newRouter(t, d)
		insert(t, r, credential.Account{ID: "a"})
		old := move{id: "a", from: r.shards[r.Home("a")], to: r.shards[r.other("a")]}
		require.NoError(t, old.begin(t.Context(), r.other("a")))
		again := old
		require.NoError(t, again.begin(t.Context(), r.other("a")))
		done, err := old.letGo(t.Context(), load(t, r, "a"))
		require.ErrorIs(t, err, errOther)
		require.False(t, done)
		require.Zero(t, load(t, r, "a").Version)
	})
}

// A request that has loaded the account before it moved cannot save what it had,
// and one that has not is served.
func TestARequestUnderWayMeetsTheMove(t *testing.T) {
	both(t, func(t *testing.T, d databases) {
		r := newRouter(t, d)
		insert(t, r, credential.Account{ID: "a", PasswordHash: "p"})
		a := load(t, r, "a")
		require.NoError(t, r.Move(t.Context(), "a", r.other("a")))
		a.Next = 7
		require.NoError(t, r.Save(t.Context(), a), "nothing has changed but the place")
		a.Next = 8
		require.ErrorIs(t, r.Save(t.Context(), a), credential.ErrConflict)
		require.EqualValues(t, 7, load(t, r, "a").Version)
	})
}

// Clients of several processes create devices, each code presented by all of them,
// while every account moves. A code makes one device, and what was answered is
// there.
func TestNothingIsLostWhileAccountsMove(t *testing.T) {
	const accounts, processes, codes = 12, 4, 3
	both(t, func(t *testing.T, d databases) {
		mover := newRouter(t, d)
		keys, err := credential.NewKeyring("k", credential.Key{ID: "k", Secret: credential.NewSecret(strings.Repeat("k", credential.KeySize))})
		require.NoError(t, err)
		var issuers []*devicetotp.Issuer
		for range processes {
			issuer, err := devicetotp.NewIssuer(d.open(t), keys, devicetotp.Config{})
			require.NoError(t, err)
			issuers = append(issuers, issuer)
		}
		for i := range accounts {
			insert(t, mover, credential.Account{ID: fmt.Sprint(i)})
		}
		answers := make([]map[string]credential.Secret, accounts)
		begun := make(chan bool, accounts*codes)
		var working sync.WaitGroup
		for i := range accounts {
			answers[i] = map[string]credential.Secret{}
			working.Go(func() {
				for c := range codes {
					begun <- true
					for id, secret := range race(t, issuers, fmt.Sprint(i), fmt.Sprintf("%06d%02d", i, c), c) {
						answers[i][id] = secret
					}
				}
			})
		}
		for i := range accounts { // each moves at some moment of its own work
			<-begun
			require.NoError(t, mover.Move(t.Context(), fmt.Sprint(i), mover.other(fmt.Sprint(i))))
		}
		working.Wait()
		for i := range accounts {
			a := load(t, mover.shards[mover.other(fmt.Sprint(i))].Store, fmt.Sprint(i))
			require.Len(t, answers[i], codes)
			require.Len(t, a.State.Devices, codes)
			require.Len(t, a.State.Spent, codes)
			for j := range a.State.Devices {
				stored, _, err := keys.Open(credential.DeviceScope(a.ID, &a.State.Devices[j]), a.State.Devices[j].Sealed)
				require.NoError(t, err)
				require.True(t, stored.Matches(answers[i][a.State.Devices[j].ID]))
			}
		}
	})
}

// race announces the code and presents it to every process at once, each for a
// device of its own, and returns the secrets that were given. It goes on until each
// knows what became of its request.
func race(t *testing.T, issuers []*devicetotp.Issuer, account, code string, n int) map[string]credential.Secret {
	ctx, otp := context.WithoutCancel(t.Context()), credential.NewSecret(code)
	settled := func(call func() error) error {
		for {
			if err := call(); devicetotp.CodeOf(err) != devicetotp.CodeUnavailable {
				return err
			}
		}
	}
	err := settled(func() error {
		return issuers[0].Unblock(ctx, devicetotp.UnblockRequest{AccountID: account})
	})
	if err == nil {
		err = settled(func() error {
			_, err := issuers[0].AddCode(ctx, devicetotp.AddCodeRequest{AccountID: account, Kind: verifier.KindAccount, Code: otp, TTL: devicetotp.MaxCodeTTL})
			return err
		})
	}
	if err != nil {
		t.Errorf("account %s: %v", account, err)
		return nil
	}
	var mu sync.Mutex
	given := map[string]credential.Secret{}
	var racing sync.WaitGroup
	for i, issuer := range issuers {
		racing.Go(func() {
			id := fmt.Sprintf("00000000-0000-4000-8000-%06d%06d", n, i)
			err := settled(func() error {
				d, err := issuer.Create(ctx, devicetotp.CreateRequest{AccountID: account, DeviceID: id, OTP: otp})
				if err == nil {
					mu.Lock()
					defer mu.Unlock()
					given[id] = d.Secret
				}
				return err
			})
			if code := devicetotp.CodeOf(err); err != nil && code != devicetotp.CodeInvalidCredentials && code != devicetotp.CodeTooManyAttempts {
				t.Errorf("account %s: %v", account, err)
			}
		})
	}
	racing.Wait()
	return given
}

// An account that changes between the copy and the end of the move is copied again.
func TestAChangeWhileItMovesIsNotLost(t *testing.T) {
	both(t, func(t *testing.T, d databases) {
		r := newRouter(t, d)
		for name, change := range map[string]func(s *sqlstore.Store, id string) error{
			"save": func(s *sqlstore.Store, id string) error {
				a := load(t, s, id)
				a.Next = 9
				return s.Save(t.Context(), a)
			},
			"lock": func(s *sqlstore.Store, id string) error { return s.SetLocked(t.Context(), id, true) },
			"password": func(s *sqlstore.Store, id string) error {
				return s.RotateHash(t.Context(), id, credential.FactorPassword, "p", "x")
			},
			"PIN": func(s *sqlstore.Store, id string) error {
				return s.RotateHash(t.Context(), id, credential.FactorPIN, "q", "x")
			},
		} {
			insert(t, r, credential.Account{ID: name, PasswordHash: "p", PINHash: "q"})
			m := move{id: name, from: r.shards[r.Home(name)], to: r.shards[r.other(name)]}
			require.NoError(t, m.begin(t.Context(), r.other(name)))
			copied := load(t, r, name)
			require.NoError(t, change(m.from.Store, name))
			done, err := m.letGo(t.Context(), copied)
			require.NoError(t, err)
			require.False(t, done, name)
			want := load(t, r, name)
			require.NoError(t, r.Move(t.Context(), name, r.other(name)))
			require.Equal(t, want, load(t, r, name))
		}
	})
}
