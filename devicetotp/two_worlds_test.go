package devicetotp_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/verifier"
)

// Two worlds that differ in one secret: in one it is the value that a request
// presents, in the other it is something else. If they answer differently, the
// request was a guess at the secret, and where it was wrong the counter of that secret
// must have counted it.

// answered plays the ask in a copy of the account that was changed, and returns what
// the caller sees, and the account then.
func (m *manor) answered(t *testing.T, world int, a credential.Account, one ask, x credential.Secret) (string, credential.Account) {
	t.Helper()
	require.NoError(t, m.copies[world].Replace(t.Context(), a))
	answer, err := one.do(m, m.issuers[world], x)
	var refusal *devicetotp.Error
	if errors.As(err, &refusal) {
		answer = fmt.Sprint(refusal.Code, " ", refusal.Field, " ", refusal.RetryAfter)
	}
	after, err := m.copies[world].Load(t.Context(), "acct")
	require.NoError(t, err)
	return answer, after
}

// outcome of one request in both worlds.
type twoAnswers struct {
	same, other string // what the secret is
	counted     bool   // in the world where it is something else
}

// inBoth plays the request in both worlds; false if the value cannot be the secret.
func (m *manor) inBoth(t *testing.T, s hidden, one ask, x credential.Secret) (got twoAnswers, possible bool) {
	t.Helper()
	world := m.account.Stored()
	if !s.put(m, &world, x, true) {
		return got, false
	}
	got.same, _ = m.answered(t, 0, world, one, x)
	world = m.account.Stored()
	require.True(t, s.put(m, &world, x, false))
	before := s.failures(m, &world.State)
	other, after := m.answered(t, 1, world, one, x)
	got.other, got.counted = other, s.failures(m, &after.State) > before
	return got, true
}

// isKnown reports whether the difference between the answers is one that is left: to
// those who have a device, and present a right code of it.
func (a twoAnswers) isKnown(one ask, value string) bool {
	switch {
	case value != ownCode && value != graceCode:
		return false
	case strings.HasPrefix(a.other, "create ") && strings.HasSuffix(a.other, " replaced"):
		return true // what was guessed at is gone: one guess
	case !slices.Contains([]string{"Verify ", "Prove of []", "Prove of [device-totp]", "Prove of [account device-totp]"}, strings.Split(one.name, ", PIN")[0]):
		return false
	case value == graceCode && !(strings.HasSuffix(a.same, " on grace") && strings.HasSuffix(a.other, " on grace")):
		return false
	default: // it is accepted in both, as another thing
		return isGranted(a.same) && isGranted(a.other)
	}
}

func TestNoAnswerTellsARightGuessFromAWrongOneThatIsNotCounted(t *testing.T) {
	asks := map[credential.Factor][]ask{byOTP: asksOf(byOTP, "8299", "0000"), byPassword: asksOf(byPassword, "8299", "0000"), byPIN: asksOf(byPIN)}
	guesses := map[string]int{} // that could have told something
	for seed := range uint64(4) {
		m, r := newManor(t), rand.New(rand.NewPCG(3, seed))
		for range 30 {
			for _, s := range everyHidden() {
				for _, value := range everyValue {
					if value == targetCode && s.name != targetCode { // it is right
						continue
					}
					one := asks[s.of][r.IntN(len(asks[s.of]))]
					got, possible := m.inBoth(t, s, one, m.value(value))
					if !possible || got.same == got.other {
						continue
					}
					guesses[s.name]++
					require.True(t, got.counted || got.isKnown(one, value), "%s is guessed by %s, with %s, and nothing counts it:\nright: %s\nwrong: %s", s.name, one.name, value, got.same, got.other)
				}
			}
			m.live(t, r, asks[byOTP])
		}
	}
	for _, s := range everyHidden() {
		require.Greater(t, guesses[s.name], 10, s.name)
	}
}

// An OTP that several things are at once is good once. Verify and the other
// operations share that.
func TestNoValueIsAcceptedTwice(t *testing.T) {
	asks := asksOf(byOTP, "0000")
	accepted := map[string]int{}
	for seed := range uint64(2) {
		m, r := newManor(t), rand.New(rand.NewPCG(5, seed))
		for range 12 {
			for _, value := range everyValue {
				x, world := m.value(value), m.account.Stored()
				for _, s := range everyHidden() {
					if s.once {
						s.put(m, &world, x, true)
					}
				}
				first := asks[r.IntN(len(asks))]
				answer, after := m.answered(t, 0, world, first, x)
				if !isGranted(answer) {
					continue
				}
				accepted[value]++
				after.State.Kinds, after.State.OTP = nil, credential.Attempts{}
				for _, second := range asks {
					again, _ := m.answered(t, 1, after, second, x)
					require.False(t, isGranted(again), "%s is accepted by %s, and by %s: %s", value, first.name, second.name, again)
				}
			}
			m.live(t, r, asks)
		}
	}
	for _, value := range everyValue {
		require.NotZero(t, accepted[value], value)
	}
}

// isGranted reports whether something was granted for the first time.
func isGranted(answer string) bool {
	verb, _, _ := strings.Cut(answer, " ")
	return slices.Contains([]string{"create", "prove", "rotate", "verify"}, verb) && !strings.HasSuffix(answer, " replayed")
}

// No request of somebody who has a device resets what counts guesses at something
// else, unless that is gone with it.
func TestNoRequestResetsWhatCountsOtherGuesses(t *testing.T) {
	asks := asksOf(byOTP, "0000")
	for seed := range uint64(20) {
		m, r := newManor(t), rand.New(rand.NewPCG(7, seed))
		for range 100 {
			before := m.account.Stored().State
			m.live(t, r, asks)
			after := m.account.Stored().State
			for _, s := range everyHidden() {
				last := m.Events()[len(m.Events())-1]
				if s.failures(m, &after) < s.failures(m, &before) {
					require.True(t, last.Replaced, "%s: %+v", s.name, last)
				}
			}
		}
	}
}

// live lets something happen.
func (m *manor) live(t *testing.T, r *rand.Rand, asks []ask) {
	t.Helper()
	values := []string{ownCode, graceCode, sixDigits, sixDigits, eightDigits, eightDigits, someText}
	switch n := r.IntN(100); {
	case n < 70:
		_, _ = asks[r.IntN(len(asks))].do(m, m.Issuer, m.value(values[r.IntN(len(values))]))
	case n < 80:
		m.Clock.Advance(time.Second)
	case n < 90:
		m.Clock.Advance(31 * time.Second)
	case n < 92:
		m.Clock.Advance(4 * time.Minute)
	case n < 97:
		m.mail(t, []string{"sms", verifier.KindAccount}[r.IntN(2)])
	default:
		m.change(t, func(a *credential.Account) {
			if d := deviceOf(&a.State, onMailedCodeID); d != nil {
				d.Named = credential.Attempts{Failures: max(d.Named.Failures, 5+r.IntN(17)), LastAt: m.Clock.Now()}
			}
		})
	}
}
