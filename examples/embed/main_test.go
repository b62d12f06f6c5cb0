package main

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
)

func TestRun(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), &out))
	require.Equal(t, `a new user, nothing presented: a device on basis "grace"
an old user, nothing presented: credentials-required
an old user, a wrong PIN: invalid-credentials
an old user, the password: a device on basis "password"
`, out.String())
}

func newKeys(t *testing.T) *credential.Keyring {
	t.Helper()
	keys, err := credential.NewKeyring("k", credential.NewKey("k"))
	require.NoError(t, err)
	return keys
}

// bcrypt hashes are accepted, and replaced by better ones when the right value
// comes by; a PIN's is sealed.
func TestHashesAreRenewed(t *testing.T) {
	onBoth(t, func(t *testing.T, s service) {
		db := s.open()
		store, users := s.use(db), Users{db}
		issuer, err := newIssuer(users, store, newKeys(t))
		require.NoError(t, err)
		id, err := users.Register(t.Context(), "a@example.com", "superSecret12345!", "8299", time.Now().Add(-time.Hour))
		require.NoError(t, err)
		before, err := store.Load(t.Context(), id)
		require.NoError(t, err)
		for _, hash := range []string{before.PasswordHash, before.PINHash} {
			cost, err := bcrypt.Cost([]byte(hash))
			require.NoError(t, err)
			require.GreaterOrEqual(t, cost, 10)
		}
		create := func(r devicetotp.CreateRequest) {
			t.Helper()
			r.AccountID = id
			_, err := issuer.Create(t.Context(), r)
			require.NoError(t, err)
		}
		for range 2 { // on the old hash, and on the new one
			create(devicetotp.CreateRequest{Password: credential.NewSecret("superSecret12345!")})
			create(devicetotp.CreateRequest{PIN: credential.NewSecret("8299")})
		}
		after, err := store.Load(t.Context(), id)
		require.NoError(t, err)
		require.True(t, strings.HasPrefix(after.PasswordHash, "$argon2id$"), after.PasswordHash)
		require.NotEqual(t, before.PINHash, after.PINHash)
		require.NotContains(t, after.PINHash, "argon2", "it is sealed")
		require.Len(t, after.State.Devices, 4)
	})
}

// The login goes on working when the library has renewed the hash, which it would
// not if it knew bcrypt only.
func TestLoginTakesRenewedHashes(t *testing.T) {
	onBoth(t, func(t *testing.T, s service) {
		const email, password = "a@example.com", "superSecret12345!"
		db := s.open()
		store, users := s.use(db), Users{db}
		id, err := users.Register(t.Context(), email, password, "", time.Now().Add(-time.Hour))
		require.NoError(t, err)
		signsIn := func() {
			t.Helper()
			for given, want := range map[string]bool{password: true, "wrong": false} {
				got, ok, err := users.Login(t.Context(), email, given)
				require.NoError(t, err)
				require.Equal(t, want, ok)
				require.Equal(t, want, got == id)
			}
			_, ok, err := users.Login(t.Context(), "nobody@example.com", password)
			require.NoError(t, err)
			require.False(t, ok)
		}
		byBcrypt := func() error {
			a, err := store.Load(t.Context(), id)
			require.NoError(t, err)
			return bcrypt.CompareHashAndPassword([]byte(a.PasswordHash), []byte(password))
		}
		signsIn()
		require.NoError(t, byBcrypt())

		renewed := make(chan error, 1)
		issuer, err := devicetotp.NewIssuer(store, newKeys(t), devicetotp.Config{
			OnRehash: func(ctx context.Context, id string, f credential.Factor, from, to string) error {
				err := users.StoreRehash(ctx, id, f, from, to)
				renewed <- err
				return err
			},
		})
		require.NoError(t, err)
		_, err = issuer.Prove(t.Context(), devicetotp.ProveRequest{AccountID: id, Password: credential.NewSecret(password)})
		require.NoError(t, err)
		require.NoError(t, <-renewed)
		signsIn()
		require.Error(t, byBcrypt(), "a login by bcrypt alone is locked out")
	})
}

// A better hash must not undo a change that the user made meanwhile.
func TestRehashYieldsToTheUser(t *testing.T) {
	onBoth(t, func(t *testing.T, s service) {
		db := s.open()
		store, users := s.use(db), Users{db}
		id, err := users.Register(t.Context(), "a@example.com", "password", "8299", time.Now())
		require.NoError(t, err)
		for _, f := range []credential.Factor{credential.FactorPassword, credential.FactorPIN} {
			require.NoError(t, users.StoreRehash(t.Context(), id, f, "another hash than the stored one", "better"))
			a, err := store.Load(t.Context(), id)
			require.NoError(t, err)
			require.NotEqual(t, "better", a.Hash(f))
			require.NoError(t, users.StoreRehash(t.Context(), id, f, a.Hash(f), "better"))
			a, err = store.Load(t.Context(), id)
			require.NoError(t, err)
			require.Equal(t, "better", a.Hash(f))
		}
	})
}

func TestALockedUserGetsNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, s service) {
		db := s.open()
		users := Users{db}
		issuer, err := newIssuer(users, s.use(db), newKeys(t))
		require.NoError(t, err)
		id, err := users.Register(t.Context(), "a@example.com", "password", "", time.Now())
		require.NoError(t, err)
		require.NoError(t, users.Lock(t.Context(), id))
		_, err = issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: id})
		require.Equal(t, "account-locked", string(devicetotp.CodeOf(err)))
	})
}
