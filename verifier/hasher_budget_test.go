package verifier

import (
	"context"
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
)

const bcryptStored = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"

func smallHasher(t *testing.T, memory uint32, parallel, queue int) *Hasher {
	t.Helper()
	h, err := NewHasher(HasherConfig{Memory: memory, Time: 1, Threads: 1, Parallel: parallel, Queue: queue})
	require.NoError(t, err)
	return h
}

// Everything that hashes takes its turn: with the budget taken and no line to
// wait in, each is told that it is busy. What is refused is refused before.
func TestEverythingThatHashesTakesATurn(t *testing.T) {
	h := smallHasher(t, 64, 2, 0)
	release, err := h.budget.acquire(t.Context(), 65)
	require.NoError(t, err)
	value := credential.NewSecret("U*U")
	_, err = h.Hash(t.Context(), value)
	require.ErrorIs(t, err, ErrBusy)
	for name, stored := range map[string]string{"unset": "", "argon2id": phc("64", "1", "1", 16, 32), "bcrypt": bcryptStored} {
		_, _, err = h.Compare(t.Context(), stored, value)
		require.ErrorIs(t, err, ErrBusy, name)
	}
	for _, stored := range []string{phc("262145", "1", "1", 16, 32), "$2a$15" + bcryptStored[6:], "x"} {
		_, _, err = h.Compare(t.Context(), stored, value)
		require.ErrorIs(t, err, ErrHash, "refused before it would have waited")
	}
	release()
	ok, _, err := h.Compare(t.Context(), bcryptStored, value)
	require.NoError(t, err)
	require.True(t, ok)
	requireIdle(t, h.budget)
}

// Who hangs up while waiting is not hashed for, and the verifiers pass that on.
func TestWaitingToHashHonoursContext(t *testing.T) {
	h := smallHasher(t, 64, 1, 1)
	release, err := h.budget.acquire(t.Context(), 64)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	value := credential.NewSecret("8299")
	_, err = h.Hash(ctx, value)
	require.ErrorIs(t, err, context.Canceled)
	_, _, err = h.Compare(ctx, bcryptStored, value)
	require.ErrorIs(t, err, context.Canceled)
	for _, v := range []Verifier{Password(h), PIN(nil, h)} {
		verdict, err := v.Verify(ctx, Query{Presented: value})
		require.ErrorIs(t, err, context.Canceled)
		require.Zero(t, verdict)
		hash, err := v.(Rehasher).Rehash(ctx, Query{Presented: value})
		require.ErrorIs(t, err, context.Canceled)
		require.Empty(t, hash)
	}
	release()
	requireIdle(t, h.budget)
}

// A hash takes the part of the budget that its memory is of the whole: a
// cheaper one less than a new one, a dearer one more.
func TestHashesAreWeighedByTheirMemory(t *testing.T) {
	value := credential.NewSecret("x")
	for _, tc := range []struct {
		name   string
		stored string
		need   int64
	}{
		{"unset takes what a new hash takes", "", 64},
		{"bcrypt takes what a new hash takes", bcryptStored, 64},
		{"cheaper", phc("16", "1", "1", 16, 32), 16},
		{"the same", phc("64", "1", "1", 16, 32), 64},
		{"dearer", phc("100", "1", "1", 16, 32), 100},
		{"dearer than the whole budget", phc("4096", "1", "1", 16, 32), 128},
	} {
		t.Run(tc.name, func(t *testing.T) {
			h := smallHasher(t, 64, 2, 0)
			release, err := h.budget.acquire(t.Context(), 128-tc.need+1)
			require.NoError(t, err)
			_, _, err = h.Compare(t.Context(), tc.stored, value)
			require.ErrorIs(t, err, ErrBusy, "one KiB too little is left")
			release()
			if tc.need < 128 {
				release, err = h.budget.acquire(t.Context(), 128-tc.need)
				require.NoError(t, err)
				defer release()
			}
			_, _, err = h.Compare(t.Context(), tc.stored, value)
			require.NoError(t, err, "just enough is left")
		})
	}
}

// Where nothing is set the work of a hash is done. Measured as memory, which a
// skipped hash would not have taken.
func TestUnsetDoesTheWorkOfAHash(t *testing.T) {
	h := smallHasher(t, 8192, 1, 0)
	taken := func(stored string) uint64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		ok, outdated, err := h.Compare(t.Context(), stored, credential.NewSecret("8299"))
		runtime.ReadMemStats(&after)
		require.NoError(t, err)
		require.False(t, ok || outdated)
		return after.TotalAlloc - before.TotalAlloc
	}
	unset, wrong := taken(""), taken(phc("8192", "1", "1", 16, 32))
	require.GreaterOrEqual(t, unset, uint64(8192*1024))
	require.GreaterOrEqual(t, wrong, uint64(8192*1024))
	require.InDelta(t, wrong, unset, 1<<20)
}

// The tag of the decoy is of zeros; even who finds a value for it is refused.
func TestUnsetNeverMatches(t *testing.T) {
	h := smallHasher(t, 64, 1, 0)
	tag, err := h.argon(t.Context(), h.decoy, "8299")
	require.NoError(t, err)
	h.decoy.tag = tag
	ok, outdated, err := h.Compare(t.Context(), "", credential.NewSecret("8299"))
	require.NoError(t, err)
	require.False(t, ok || outdated)
}

// A new hash never alters the decoy it is made from.
func TestHashLeavesTheDecoyAlone(t *testing.T) {
	h := smallHasher(t, 64, 1, 0)
	_, err := h.Hash(t.Context(), credential.NewSecret("8299"))
	require.NoError(t, err)
	require.Equal(t, make([]byte, newSaltSize), h.decoy.salt)
	require.Equal(t, make([]byte, newTagSize), h.decoy.tag)
}

// After a storm of callers, half of whom hang up, the whole budget is there.
func TestHasherLosesNoTurn(t *testing.T) {
	h := smallHasher(t, 64, 2, 64)
	var wait sync.WaitGroup
	for i := range 400 {
		ctx, cancel := context.WithCancel(t.Context())
		wait.Go(func() {
			_, _, _ = h.Compare(ctx, []string{"", bcryptStored[:6], phc("4096", "1", "4", 16, 32)}[i%3], credential.NewSecret("x"))
		})
		if i%2 == 0 {
			wait.Go(cancel)
		} else {
			defer cancel()
		}
	}
	wait.Wait()
	requireIdle(t, h.budget)
}
