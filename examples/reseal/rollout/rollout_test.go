package rollout

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/memstore"
	"example.com/devicetotp/devicetotp"
)

func key(id string) credential.Key {
	return credential.Key{ID: id, Secret: credential.NewSecret(strings.Repeat(id[:1], credential.KeySize-len(id)) + id)}
}

func ring(t *testing.T, primary string, ids ...string) *credential.Keyring {
	t.Helper()
	var keys []credential.Key
	for _, id := range ids {
		keys = append(keys, key(id))
	}
	out, err := credential.NewKeyring(primary, keys...)
	require.NoError(t, err)
	return out
}

func id(n int) string { return fmt.Sprintf("account-%04d", n) }

const deviceID = "738e379f-fe30-45ab-819c-ba88804b6368"

// newStore returns a store of n accounts with a device and a PIN, sealed with
// keys. Each has failed its PIN once.
func newStore(t *testing.T, keys *credential.Keyring, n int) *memstore.Store {
	t.Helper()
	store := memstore.New()
	for i := range n {
		a := credential.Account{ID: id(i), Version: 1}
		d := credential.Device{ID: deviceID, Digits: 6, Period: 30 * time.Second, CreatedAt: time.Unix(1_700_000_000, 0).UTC(), LastStep: 1}
		var err error
		d.Sealed, err = keys.Seal(credential.DeviceScope(a.ID, &d), credential.NewSecret("secret of "+a.ID))
		require.NoError(t, err)
		a.State.Devices = []credential.Device{d}
		a.PINHash, err = keys.SealPINHash(a.ID, "$2a$10$"+a.ID)
		require.NoError(t, err)
		a.State.PIN = credential.Attempts{Failures: 1, Against: credential.Fingerprint(a.PINHash)}
		inserted, err := store.Insert(t.Context(), a)
		require.NoError(t, err)
		require.True(t, inserted)
	}
	return store
}

func of(store *memstore.Store) Accounts {
	return Accounts{Store: store, IDs: store.IDs, RotateHash: store.RotateHash}
}

// requireMoved: every account opens with the new key alone, and is as it was.
func requireMoved(t *testing.T, store *memstore.Store, n int) {
	t.Helper()
	alone := ring(t, "new", "new")
	for i := range n {
		a, err := store.Load(t.Context(), id(i))
		require.NoError(t, err)
		require.Len(t, a.State.Devices, 1)
		d := a.State.Devices[0]
		plain, _, err := alone.Open(credential.DeviceScope(a.ID, &d), d.Sealed)
		require.NoError(t, err)
		require.Equal(t, "secret of "+a.ID, plain.Reveal())
		hash, outdated, err := alone.OpenPINHash(a.ID, a.PINHash)
		require.NoError(t, err)
		require.False(t, outdated)
		require.Equal(t, "$2a$10$"+a.ID, hash)
		require.Equal(t, 1, a.Attempts(credential.FactorPIN).Failures, "failures stay counted")
	}
}

func TestRun(t *testing.T) {
	const accounts = 25
	keys := ring(t, "new", "old", "new")
	store := newStore(t, ring(t, "old", "old"), accounts)
	cfg := Config{Accounts: of(store), Keys: keys, Page: 10}

	cfg.DryRun, cfg.StateFile = true, filepath.Join(t.TempDir(), "state")
	seen, err := Run(t.Context(), cfg)
	require.NoError(t, err)
	require.Equal(t, 3, seen.ExitCode(keys, nil))
	require.Equal(t, []string{"old"}, seen.StillNeeded(keys))
	require.Equal(t, accounts, seen.Needs["old"].Count)
	require.Zero(t, seen.Values)
	require.NoFileExists(t, cfg.StateFile)

	cfg.DryRun = false
	var pages [][2]int
	cfg.Progress = func(r Report) { pages = append(pages, [2]int{r.Accounts, r.Checked}) }
	report, err := Run(t.Context(), cfg)
	require.NoError(t, err)
	require.Equal(t, [][2]int{{10, 0}, {20, 0}, {25, 0}, {25, 10}, {25, 20}, {25, 25}}, pages)
	require.Zero(t, report.ExitCode(keys, nil))
	require.Equal(t, []string{"old"}, report.Unneeded(keys))
	require.Equal(t, [2]int{accounts, accounts}, [2]int{report.Values, report.PINs})
	require.NoFileExists(t, cfg.StateFile, "there is nothing left to go on with")
	requireMoved(t, store, accounts)

	again, err := Run(t.Context(), cfg)
	require.NoError(t, err)
	require.Equal(t, [3]int{accounts, 0, 0}, [3]int{again.Accounts, again.Values, again.PINs})
	require.Equal(t, []string{"old"}, again.Unneeded(keys))
}

// A run that was interrupted goes on where it was, and its end speaks for all
// accounts, those included that were done before.
func TestRun_GoesOnAfterAnInterruption(t *testing.T) {
	const accounts = 25
	keys := ring(t, "new", "old", "new")
	store := newStore(t, ring(t, "old", "old"), accounts)
	a, err := store.Load(t.Context(), id(3))
	require.NoError(t, err)
	a.State.Devices[0].Digits = 8 // does not open any more
	require.NoError(t, store.Replace(t.Context(), a))

	loads := 0
	counting := counted{store, &loads}
	ctx, cancel := context.WithCancel(t.Context())
	cfg := Config{
		Accounts: Accounts{Store: counting, IDs: store.IDs, RotateHash: store.RotateHash}, Keys: keys, Page: 10, Workers: 1,
		StateFile: filepath.Join(t.TempDir(), "state"), Progress: func(Report) { cancel() },
	}
	part, err := Run(ctx, cfg)
	require.ErrorIs(t, err, ErrInterrupted)
	require.Equal(t, 1, part.ExitCode(keys, err))
	require.Equal(t, 10, part.Accounts)
	require.Empty(t, part.Unneeded(keys), "nothing is known of the rest")
	text, err := os.ReadFile(cfg.StateFile)
	require.NoError(t, err)
	require.NotContains(t, string(text), "secret of")

	loads = 0
	report, err := Run(t.Context(), Config{Accounts: cfg.Accounts, Keys: keys, Page: 10, Workers: 1, StateFile: cfg.StateFile})
	require.NoError(t, err)
	require.Equal(t, 3*15+25, loads-15, "the accounts that were left: before and by Reseal, and by Inspect after the PIN hash; at the end, all")
	require.Equal(t, accounts, report.Accounts)
	require.Equal(t, 3, report.ExitCode(keys, nil))
	require.Equal(t, Some{1, []string{`"account-0003"`}}, report.Needs["old"])
	require.Empty(t, report.Unneeded(keys))
	require.Equal(t, 1, report.Unreadable.Count)
	var out bytes.Buffer
	require.NoError(t, report.Print(&out, keys, false))
	require.Equal(t, `25 accounts done under the primary key new: 24 values and 25 PIN hashes sealed again
25 accounts read again at the end
accounts with a value that does not open: 1: "account-0003" (device-secret `+deviceID+`: credential: sealed value was altered or belongs elsewhere)
still needed: old, by 1: "account-0003"
`, out.String())
}

// A backup that is restored between two runs brings values of the old key back,
// also in accounts that the state file says are done. The end of a run speaks for
// the accounts as they are, and the next run does them.
func TestRun_NoticesARestoredBackup(t *testing.T) {
	const accounts = 25
	keys := ring(t, "new", "old", "new")
	for name, restoreAfter := range map[string]int{"an interrupted run": 10, "a run whose process is killed when all are done": 25} {
		t.Run(name, func(t *testing.T) {
			store := newStore(t, ring(t, "old", "old"), accounts)
			var backup []credential.Account
			for i := range accounts {
				a, err := store.Load(t.Context(), id(i))
				require.NoError(t, err)
				backup = append(backup, a)
			}
			ctx, cancel := context.WithCancel(t.Context())
			cfg := Config{Accounts: of(store), Keys: keys, Page: 10, StateFile: filepath.Join(t.TempDir(), "state")}
			interrupted := cfg
			interrupted.Progress = func(r Report) {
				if r.Accounts == restoreAfter {
					cancel()
				}
			}
			_, err := Run(ctx, interrupted)
			require.ErrorIs(t, err, ErrInterrupted)
			require.FileExists(t, cfg.StateFile)
			for _, a := range backup {
				require.NoError(t, store.Replace(t.Context(), a))
			}

			report, err := Run(t.Context(), cfg)
			require.NoError(t, err)
			require.Empty(t, report.Unneeded(keys))
			require.Equal(t, 3, report.ExitCode(keys, nil))
			require.Equal(t, restoreAfter, report.Needs["old"].Count)
			report, err = Run(t.Context(), cfg)
			require.NoError(t, err)
			require.Equal(t, []string{"old"}, report.Unneeded(keys))
			requireMoved(t, store, accounts)
		})
	}
}

// A process that still seals with the old key may add an account that a run has
// passed already.
func TestRun_NoticesAnAccountThatIsNew(t *testing.T) {
	keys := ring(t, "new", "old", "new")
	store, late := newStore(t, ring(t, "old", "old"), 5), newStore(t, ring(t, "old", "old"), 1)
	_, err := store.Delete(t.Context(), id(0))
	require.NoError(t, err)
	added, err := late.Load(t.Context(), id(0))
	require.NoError(t, err)
	report, err := Run(t.Context(), Config{Accounts: of(store), Keys: keys, Page: 2, Progress: func(r Report) {
		if r.Accounts == 4 && r.Checked == 0 {
			_, err := store.Insert(t.Context(), added)
			require.NoError(t, err)
		}
	}})
	require.NoError(t, err)
	require.Empty(t, report.Unneeded(keys))
	require.Equal(t, Some{1, []string{`"account-0000"`}}, report.Needs["old"])
}

// counted counts the calls of Load, and of Save.
type counted struct {
	credential.Store
	calls *int
}

func (c counted) Load(ctx context.Context, id string) (credential.Account, error) {
	*c.calls++
	return c.Store.Load(ctx, id)
}

func (c counted) Save(ctx context.Context, a credential.Account) error {
	*c.calls++
	return c.Store.Save(ctx, a)
}

// A state file of something else is refused, and left as it is.
func TestRun_RefusesAnotherStateFile(t *testing.T) {
	store := newStore(t, ring(t, "old", "old"), 3)
	for name, text := range map[string]string{
		"another primary": `{"name":"here","primary":"old","after":"account-0001"}`,
		"other accounts":  `{"name":"there","primary":"new","after":"account-0001"}`,
		"torn":            `{"name":"here","primary":"new","aft`,
	} {
		path := filepath.Join(t.TempDir(), "state")
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		_, err := Run(t.Context(), Config{Accounts: of(store), Keys: ring(t, "new", "old", "new"), Name: "here", StateFile: path})
		require.ErrorContains(t, err, "state file", name)
		kept, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, text, string(kept))
	}
}

// A keyring with a wrong key is noticed at the first account that shows it.
func TestRun_StopsAtAWrongKey(t *testing.T) {
	store := newStore(t, ring(t, "new", "old", "new"), 1)
	wrong, err := credential.NewKeyring("new", key("old"), credential.Key{ID: "new", Secret: key("xnew").Secret})
	require.NoError(t, err)
	before, err := store.Load(t.Context(), id(0))
	require.NoError(t, err)
	for _, dry := range []bool{false, true} {
		_, err = Run(t.Context(), Config{Accounts: of(store), Keys: wrong, DryRun: dry})
		require.ErrorIs(t, err, ErrDisputed)
		require.ErrorContains(t, err, id(0))
	}
	report, err := Run(t.Context(), Config{Accounts: of(store), Keys: wrong, PastDisputes: true})
	require.NoError(t, err)
	require.Equal(t, 1, report.Disputed.Count)
	require.Equal(t, 3, report.ExitCode(wrong, nil))
	after, err := store.Load(t.Context(), id(0))
	require.NoError(t, err)
	require.Equal(t, before.PINHash, after.PINHash)
	require.Equal(t, before.State.Devices, after.State.Devices)
}

// An account that is broken takes down only itself; one that is gone is no fault;
// one that is unavailable for a moment is tried again.
func TestRun_OneAccountIsNotAll(t *testing.T) {
	keys := ring(t, "new", "old", "new")
	store := newStore(t, ring(t, "old", "old"), 6)
	_, err := store.Delete(t.Context(), id(1))
	require.NoError(t, err)
	f := &faulty{Store: store, broken: id(2), away: map[string]int{id(4): 2}}
	ids := func(ctx context.Context, after string, limit int) ([]string, error) {
		all, err := store.IDs(ctx, after, limit)
		if after == "" {
			all = append([]string{id(0), id(1)}, all[1:]...) // listed, and deleted since
		}
		return all, err
	}
	report, err := Run(t.Context(), Config{Accounts: Accounts{Store: f, IDs: ids, RotateHash: store.RotateHash}, Keys: keys, Workers: 1, Pause: 1})
	require.NoError(t, err)
	require.Equal(t, [3]int{6, 1, 1}, [3]int{report.Accounts, report.Gone, report.Failed.Count})
	require.Contains(t, report.Failed.First[0], id(2))
	require.Equal(t, 1, report.ExitCode(keys, nil))
	require.Empty(t, report.Unneeded(keys), "nobody knows what that account needs")
	require.Equal(t, 4, report.PINs)

	f.away[id(5)] = 1000
	_, err = Run(t.Context(), Config{Accounts: Accounts{Store: f, IDs: ids}, Keys: keys, Workers: 1, Pause: 1})
	require.ErrorContains(t, err, id(5))
	require.Equal(t, devicetotp.CodeUnavailable, devicetotp.CodeOf(err))
}

// faulty is a store in which one account is broken and others are away.
type faulty struct {
	*memstore.Store
	broken string
	away   map[string]int // how often
}

func (f *faulty) Load(ctx context.Context, id string) (credential.Account, error) {
	if id == f.broken {
		return credential.Account{}, fmt.Errorf("load: %w", credential.ErrStateFormat)
	}
	if f.away[id] > 0 {
		f.away[id]--
		return credential.Account{}, errors.New("the connection was closed")
	}
	return f.Store.Load(ctx, id)
}

// A user who changes the PIN meanwhile keeps the new one.
func TestRun_YieldsToANewPIN(t *testing.T) {
	keys := ring(t, "new", "old", "new")
	store := newStore(t, ring(t, "old", "old"), 1)
	fresh, err := ring(t, "old", "old").SealPINHash(id(0), "$2a$10$fresh")
	require.NoError(t, err)
	for _, quiet := range []bool{false, true} { // a RotateHash that says so, and one that does not
		changed := false
		report, err := Run(t.Context(), Config{Keys: keys, Accounts: Accounts{Store: store, IDs: store.IDs, RotateHash: func(ctx context.Context, id string, f credential.Factor, from, to string) error {
			if !changed {
				changed = true
				require.NoError(t, store.Update(id, func(a *credential.Account) { a.PINHash = fresh }))
			}
			err := store.RotateHash(ctx, id, f, from, to)
			if quiet && errors.Is(err, credential.ErrConflict) {
				return nil
			}
			return err
		}}})
		require.NoError(t, err)
		a, err := store.Load(t.Context(), id(0))
		require.NoError(t, err)
		hash, outdated, err := keys.OpenPINHash(id(0), a.PINHash)
		require.NoError(t, err)
		require.Equal(t, "$2a$10$fresh", hash)
		require.Equal(t, outdated, report.ExitCode(keys, nil) == 3, "the report is of what is stored")
		require.NoError(t, store.Update(id(0), func(a *credential.Account) { a.PINHash = mustSeal(t, ring(t, "old", "old"), "$2a$10$before") }))
	}
}

func mustSeal(t *testing.T, keys *credential.Keyring, hash string) string {
	t.Helper()
	out, err := keys.SealPINHash(id(0), hash)
	require.NoError(t, err)
	return out
}

// A PIN hash of a form that does not open is reported, and stops nothing.
func TestRun_ReportsAPINHashThatDoesNotOpen(t *testing.T) {
	keys := ring(t, "new", "old", "new")
	store := newStore(t, ring(t, "old", "old"), 2)
	require.NoError(t, store.Update(id(0), func(a *credential.Account) {
		a.PINHash = "$sealed$" + base64.RawStdEncoding.EncodeToString([]byte("nonsense"))
	}))
	report, err := Run(t.Context(), Config{Accounts: of(store), Keys: keys})
	require.NoError(t, err)
	require.Equal(t, 1, report.Unreadable.Count)
	require.Contains(t, report.Unreadable.First[0], `"account-0000" (pin: `)
	require.Equal(t, 2, report.Values)
	require.Equal(t, 1, report.PINs)
}

// Ten accounts are done and then read again, at two in a second. The first turn of
// twenty comes at once.
func TestRun_KeepsItsRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newStore(t, ring(t, "old", "old"), 10)
		started := time.Now()
		_, err := Run(t.Context(), Config{Accounts: of(store), Keys: ring(t, "new", "old", "new"), Rate: 2})
		require.NoError(t, err)
		require.Equal(t, 9500*time.Millisecond, time.Since(started))
	})
}

func TestRun_RefusesWhatCannotWork(t *testing.T) {
	store := memstore.New()
	_, err := Run(t.Context(), Config{Keys: ring(t, "k", "k")})
	require.Error(t, err)
	_, err = Run(t.Context(), Config{Accounts: of(store)})
	require.Error(t, err)
}

// The first step of a roll-out is said to be the first step.
func TestReport_OfAnOlderPrimary(t *testing.T) {
	keys := ring(t, "old", "old", "new")
	store := newStore(t, ring(t, "new", "old", "new"), 1)
	report, err := Run(t.Context(), Config{Accounts: of(store), Keys: keys})
	require.NoError(t, err)
	require.Zero(t, report.Values)
	require.Empty(t, report.Unneeded(keys))
	require.Zero(t, report.ExitCode(keys, nil))
	var out bytes.Buffer
	require.NoError(t, report.Print(&out, keys, false))
	require.Contains(t, out.String(), "the newest key, new, is not the primary")
}
