package main

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/verifier"
)

func parsed(t *testing.T, text string) []fileAccount {
	t.Helper()
	accounts, err := parseAccounts("f", []byte(text))
	require.NoError(t, err)
	return accounts
}

func newKeys(t *testing.T) *credential.Keyring {
	t.Helper()
	keys, err := credential.NewKeyring("k", credential.NewKey("k"))
	require.NoError(t, err)
	return keys
}

// bothStores runs the test on each store that needs no server.
func bothStores(t *testing.T, test func(t *testing.T, store accountStore)) {
	t.Helper()
	for _, name := range []string{"memory", "sqlite:" + filepath.Join(t.TempDir(), "accounts.db")} {
		kind, _, _ := strings.Cut(name, ":")
		t.Run(kind, func(t *testing.T) {
			parsedName, err := parseStoreName(name)
			require.NoError(t, err)
			store, err := openStore(t.Context(), parsedName)
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, store.Close()) })
			test(t, store)
		})
	}
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func textLogger(w *output) *slog.Logger { return slog.New(slog.NewTextHandler(w, nil)) }

// What the file says of an account that is there is a matter of hashes only.
func TestLoadingAgain(t *testing.T) {
	bothStores(t, func(t *testing.T, store accountStore) {
		keys, now := newKeys(t), time.Now()
		first := newLoader(store, keys, quiet())
		require.NoError(t, first.load(t.Context(), parsed(t, documentedAccount), now))
		require.EqualValues(t, 1, first.inserted.Load())
		before, err := store.Load(t.Context(), "acct-1")
		require.NoError(t, err)
		require.NotContains(t, before.PINHash, "argon2", "a PIN hash is kept sealed")

		same := newLoader(store, keys, quiet())
		require.NoError(t, same.load(t.Context(), parsed(t, documentedAccount), now.Add(time.Hour)))
		after, err := store.Load(t.Context(), "acct-1")
		require.NoError(t, err)
		require.Zero(t, same.inserted.Load())
		require.Zero(t, same.renewed.Load(), "hashes that still verify stay")
		require.True(t, before.SameHostFields(after))
		require.Equal(t, before.State.Codes, after.State.Codes, "codes stay as they are")

		changed := newLoader(store, keys, quiet())
		require.NoError(t, changed.load(t.Context(), parsed(t, `[{"id": "acct-1", "token": "good",
			"password": "superSecret12345!", "pin": "1111"}]`), now))
		after, err = store.Load(t.Context(), "acct-1")
		require.NoError(t, err)
		require.EqualValues(t, 1, changed.renewed.Load())
		require.Equal(t, before.PasswordHash, after.PasswordHash)
		require.NotEqual(t, before.PINHash, after.PINHash)
		verdict, err := verifier.PIN(keys, nil).Verify(t.Context(), verifier.NewQuery(after, credential.FactorPIN, credential.NewSecret("1111"), now))
		require.NoError(t, err)
		require.Equal(t, verifier.StatusValid, verdict.Status)

		removed := newLoader(store, keys, quiet())
		require.NoError(t, removed.load(t.Context(), parsed(t, `[{"id": "acct-1", "token": "good"}]`), now))
		after, err = store.Load(t.Context(), "acct-1")
		require.NoError(t, err)
		require.Empty(t, after.PasswordHash)
		require.Empty(t, after.PINHash)
		require.Len(t, after.State.Codes, 1)
	})
}

// A restart neither unlocks an account that somebody has locked since, nor locks one
// again that was unlocked: it says that the file differs.
func TestLoadingLeavesLocksAlone(t *testing.T) {
	for file, locked := range map[string]bool{`[{"id": "acct-1", "token": "good"}]`: true, `[{"id": "acct-1", "token": "good", "locked": true}]`: false} {
		bothStores(t, func(t *testing.T, store accountStore) {
			keys := newKeys(t)
			require.NoError(t, newLoader(store, keys, quiet()).load(t.Context(), parsed(t, file), time.Now()))
			operator := store.(interface {
				SetLocked(ctx context.Context, id string, locked bool) error
			})
			require.NoError(t, operator.SetLocked(t.Context(), "acct-1", locked))
			var log output
			require.NoError(t, newLoader(store, keys, textLogger(&log)).load(t.Context(), parsed(t, file), time.Now()))
			after, err := store.Load(t.Context(), "acct-1")
			require.NoError(t, err)
			require.Equal(t, locked, after.Locked)
			require.Contains(t, log.String(), "level=WARN")
			require.Contains(t, log.String(), "account=acct-1")
		})
	}
}

// A stored hash that nothing can verify is renewed.
func TestLoadingRenewsForeignHashes(t *testing.T) {
	bothStores(t, func(t *testing.T, store accountStore) {
		keys := newKeys(t)
		_, err := store.Insert(t.Context(), credential.Account{ID: "acct-1", PasswordHash: "$md5$old", PINHash: "$md5$old"})
		require.NoError(t, err)
		l := newLoader(store, keys, quiet())
		require.NoError(t, l.load(t.Context(), parsed(t, documentedAccount), time.Now()))
		require.EqualValues(t, 2, l.renewed.Load())
	})
}

func TestLoadingWithAnotherKeyFile(t *testing.T) {
	bothStores(t, func(t *testing.T, store accountStore) {
		require.NoError(t, newLoader(store, newKeys(t), quiet()).load(t.Context(), parsed(t, documentedAccount), time.Now()))
		err := newLoader(store, newKeys(t), quiet()).load(t.Context(), parsed(t, documentedAccount), time.Now())
		require.ErrorContains(t, err, `account "acct-1": the stored PIN does not open with this key file`)
	})
}

// Loading a large file tells how far it is, and ends when it is told to.
func TestLoadingALargeFile(t *testing.T) {
	accounts := make([]fileAccount, 60)
	for i := range accounts {
		accounts[i] = fileAccount{id: fmt.Sprint("acct-", i), pin: credential.NewSecret("8299")}
	}
	store, err := openStore(t.Context(), storeName{kind: "memory"})
	require.NoError(t, err)
	var log output
	l := newLoader(store, newKeys(t), textLogger(&log))
	l.every = time.Millisecond
	require.NoError(t, l.load(t.Context(), accounts, time.Now()))
	require.EqualValues(t, len(accounts), l.inserted.Load())
	require.Contains(t, log.String(), `msg="loading accounts" done=`)

	stopped, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, newLoader(store, newKeys(t), quiet()).load(stopped, accounts, time.Now()), context.Canceled)
}

// Two processes that start at once both renew a password that the file has changed: the
// one that is late finds it renewed, and starts too.
func TestTwoProcessesStartWithAChangedFile(t *testing.T) {
	bothStores(t, func(t *testing.T, store accountStore) {
		keys := newKeys(t)
		require.NoError(t, newLoader(store, keys, quiet()).load(t.Context(), parsed(t, `[{"id": "acct-1", "token": "good", "password": "one", "pin": "1111"}]`), time.Now()))
		changed := parsed(t, `[{"id": "acct-1", "token": "good", "password": "two", "pin": "2222"}]`)
		late := &overtaken{accountStore: store, other: func() {
			require.NoError(t, newLoader(store, keys, quiet()).load(t.Context(), changed, time.Now()))
		}}
		require.NoError(t, newLoader(late, keys, quiet()).load(t.Context(), changed, time.Now()))
	})
}

// overtaken is a store to which another process writes right before this one does.
type overtaken struct {
	accountStore
	other func()
	once  sync.Once
}

func (s *overtaken) RotateHash(ctx context.Context, id string, f credential.Factor, from, to string) error {
	s.once.Do(s.other)
	return s.accountStore.RotateHash(ctx, id, f, from, to)
}
