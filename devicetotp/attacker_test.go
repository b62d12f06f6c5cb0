package devicetotp_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/memstore"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/devicetotptest"
	totperrors "example.com/devicetotp/errors"
	"example.com/devicetotp/verifier"
)

// What attackers get out of the counters. They know the rules, the clock and every
// id, and guess at every instant at which a guess can hit.

// siege is an account under attack. Whether a guess can hit is found out in a copy
// of the account, where the right value takes the place of the guess: so nothing
// here depends on how the counters are kept.
type siege struct {
	*house
	copies   *memstore.Store
	copied   *devicetotp.Issuer
	recovery []credential.Secret // of the last set
	ownStep  time.Time           // of the attacker's last own code
	proved   int                 // so often
}

// unusedID is a device that was made on the target's code and never used. Those who
// ask for it again with another OTP get a new one in its place.
const unusedID = "00000000-0000-4000-8000-00000000000f"

func newSiege(t *testing.T) *siege {
	t.Helper()
	s := &siege{house: newHouse(t, withRecovery), copies: memstore.New()}
	// Without the time of a hash.
	config := devicetotp.Config{Clock: s.Clock, Secrets: &devicetotptest.Secrets{}, Password: plain("password"), PIN: plain("8299")}
	withRecovery(&config)
	var err error
	s.copied, err = devicetotp.NewIssuer(s.copies, s.Keys, config)
	require.NoError(t, err)
	require.NoError(t, s.newRecoveryCodes(t))
	_, err = s.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", DeviceID: unusedID, OTP: s.target.Code()})
	require.NoError(t, err)
	require.NoError(t, s.verify(t, ownID, s.own.Code()), "a device that was used can be rotated")
	s.Clock.Advance(10 * time.Minute)
	return s
}

func plain(right string) verifier.Verifier {
	return verifier.Func(func(_ context.Context, q verifier.Query) (verifier.Verdict, error) {
		if q.Presented.Reveal() == right {
			return verifier.Verdict{Status: verifier.StatusValid}, nil
		}
		return verifier.Verdict{Status: verifier.StatusWrong}, nil
	})
}

// never is a wait that only Unblock ends.
const never = 100 * 365 * 24 * time.Hour

// canHit reports whether the right value would be accepted by that entrance now,
// and otherwise when to come back.
func (s *siege) canHit(t *testing.T, a *authenticator, e entrance) (hit bool, wait time.Duration) {
	require.NoError(t, s.copies.Replace(t.Context(), s.account.Stored()))
	err := e(t, s.copied, a.right(s))
	return err == nil, comeBack(t, err)
}

func comeBack(t *testing.T, err error) time.Duration {
	var refusal *devicetotp.Error
	switch {
	case err == nil:
		return 0
	case !errors.As(err, &refusal) || refusal.Code != totperrors.CodeTooManyAttempts:
		requireCode(t, totperrors.CodeInvalidCredentials, err) // something else was compared
		return 30 * time.Second
	case refusal.RetryAfter == 0:
		return never
	default:
		return refusal.RetryAfter
	}
}

// guess presents a wrong value at the first entrance where it can hit. If there is
// none it returns when to come back.
func (s *siege) guess(t *testing.T, a *authenticator) (done bool, wait time.Duration) {
	t.Helper()
	if a.before != nil {
		if err := a.before(s, t); err != nil {
			return false, comeBack(t, err)
		}
	}
	wait = never
	for _, e := range a.entrances {
		hit, later := s.canHit(t, a, e)
		if hit {
			requireCode(t, totperrors.CodeInvalidCredentials, e(t, s.Issuer, a.wrong(s)))
			return true, 0
		}
		wait = min(wait, later)
	}
	return false, wait
}

// prove presents the attacker's own code, once a time step, by each entrance in turn
// or by the one that is never in the way of the others. It resets what it can.
func (s *siege) prove(t *testing.T) {
	t.Helper()
	step := s.Clock.Now().Truncate(30 * time.Second)
	if !step.After(s.ownStep) {
		return
	}
	s.ownStep = step
	s.proved++
	entrances := []entrance{
		byVerify(""), byCreate(byOTP, unusedID), byProve(byOTP),
		rotationOf(otherID(1000+s.proved), byOTP, ownID),
	}
	if entrances[s.proved%len(entrances)](t, s.Issuer, s.own.Code()) != nil {
		require.NoError(t, s.verify(t, ownID, s.own.Code()))
	}
}

// attack guesses at a as soon as a guess can hit, with own codes in between if there
// is an own device, until nothing can hit for an hour, which is the longest wait,
// or the time is over. It returns the number of guesses and when the last one was.
func (s *siege) attack(t *testing.T, a authenticator, own bool, during time.Duration) (guesses int, took time.Duration) {
	t.Helper()
	start := s.Clock.Now()
	last := start
	for {
		if own {
			s.prove(t)
		}
		done, wait := s.guess(t, &a)
		now := s.Clock.Now()
		switch {
		case done && guesses == 1000:
			require.FailNow(t, "there is no end to the guesses")
		case done:
			guesses, last = guesses+1, now
		case now.Add(wait).After(last.Add(time.Hour)) || !now.Add(wait).Before(start.Add(during)):
			return guesses, last.Sub(start)
		default:
			s.Clock.Advance(wait)
		}
	}
}

const (
	day  = 24 * time.Hour
	year = 365 * day
)

// spendAYear attacks one authenticator by each of the entrances in turn, and then
// looks in once a week until a year is over: nothing more is compared.
func (s *siege) spendAYear(t *testing.T, own bool, phases ...authenticator) []outcome {
	t.Helper()
	start, got := s.Clock.Now(), make([]outcome, len(phases))
	for i, a := range phases {
		got[i].guesses, got[i].took = s.attack(t, a, own, year)
	}
	for s.Clock.Now().Before(start.Add(year)) {
		s.Clock.Advance(7 * day)
		if own {
			s.prove(t)
		}
		for _, a := range phases {
			done, _ := s.guess(t, &a)
			require.False(t, done, "after %v", s.Clock.Now().Sub(start))
		}
	}
	return got
}

// outcome is what an attack came to: guesses in a row, and when the last one was.
type outcome struct {
	guesses int
	took    time.Duration
}

// Whatever is done in whatever order, by attackers who have a device and owners who
// log in now and then.
func TestAttacker_NoOrderOfStepsBuysMoreInARow(t *testing.T) {
	all := []struct {
		authenticator
		counter, most int
	}{
		{unnamedDevice, 0, anyLimit}, {namedDevice, 0, anyLimit}, {mailedCode, 1, kindLimit},
		{pin, 2, 10}, {password, 3, 100}, {recoveryCodes, 4, anyLimit},
	}
	for seed := range uint64(8) {
		s, r := newSiege(t), rand.New(rand.NewPCG(7, seed))
		var inARow, longest [5]int
		for range 2500 {
			target := &all[r.IntN(len(all))]
			one := target.authenticator
			one.entrances = []entrance{one.entrances[r.IntN(len(one.entrances))]}
			switch step := r.IntN(100); {
			case step < 70:
				if done, _ := s.guess(t, &one); done {
					inARow[target.counter]++
					longest[target.counter] = max(longest[target.counter], inARow[target.counter])
				}
				require.LessOrEqual(t, inARow[target.counter], target.most)
			case step < 80:
				s.prove(t)
			case step < 99:
				s.Clock.Advance([]time.Duration{time.Second, 31 * time.Second, 10 * time.Minute, time.Hour}[r.IntN(4)])
			case s.verify(t, targetID, s.target.Code()) == nil:
				inARow[0] = 0
			}
		}
		for i, most := range []int{anyLimit, kindLimit, 10, 100, anyLimit} {
			require.Greater(t, longest[i], most/4, "the attack is one")
		}
	}
}
