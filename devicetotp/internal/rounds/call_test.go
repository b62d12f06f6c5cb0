package rounds

import (
	"context"
	"encoding/binary"
	"errors"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/clock"
	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/drawtest"
	totperrors "example.com/devicetotp/errors"
)

func TestCall_NeedsAnEngineAnAccountAndAContext(t *testing.T) {
	e := engineOn(&scripted{})
	for missing, c := range map[string]struct {
		ctx     context.Context
		engine  *Engine
		account string
	}{
		"":          {t.Context(), e, "a"},
		"NewIssuer": {t.Context(), nil, "a"},
		"AccountID": {t.Context(), e, ""},
		"context":   {nil, e, "a"},
	} {
		var call Call
		call.Start(c.ctx, c.engine, totperrors.OpVerify, c.account)
		err := call.Check()
		if missing == "" {
			require.NoError(t, err)
			continue
		}
		require.Equal(t, totperrors.CodeInternal, totperrors.CodeOf(err), missing)
		require.ErrorContains(t, err, missing)
	}
}

// A clock that stands before 1970 is broken: nothing is decided by it, and the next
// request finds the lane empty.
func TestRun_DecidesNothingByABrokenClock(t *testing.T) {
	for at, code := range map[int64]totperrors.Code{
		-1: totperrors.CodeInternal, 0: totperrors.CodeInternal, 1: "",
	} {
		e := NewEngine(&scripted{account: credential.Account{ID: "a"}}, clock.Func(func() time.Time { return time.Unix(at, 5) }), limits())
		_, _, err := run(e, count)
		require.Equal(t, code, totperrors.CodeOf(err), "at %d s", at)
		require.Empty(t, e.lanes.lines)
	}
}

func TestRun_RefusesAccountsThatAreNoAnswer(t *testing.T) {
	for name, c := range map[string]struct {
		account credential.Account
		code    totperrors.Code
	}{
		"another account":    {credential.Account{ID: "b"}, totperrors.CodeInternal},
		"a negative version": {credential.Account{ID: "a", Version: -1}, totperrors.CodeInternal},
		"version 0":          {credential.Account{ID: "a"}, ""},
	} {
		_, _, err := run(engineOn(&scripted{account: c.account}), count)
		require.Equal(t, c.code, totperrors.CodeOf(err), name)
		require.Equal(t, c.code != "", errors.Is(err, ErrNonsense), name)
	}
}

// A request that is decided once allocates no contexts for what it calls.
func TestCall_ItsFirstDeadlinesAreItsOwn(t *testing.T) {
	var c Call
	c.Start(t.Context(), engineOn(&scripted{}), totperrors.OpVerify, "a")
	for i := range c.deadlines {
		require.Same(t, &c.deadlines[i], c.until(true, noon))
	}
	further := c.until(true, noon)
	require.NotNil(t, further)
	for i := range c.deadlines {
		require.NotSame(t, &c.deadlines[i], further, "a collaborator may have kept the earlier one")
	}
}

func TestCall_ContainsPanicsOnly(t *testing.T) {
	var c Call
	c.Start(t.Context(), engineOn(&scripted{}), totperrors.OpVerify, "a")
	contain := func(f func()) (err error) {
		defer c.Contain(&err)
		f()
		return nil
	}
	require.NoError(t, contain(func() {}))
	err := contain(func() { panic("8299") })
	require.Equal(t, totperrors.CodeInternal, totperrors.CodeOf(err))
	require.NotContains(t, err.Error(), "8299")
}

// The number and the time of the rounds are bounds that are reached and not passed.
func TestRun_EndsAtItsBounds(t *testing.T) {
	race := step{err: credential.ErrConflict, before: another}
	s := &scripted{account: credential.Account{ID: "a"}}
	for range 100 {
		s.script = append(s.script, race)
	}
	synctest.Test(t, func(t *testing.T) {
		_, call, err := run(engineOn(s), count)
		require.Equal(t, totperrors.CodeUnavailable, totperrors.CodeOf(err))
		require.Equal(t, limits().MaxRounds, call.Rounds)
	})
	for saving, rounds := range map[time.Duration]int{limits().StoreTimeout / 2: 1, limits().StoreTimeout/2 - 1: 2} {
		synctest.Test(t, func(t *testing.T) {
			slow := step{err: credential.ErrConflict, before: func(s *scripted) { time.Sleep(saving); another(s) }}
			s := &scripted{account: credential.Account{ID: "a"}, script: []step{slow}}
			bounds := limits()
			bounds.RoundsTimeout = limits().StoreTimeout / 2
			_, call, _ := run(NewEngine(s, clock.Func(func() time.Time { return noon }), bounds), count)
			require.Equal(t, rounds, call.Rounds, "a Save of %v", saving)
		})
	}
}

// The time of hashing is no time of the rounds: it is bounded by its own, and a
// verdict is remembered.
func TestRun_HashingTakesNoTimeOfTheRounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{account: credential.Account{ID: "a"}, script: []step{{err: credential.ErrConflict, before: another}}}
		c := &Call{}
		c.Start(t.Context(), engineOn(s), totperrors.OpVerify, "a")
		_, err := Run(c, func(a *credential.Account) (int, bool) {
			var err error
			visit := c.Visit()
			time.Sleep(2 * limits().RoundsTimeout)
			visit.End("the hasher", &err)
			return count(a)
		})
		require.NoError(t, err)
		require.Equal(t, 2, c.Rounds)
	})
}

func TestVersionsAreFromOneToTwoToThe62(t *testing.T) {
	require.EqualValues(t, 1, versionOf(0))
	require.EqualValues(t, 1, versionOf(3))
	require.EqualValues(t, 2, versionOf(4))
	require.Equal(t, int64(1)<<62, versionOf(math.MaxUint64))
}

// 62 bits of a version are drawn, and all of a write id: the half that names the
// engine once, the other one for each write.
func TestVersionsAndWriteIDsAreRandom(t *testing.T) {
	c := &Call{}
	require.NoError(t, drawtest.Bits(8, 2, func() ([]byte, error) {
		return binary.BigEndian.AppendUint64(nil, uint64(c.newVersion()-1)), nil
	}))
	require.NoError(t, drawtest.Bits(len(credential.WriteID{}), 0, func() ([]byte, error) {
		c.engine = NewEngine(nil, nil, Limits{})
		id := c.newWriteID()
		return id[:], nil
	}))
	require.NoError(t, drawtest.Bits(len(credential.WriteID{}), 64, func() ([]byte, error) {
		id := c.newWriteID()
		return id[:], nil
	}), "of one engine")
}

// A pause is random, from nothing to twice the first round, doubling with each
// further one, and never longer than a second.
func TestJitter(t *testing.T) {
	for _, c := range []struct {
		first time.Duration
		round int
		most  time.Duration
	}{
		{1, 1, 2}, {time.Microsecond, 1, 2 * time.Microsecond}, {time.Microsecond, 10, 1024 * time.Microsecond},
		{time.Microsecond, 19, 524288 * time.Microsecond}, {time.Millisecond, 10, maxPause}, {time.Minute, 1, maxPause},
		{1, 20, maxPause}, {1, 70, maxPause},
	} {
		var longest time.Duration
		for range 1000 {
			pause := jitter(c.first, c.round)
			require.Positive(t, pause)
			require.LessOrEqual(t, pause, c.most)
			longest = max(longest, pause)
		}
		require.Greater(t, longest, c.most/2, "%+v", c)
	}
}
