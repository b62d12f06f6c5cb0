package storetest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"example.com/devicetotp/credential"
)

// handle is a store of two functions.
type handle struct {
	load func(context.Context, string) (credential.Account, error)
	save func(context.Context, credential.Account) error
}

func (h handle) Load(ctx context.Context, id string) (credential.Account, error) {
	return h.load(ctx, id)
}
func (h handle) Save(ctx context.Context, a credential.Account) error { return h.save(ctx, a) }

// A broken store breaks one rule. open is called once for each set of data and
// returns what opens a handle on it.
type broken struct {
	rule, how string
	open      func(s *intact) func() credential.Store
}

// on makes a broken store whose handles share everything.
func on(f func(s *intact) handle) func(*intact) func() credential.Store {
	return func(s *intact) func() credential.Store {
		h := f(s)
		return func() credential.Store { return h }
	}
}

// saving breaks Save only.
func saving(f func(ctx context.Context, s *intact, a credential.Account) error) func(*intact) func() credential.Store {
	return on(func(s *intact) handle {
		return handle{s.Load, func(ctx context.Context, a credential.Account) error { return f(ctx, s, a) }}
	})
}

// loading breaks Load only.
func loading(f func(ctx context.Context, s *intact, id string) (credential.Account, error)) func(*intact) func() credential.Store {
	return on(func(s *intact) handle {
		return handle{func(ctx context.Context, id string) (credential.Account, error) { return f(ctx, s, id) }, s.Save}
	})
}

// storing saves under another version than the one that is given.
func storing(next func(credential.Account) int64) func(*intact) func() credential.Store {
	return saving(func(ctx context.Context, s *intact, a credential.Account) error {
		if a.CheckNext() == nil {
			a.Next = next(a)
		}
		return s.Save(ctx, a)
	})
}

// changing alters what is saved, if it is not refused anyway.
func changing(f func(*credential.State)) func(*intact) func() credential.Store {
	return saving(func(ctx context.Context, s *intact, a credential.Account) error {
		if err := a.State.Check(); err != nil {
			return err
		}
		a.State = a.State.Clone()
		f(&a.State)
		return s.Save(ctx, a)
	})
}

// ignoring saves as if what ignore copies from the stored account had not changed.
func ignoring(ignore func(a *credential.Account, stored credential.Account)) func(*intact) func() credential.Store {
	return saving(func(ctx context.Context, s *intact, a credential.Account) error {
		if stored, err := s.Load(ctx, a.ID); err == nil {
			ignore(&a, stored)
		}
		return s.Save(ctx, a)
	})
}

var errOther = errors.New("some other error")

var brokenStores = []broken{
	{"load_unknown", "makes up an account", loading(func(ctx context.Context, s *intact, id string) (credential.Account, error) {
		a, err := s.Load(ctx, id)
		if errors.Is(err, credential.ErrNotFound) {
			return credential.Account{ID: id}, nil
		}
		return a, err
	})},
	{"load_unknown", "flattens ErrNotFound", loading(func(ctx context.Context, s *intact, id string) (credential.Account, error) {
		a, err := s.Load(ctx, id)
		if errors.Is(err, credential.ErrNotFound) {
			return a, errOther
		}
		return a, err
	})},
	{"load_new", "counts versions from one", on(func(s *intact) handle {
		return handle{func(ctx context.Context, id string) (credential.Account, error) {
			a, err := s.Load(ctx, id)
			a.Version++
			return a, err
		}, func(ctx context.Context, a credential.Account) error {
			a.Version--
			return s.Save(ctx, a)
		}}
	})},
	{"all_or_nothing", "sends the statement twice and reports the second", saving(func(ctx context.Context, s *intact, a credential.Account) error {
		if err := s.Save(ctx, a); err != nil {
			return err
		}
		return s.Save(ctx, a)
	})},
	{"all_or_nothing", "writes State before it checks the version", saving(func(ctx context.Context, s *intact, a credential.Account) error {
		stored, err := s.Load(ctx, a.ID)
		if err == nil && stored.Version != a.Version {
			stored.State, stored.Next = a.State, a.Next
			_ = s.Save(ctx, stored)
		}
		return s.Save(ctx, a)
	})},
	{"save_new", "forgets what it was given", saving(func(ctx context.Context, s *intact, a credential.Account) error {
		_, err := s.Load(ctx, a.ID)
		return err
	})},
	{"save_new", "has no row to update before the first save", saving(func(ctx context.Context, s *intact, a credential.Account) error {
		if a.Version == 0 {
			return credential.ErrConflict
		}
		return s.Save(ctx, a)
	})},
	{"version_as_given", "counts", storing(func(a credential.Account) int64 { return a.Version + 1 })},
	{"version_as_given", "draws a version of its own", storing(func(credential.Account) int64 { return rand.Int64N(1<<62) + 1 })},
	{"version_as_given", "keeps the largest version", storing(func(a credential.Account) int64 { return max(a.Next, a.Version+1) })},
	{"version_as_given", "keeps versions as float64", storing(func(a credential.Account) int64 { return min(int64(float64(a.Next)), credential.MaxVersion) })},
	{"version_as_given", "keeps 32 bits of the version", storing(func(a credential.Account) int64 { return a.Next&(1<<32-1) | 1 })},
	{"bad_version", "counts where no version is given", saving(func(ctx context.Context, s *intact, a credential.Account) error {
		if a.Next == 0 {
			a.Next = a.Version + 1
		}
		return s.Save(ctx, a)
	})},
	{"bad_version", "stores any number", saving(func(ctx context.Context, s *intact, a credential.Account) error {
		if errors.Is(a.CheckNext(), credential.ErrVersion) && a.Next != a.Version {
			a.Next = 1
		}
		return s.Save(ctx, a)
	})},
	{"bad_version", "saves under the version that is stored", saving(func(ctx context.Context, s *intact, a credential.Account) error {
		if a.Next == a.Version && a.Next != 0 {
			a.Next--
		}
		return s.Save(ctx, a)
	})},
	{"bad_version", "takes a bad version for a conflict", saving(func(ctx context.Context, s *intact, a credential.Account) error {
		if a.CheckNext() != nil {
			return credential.ErrConflict
		}
		return s.Save(ctx, a)
	})},
	{"save_stale", "does not check the version", ignoring(func(a *credential.Account, stored credential.Account) {
		a.Version = stored.Version
	})},
	{"save_stale", "accepts a version from the future", ignoring(func(a *credential.Account, stored credential.Account) {
		a.Version = min(a.Version, stored.Version)
	})},
	{"save_stale", "compares nothing", ignoring(func(a *credential.Account, stored credential.Account) {
		next, state := a.Next, a.State
		*a = stored
		a.Next, a.State = next, state
	})},
	{"save_stale", "compares 32 bits of the version", ignoring(func(a *credential.Account, stored credential.Account) {
		if uint32(a.Version) == uint32(stored.Version) {
			a.Version = stored.Version
		}
	})},
	{"save_stale", "compares versions as float64", ignoring(func(a *credential.Account, stored credential.Account) {
		if float64(a.Version) == float64(stored.Version) {
			a.Version = stored.Version
		}
	})},
	{"save_stale", "swallows conflicts", saving(func(ctx context.Context, s *intact, a credential.Account) error {
		if err := s.Save(ctx, a); !errors.Is(err, credential.ErrConflict) {
			return err
		}
		return nil
	})},
	{"save_stale", "flattens ErrConflict", saving(func(ctx context.Context, s *intact, a credential.Account) error {
		err := s.Save(ctx, a)
		if errors.Is(err, credential.ErrConflict) {
			return errOther
		}
		return err
	})},
	{"durable_on_return", "writes at the next call", openWriteBehind},
	{"load_fresh", "caches what it loaded", openCache},
	{"load_fresh", "reads once in a while from a replica that lags", openLagging},
	{"only_state", "writes the hashes too", openWholeRow},
	{"one_account", "updates every account of that version", openEveryRow},
	{"hash_changed", "ignores a changed password hash", ignoring(func(a *credential.Account, stored credential.Account) {
		a.PasswordHash = stored.PasswordHash
	})},
	{"hash_changed", "ignores a changed PIN hash", ignoring(func(a *credential.Account, stored credential.Account) {
		a.PINHash = stored.PINHash
	})},
	{"exact_hash", "ignores the case of hashes", ignoring(func(a *credential.Account, stored credential.Account) {
		if strings.EqualFold(a.PasswordHash, stored.PasswordHash) {
			a.PasswordHash = stored.PasswordHash
		}
	})},
	{"exact_hash", "ignores spaces after a hash", ignoring(func(a *credential.Account, stored credential.Account) {
		if strings.TrimRight(a.PINHash, " ") == strings.TrimRight(stored.PINHash, " ") {
			a.PINHash = stored.PINHash
		}
	})},
	{"exact_hash", "keeps hashes without spaces", loading(func(ctx context.Context, s *intact, id string) (credential.Account, error) {
		a, err := s.Load(ctx, id)
		a.PINHash = strings.TrimSpace(a.PINHash)
		return a, err
	})},
	{"locked", "ignores the lock", ignoring(func(a *credential.Account, stored credential.Account) {
		a.Locked = stored.Locked
	})},
	{"registration_changed", "ignores the registration time", ignoring(func(a *credential.Account, stored credential.Account) {
		a.RegisteredAt = stored.RegisteredAt
	})},
	{"registration_changed", "compares registration times by the second", ignoring(func(a *credential.Account, stored credential.Account) {
		if a.RegisteredAt.Truncate(time.Second).Equal(stored.RegisteredAt.Truncate(time.Second)) {
			a.RegisteredAt = stored.RegisteredAt
		}
	})},
	{"change_under_way", "takes no lock", saving(func(ctx context.Context, s *intact, a credential.Account) error {
		return s.saveAtOnce(ctx, a)
	})},
	{"deleted", "keeps the State of deleted accounts", on(func(s *intact) handle {
		var states sync.Map // by id, as a table would be that does not go with the users
		return handle{
			func(ctx context.Context, id string) (credential.Account, error) {
				a, err := s.Load(ctx, id)
				if kept, ok := states.Load(id); ok && err == nil && a.Version == 0 {
					a.State, a.Version = kept.(credential.Account).State, kept.(credential.Account).Next
				}
				return a, err
			},
			func(ctx context.Context, a credential.Account) error {
				err := s.Save(ctx, a)
				if err == nil {
					states.Store(a.ID, a)
				}
				return err
			},
		}
	})},
	{"deleted", "re-creates deleted accounts", saving(func(ctx context.Context, s *intact, a credential.Account) error {
		if _, err := s.Load(ctx, a.ID); errors.Is(err, credential.ErrNotFound) {
			again := a
			again.Version = a.Next
			if s.Replace(ctx, again) == nil {
				return nil
			}
		}
		return s.Save(ctx, a)
	})},
	{"one_winner", "checks and then writes", openCheckThenWrite},
	{"no_lost_update", "loses one save in nine hundred", openForgetful},
	{"cancelled", "ignores the context", on(func(s *intact) handle {
		return handle{func(ctx context.Context, id string) (credential.Account, error) {
			return s.Load(context.WithoutCancel(ctx), id)
		}, func(ctx context.Context, a credential.Account) error {
			return s.Save(context.WithoutCancel(ctx), a)
		}}
	})},
	{"cancelled", "writes and then looks at the context", saving(func(ctx context.Context, s *intact, a credential.Account) error {
		if err := s.Save(context.WithoutCancel(ctx), a); err != nil {
			return err
		}
		return ctx.Err()
	})},
	{"deadline", "looks at cancellation only", saving(func(ctx context.Context, s *intact, a credential.Account) error {
		if errors.Is(ctx.Err(), context.Canceled) {
			return ctx.Err()
		}
		return s.Save(context.WithoutCancel(ctx), a)
	})},
	{"slices_not_shared", "keeps the caller's slices", openSharing(func(st credential.State) credential.State { return st }, credential.State.Clone)},
	{"slices_not_shared", "gives out its own slices", openSharing(credential.State.Clone, func(st credential.State) credential.State { return st })},
	{"large_state", "has room for ten devices", changing(func(st *credential.State) {
		st.Devices = st.Devices[:min(10, len(st.Devices))]
	})},
	{"large_state", "has room for 32 spent proofs", changing(func(st *credential.State) {
		st.Spent = st.Spent[:min(32, len(st.Spent))]
	})},
	{"largest_state", "keeps 65,535 bytes", changing(func(st *credential.State) {
		if encoded, err := st.MarshalBinary(); err == nil && len(encoded) > 65535 {
			st.Spent = st.Spent[:len(st.Spent)-1]
		}
	})},
	{"largest_state", "refuses the last byte", saving(func(ctx context.Context, s *intact, a credential.Account) error {
		if encoded, err := a.State.MarshalBinary(); err == nil && len(encoded) == credential.MaxStateBytes {
			return credential.ErrStateSize
		}
		return s.Save(ctx, a)
	})},
	{"bad_numbers", "mends them", saving(func(ctx context.Context, s *intact, a credential.Account) error {
		a.State.OTP.Failures = max(0, a.State.OTP.Failures)
		return s.Save(ctx, a)
	})},
	{"bad_numbers", "mends those of devices", saving(func(ctx context.Context, s *intact, a credential.Account) error {
		a.State = a.State.Clone()
		for i := range a.State.Devices {
			d := &a.State.Devices[i]
			d.LastStep = max(0, d.LastStep)
		}
		return s.Save(ctx, a)
	})},
	{"oversized_state", "cuts what is too large", saving(func(ctx context.Context, s *intact, a credential.Account) error {
		a.State.Devices = a.State.Devices[:min(credential.MaxDevices, len(a.State.Devices))]
		return s.Save(ctx, a)
	})},
	{"oversized_state", "cuts a value that is too long", saving(func(ctx context.Context, s *intact, a credential.Account) error {
		for i := range a.State.Devices {
			a.State.Devices[i].Sealed = a.State.Devices[i].Sealed[:min(30_000, len(a.State.Devices[i].Sealed))]
		}
		return s.Save(ctx, a)
	})},
	{"exact_times", "truncates times to microseconds", changing(func(st *credential.State) {
		for i := range st.Devices {
			st.Devices[i].CreatedAt = st.Devices[i].CreatedAt.Truncate(time.Microsecond)
		}
	})},
	{"exact_times", "keeps times as Unix nanoseconds", changing(func(st *credential.State) {
		for i := range st.Spent {
			st.Spent[i].Until = time.Unix(0, st.Spent[i].Until.UnixNano())
		}
	})},
	{"exact_bytes", "keeps text as UTF-8", changing(func(st *credential.State) {
		st.Password.Against = strings.ToValidUTF8(st.Password.Against, "\ufffd")
	})},
	{"exact_bytes", "cuts bytes at a NUL", changing(func(st *credential.State) {
		for i := range st.Devices {
			st.Devices[i].ProofDigest, _, _ = bytes.Cut(st.Devices[i].ProofDigest, []byte{0})
		}
	})},
	{"unknown_members", "copies the fields it knows", changing(func(st *credential.State) {
		*st = credential.State{
			Devices: st.Devices, Codes: st.Codes, Spent: st.Spent,
			OTP: st.OTP, Password: st.Password, PIN: st.PIN, Writes: st.Writes,
		}
	})},
	{"unknown_format", "takes what it cannot read for empty", loading(func(ctx context.Context, s *intact, id string) (credential.Account, error) {
		a, err := s.Load(ctx, id)
		if errors.Is(err, credential.ErrStateFormat) {
			a, err = s.Store.Load(ctx, id)
			a.State = credential.State{}
		}
		return a, err
	})},
	{"odd_ids", "cuts ids at a NUL", renaming(func(id string) string {
		id, _, _ = strings.Cut(id, "\x00")
		return id
	})},
	{"odd_ids", "folds the case of ids", renaming(func(id string) string { return strings.Replace(id, "Case", "case", 1) })},
	{"odd_ids", "keeps 254 bytes of ids", renaming(func(id string) string { return id[:min(254, len(id))] })},
	{"odd_ids", "chokes on a NUL", loading(func(ctx context.Context, s *intact, id string) (credential.Account, error) {
		if strings.Contains(id, "\x00") {
			return credential.Account{}, fmt.Errorf("invalid byte sequence for encoding UTF8: %q", id)
		}
		return s.Load(ctx, id)
	})},
	{"one_spelling", "reads 07 as 7", renaming(func(id string) string { return strings.TrimLeft(id, "0+") })},
	{"one_spelling", "reads braces as part of a UUID", renaming(func(id string) string {
		if strings.HasPrefix(id, "{") && strings.HasSuffix(id, "}") {
			return id[1 : len(id)-1]
		}
		return id
	})},
}

// renaming finds an account under another id too, and answers with the id it
// was asked for.
func renaming(f func(string) string) func(*intact) func() credential.Store {
	return on(func(s *intact) handle {
		return handle{func(ctx context.Context, id string) (credential.Account, error) {
			a, err := s.Load(ctx, f(id))
			a.ID = id
			return a, err
		}, func(ctx context.Context, a credential.Account) error {
			a.ID = f(a.ID)
			return s.Save(ctx, a)
		}}
	})
}

// openForgetful counts the saves that succeed, over all handles.
func openForgetful(s *intact) func() credential.Store {
	var mu sync.Mutex
	saves := 0
	return func() credential.Store {
		return handle{s.Load, func(ctx context.Context, a credential.Account) error {
			mu.Lock()
			defer mu.Unlock()
			if saves%900 == 899 {
				saves++
				return nil
			}
			err := s.Save(ctx, a)
			if err == nil {
				saves++
			}
			return err
		}}
	}
}
