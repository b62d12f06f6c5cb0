package rounds

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/clock"
	"example.com/devicetotp/credential"
	totperrors "example.com/devicetotp/errors"
	"example.com/devicetotp/verifier"
)

var (
	noon      = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	errStore  = errors.New("the store failed")
	errDenied = errors.New("denied")
)

// scripted is a store of one account. Each Save takes the next step of the
// script; after that it succeeds.
type scripted struct {
	account credential.Account
	gone    bool
	loads   int
	saves   []credential.Account
	script  []step
	loadErr []error
}

// step is what one Save does: it applies or not, and returns err. Before it, what
// another process does; after it, what becomes of the store.
type step struct {
	applied bool
	err     error
	before  func(*scripted)
	after   func(*scripted)
}

func (s *scripted) Load(context.Context, string) (credential.Account, error) {
	s.loads++
	if len(s.loadErr) > 0 {
		err := s.loadErr[0]
		if s.loadErr = s.loadErr[1:]; err != nil {
			return credential.Account{}, err
		}
	}
	if s.gone {
		return credential.Account{}, credential.ErrNotFound
	}
	a := s.account
	a.State = a.State.Clone()
	return a, nil
}

func (s *scripted) Save(_ context.Context, a credential.Account) error {
	s.saves = append(s.saves, a)
	now := step{applied: true}
	if len(s.script) > 0 {
		now, s.script = s.script[0], s.script[1:]
	}
	if now.before != nil {
		now.before(s)
	}
	if now.after != nil {
		defer now.after(s)
	}
	if a.Version != s.account.Version || !a.SameHostFields(s.account) {
		return credential.ErrConflict
	}
	if now.applied {
		s.account, s.account.Version = a, a.Next
	}
	return now.err
}

// another is a save of another process.
func another(s *scripted) {
	s.account.Version++
	s.account.State.MarkWrite(credential.WriteID{9})
}

func limits() Limits {
	return Limits{MaxRounds: 16, RoundsTimeout: 5 * time.Second, StoreTimeout: 2 * time.Second, VerifierTimeout: 10 * time.Second, MaxWaiting: 4}
}

func engineOn(s *scripted) *Engine {
	return NewEngine(s, clock.Func(func() time.Time { return noon }), limits())
}

// count is an operation that counts a failure and answers with the number.
func count(a *credential.Account) (answer int, save bool) {
	a.State.OTP.Failures++
	return a.State.OTP.Failures, true
}

func run(e *Engine, decide func(*credential.Account) (int, bool)) (int, *Call, error) {
	c := &Call{}
	c.Start(context.Background(), e, totperrors.OpVerify, "a")
	answer, err := Run(c, decide)
	return answer, c, err
}

func TestRun_AnswersOnlyAfterASaveThatReturnedNil(t *testing.T) {
	unclear := step{applied: true, err: errStore}
	for name, c := range map[string]struct {
		script []step
		saves  int
		code   totperrors.Code
		counts int // failures stored in the end
	}{
		"saved at once":                       {nil, 1, "", 1},
		"conflict":                            {[]step{{err: credential.ErrConflict, before: another}}, 2, "", 1},
		"serialization failure":               {[]step{{err: credential.ErrSerialization}}, 2, "", 1},
		"took effect, confirmed":              {[]step{unclear}, 2, "", 1},
		"took effect, reported as a conflict": {[]step{{applied: true, err: credential.ErrConflict}}, 2, "", 1},
		"took effect, confirmed twice":        {[]step{unclear, unclear}, 3, "", 1},
		"took effect, then others saved":      {[]step{unclear, {applied: true, before: another}}, 3, "", 1},
		"took effect, and is gone":            {[]step{unclear, {err: errStore, before: func(s *scripted) { s.account = credential.Account{ID: "a", Version: 7} }}}, 4, "", 1},
		"did not take effect":                 {[]step{{err: errStore}}, 1, totperrors.CodeUnavailable, 0},
		"a state that is refused":             {[]step{{err: credential.ErrStateSize}}, 1, totperrors.CodeInternal, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &scripted{account: credential.Account{ID: "a"}, script: c.script}
				answer, call, err := run(engineOn(s), count)
				require.Equal(t, c.code, totperrors.CodeOf(err), "%v", err)
				require.Len(t, s.saves, c.saves)
				require.Equal(t, c.counts, s.account.State.OTP.Failures)
				if err == nil {
					require.Equal(t, 1, answer)
					require.Equal(t, c.saves, call.Rounds, "each save is a round")
				}
				seen := map[int64]bool{}
				for _, a := range s.saves {
					require.NoError(t, a.CheckNext())
					require.False(t, seen[a.Next], "a version is never seen twice")
					seen[a.Next] = true
				}
			})
		})
	}
}

// An account that is no answer is a fault also after a conflict, which changed
// nothing. Where this request may have taken effect, it is unavailable all the same.
func TestRun_SaysWhyAnAccountCannotBeLoadedAgain(t *testing.T) {
	away := func(s *scripted) { s.loadErr = []error{errStore} }
	another := func(s *scripted) { s.account.ID = "b" }
	for name, c := range map[string]struct {
		save step
		code totperrors.Code
		why  error
	}{
		"away after a conflict":                {step{err: credential.ErrConflict, after: away}, totperrors.CodeUnavailable, errStore},
		"another account after a conflict":     {step{err: credential.ErrConflict, after: another}, totperrors.CodeInternal, ErrNonsense},
		"away after an unclear save":           {step{err: credential.ErrSerialization, after: away}, totperrors.CodeUnavailable, errStore},
		"another account after an unclear one": {step{applied: true, err: errStore, after: another}, totperrors.CodeUnavailable, ErrNonsense},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &scripted{account: credential.Account{ID: "a"}, script: []step{c.save}}
				_, _, err := run(engineOn(s), count)
				require.Equal(t, c.code, totperrors.CodeOf(err), "%v", err)
				require.ErrorIs(t, err, c.why)
				require.ErrorIs(t, err, c.save.err, "and why it was loaded again")
			})
		})
	}
}

// After an unclear Save, the account is saved unchanged before it is decided on.
func TestRun_SettlesWhatIsUnclearFirst(t *testing.T) {
	s := &scripted{account: credential.Account{ID: "a"}, script: []step{{err: errStore}, {err: errStore}}}
	e := engineOn(s)
	_, _, err := run(e, count)
	require.Equal(t, totperrors.CodeUnavailable, totperrors.CodeOf(err))
	decided := 0
	decide := func(a *credential.Account) (int, bool) {
		decided++
		return count(a)
	}
	_, _, err = run(e, decide)
	require.Equal(t, totperrors.CodeUnavailable, totperrors.CodeOf(err))
	require.Zero(t, decided, "nothing is decided while the store cannot write")
	require.Zero(t, s.saves[1].State, "it was saved unchanged")

	answer, call, err := run(e, decide)
	require.NoError(t, err)
	require.Equal(t, [3]int{1, 1, 2}, [3]int{answer, decided, call.Rounds})
	_, call, err = run(e, decide)
	require.NoError(t, err)
	require.Equal(t, 1, call.Rounds, "and is trusted again")
}

// A store whose Save never matches what its Load returned is broken.
func TestRun_ThreeConflictsWithoutAChangeAreAFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		never := step{err: credential.ErrConflict}
		s := &scripted{account: credential.Account{ID: "a", RegisteredAt: noon}, script: []step{never, never, never}}
		_, _, err := run(engineOn(s), count)
		require.ErrorIs(t, err, ErrNonsense)
		require.Equal(t, totperrors.CodeInternal, totperrors.CodeOf(err))
		require.ErrorContains(t, err, "RegisteredAt 2026-05-04 12:00:00")
		require.Len(t, s.saves, 3)

		race := step{err: credential.ErrConflict, before: another}
		s = &scripted{account: credential.Account{ID: "a"}, script: []step{never, never, race, never, never, race}}
		_, _, err = run(engineOn(s), count)
		require.NoError(t, err, "a change in between begins anew")
		undone := step{err: credential.ErrSerialization}
		s = &scripted{account: credential.Account{ID: "a"}, script: []step{undone, undone, undone, undone}}
		_, _, err = run(engineOn(s), count)
		require.NoError(t, err, "the database asked to try again")
	})
}

func TestRun_LoadsAgainWhereTheDatabaseAsksTo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		undone := fmt.Errorf("load: %w", credential.ErrSerialization)
		s := &scripted{account: credential.Account{ID: "a"}, loadErr: []error{undone, undone}}
		_, call, err := run(engineOn(s), count)
		require.NoError(t, err)
		require.Equal(t, 3, s.loads)
		require.Equal(t, 1, call.Rounds)
		for range maxLoads {
			s.loadErr = append(s.loadErr, undone)
		}
		_, _, err = run(engineOn(s), count)
		require.Equal(t, totperrors.CodeUnavailable, totperrors.CodeOf(err))
		require.ErrorIs(t, err, credential.ErrSerialization)
	})
}

func TestRun_SavesNothingThatNeedsNoSave(t *testing.T) {
	s := &scripted{account: credential.Account{ID: "a"}}
	answer, _, err := run(engineOn(s), func(*credential.Account) (int, bool) { return 7, false })
	require.NoError(t, err)
	require.Equal(t, 7, answer)
	require.Empty(t, s.saves)

	s.gone = true
	answer, call, err := run(engineOn(s), count)
	require.NoError(t, err)
	require.Equal(t, 1, answer)
	require.False(t, call.Known)
	require.Empty(t, s.saves, "an account that is not there is never saved")
}

// What only reads does not stand in line, and saves nothing.
func TestRun_ReadOnlyDoesNotWait(t *testing.T) {
	s := &scripted{account: credential.Account{ID: "a"}}
	e := engineOn(s)
	require.NoError(t, e.lanes.enter(t.Context(), "a"))
	defer e.lanes.leave("a")
	c := &Call{ReadOnly: true}
	c.Start(t.Context(), e, totperrors.OpInspect, "a")
	answer, err := Run(c, count)
	require.NoError(t, err)
	require.Equal(t, 1, answer)
	require.Empty(t, s.saves)
}

func TestRun_ReadsTheClockWhenItsTurnHasCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{account: credential.Account{ID: "a"}}
		e := NewEngine(s, clock.System(), limits())
		require.NoError(t, e.lanes.enter(t.Context(), "a"))
		go func() {
			time.Sleep(time.Minute)
			e.lanes.leave("a")
		}()
		before := time.Now()
		_, c, err := run(e, count)
		require.NoError(t, err)
		require.Equal(t, time.Minute, c.Now.Sub(before.Round(0)))
	})
}

// A visit turns what a collaborator says into the error of the request.
func TestVisit_MapsWhatCollaboratorsSay(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		code totperrors.Code
	}{
		"fine":    {nil, ""},
		"busy":    {fmt.Errorf("hasher: %w", verifier.ErrBusy), totperrors.CodeUnavailable},
		"late":    {context.DeadlineExceeded, totperrors.CodeUnavailable},
		"failing": {errDenied, totperrors.CodeInternal},
	} {
		t.Run(name, func(t *testing.T) {
			call := &Call{}
			call.Start(t.Context(), engineOn(&scripted{}), totperrors.OpCreate, "a")
			err := func() (err error) {
				visit := call.Visit()
				defer visit.End("the collaborator", &err)
				return c.err
			}()
			require.Equal(t, c.code, totperrors.CodeOf(err))
			if c.err != nil {
				require.ErrorIs(t, err, c.err)
				require.ErrorContains(t, err, "the collaborator: ")
			}
		})
	}
	call := &Call{}
	call.Start(t.Context(), engineOn(&scripted{}), totperrors.OpCreate, "a")
	err := func() (err error) {
		visit := call.Visit()
		defer visit.End("the collaborator", &err)
		panic("8299")
	}()
	require.Equal(t, totperrors.CodeInternal, totperrors.CodeOf(err))
	require.ErrorContains(t, err, "the collaborator panicked with a string in ")
	require.NotContains(t, err.Error(), "8299")
}

func TestDoubtsAreBounded(t *testing.T) {
	var d doubts
	for i := range maxDoubts + 1 {
		d.add(fmt.Sprint(i))
	}
	require.Len(t, d.accounts, maxDoubts)
	require.True(t, d.about("of an account that was not noted"), "beyond the bound every account is in doubt")
	d.settle("0")
	require.False(t, d.about("0"))
	require.True(t, d.about("1"))
	require.False(t, d.about("of an account that was not noted"), "the store is writable again")
}
