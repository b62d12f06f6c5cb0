package devicetotp_test

import (
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
)

// lostOTP is the OTP of a Create whose answer was lost: for five minutes, whoever
// repeats the request with it is given the device.
func lostOTP(t *testing.T, s *siege) authenticator {
	t.Helper()
	return lostAnswerTo(t, s, byCreate(byOTP, lostID))
}

// lostRotation is the same for a Rotate.
func lostRotation(t *testing.T, s *siege) authenticator {
	t.Helper()
	return lostAnswerTo(t, s, rotationOf(lostID, byOTP, targetID))
}

func lostAnswerTo(t *testing.T, s *siege, e entrance) authenticator {
	t.Helper()
	right := s.target.Code()
	require.NoError(t, e(t, s.Issuer, right))
	return authenticator{
		right:     func(*siege) credential.Secret { return right },
		wrong:     unnamedDevice.wrong,
		entrances: []entrance{e},
	}
}

// lostID is that of a device or rotation whose answer was lost.
const lostID = "00000000-0000-4000-8000-00000000000e"

// retryWindow is how long a retry is recognized.
const retryWindow = 5*time.Minute + 1

// A retry checks one factor and grants on it: that is no way round the counter of
// the password or PIN.
func TestAttacker_ALostAnswerBuysNoGuesses(t *testing.T) {
	for _, f := range []credential.Factor{byPassword, byPIN} {
		for name, again := range map[string]entrance{"create": byCreate(f, lostID), "rotate": rotationOf(lostID, f, targetID)} {
			t.Run(f.String()+"/"+name, func(t *testing.T) {
				a, limit := password, 100
				if f == byPIN {
					a, limit = pin, 10
				}
				s := newSiege(t)
				require.NoError(t, again(t, s.Issuer, a.right(s)))
				retried := a
				retried.entrances = append([]entrance{again}, a.entrances...)
				got, _ := s.attack(t, retried, false, retryWindow)
				require.Positive(t, got)
				later := s.spendAYear(t, false, a)[0]
				require.Equal(t, limit, got+later.guesses)
			})
		}
	}
}

// Ten codes of 79 random bits, of which at most a hundred are guessed at in a row.
// Even if their counter is reset every day nobody ever finds one.
func TestAttacker_AYearBuysNoRecoveryCode(t *testing.T) {
	got := newSiege(t).spendAYear(t, true, recoveryCodes)[0]
	require.Equal(t, outcome{anyLimit, 89*time.Hour + 3*time.Minute + 30*time.Second}, got)
	guesses := 365 * perDay(t, true, recoveryCodes)
	require.Less(t, devicetotp.DefaultRecoveryCodes*float64(guesses)/math.Pow(2, 79), 1e-17)
}

// odds is a row of the table in SECURITY.md.
type odds struct {
	what     string
	values   float64 // of which a guess hits one
	changes  bool    // the right value is another one each time
	inARow   [2]outcome
	earlier  int // guesses in a row of the row above
	everyDay [2]int
}

// A year long, with every entrance and with own codes in between, no authenticator
// is compared with more than a hundred wrong values in a row, and then with none.
// What the attackers get is the table of SECURITY.md.
func TestAttacker_AYearBuysWhatSECURITYSays(t *testing.T) {
	device := odds{what: "a code of a device, without naming it", values: 1e6 / 3, changes: true}
	named := odds{what: "then a code of the same device, naming it", values: 1e6 / 3, changes: true}
	mailed := odds{what: "a mailed code of 8 digits", values: 1e8, changes: true}
	lost := odds{what: "the OTP of 6 digits of a Create that is retried", values: 1e6}
	pins := odds{what: "a PIN of 4 digits", values: 1e4}
	passwords := odds{what: "a password"}
	for i, own := range []bool{false, true} {
		both := newSiege(t).spendAYear(t, own, unnamedDevice, namedDevice)
		device.inARow[i], named.inARow[i] = both[0], both[1]
		mailed.inARow[i] = newSiege(t).spendAYear(t, own, mailedCode)[0]
		pins.inARow[i] = newSiege(t).spendAYear(t, own, pin)[0]
		passwords.inARow[i] = newSiege(t).spendAYear(t, own, password)[0]
		for _, answer := range []func(*testing.T, *siege) authenticator{lostOTP, lostRotation} {
			s, earlier := newSiege(t), lost.inARow[i]
			lost.inARow[i].guesses, lost.inARow[i].took = s.attack(t, answer(t, s), own, retryWindow)
			require.Contains(t, []outcome{{}, lost.inARow[i]}, earlier, "a Rotate is as a Create")
		}

		require.Equal(t, anyLimit, device.inARow[i].guesses+named.inARow[i].guesses)
		require.Equal(t, kindLimit, mailed.inARow[i].guesses)
		require.Equal(t, 10, pins.inARow[i].guesses)
		require.Equal(t, 100, passwords.inARow[i].guesses)
		require.Less(t, lost.inARow[i].guesses, namedLimit)

		named.everyDay[i] = max(perDay(t, own, unnamedDevice, namedDevice), perDay(t, own, anyDevice()))
		mailed.everyDay[i] = perDay(t, own, mailedCode)
		pins.everyDay[i] = perDay(t, own, pin)
		passwords.everyDay[i] = perDay(t, own, password)
	}
	named.earlier = device.inARow[0].guesses
	table := "| what is guessed | one guess hits | guesses in a row | take, with a token alone | take, with an own device too | " +
		"one of them hits | guesses a day, if all is reset daily | one hits within a year |\n" + strings.Repeat("|---", 8) + "|\n"
	for _, row := range []odds{device, named, mailed, lost, pins, passwords} {
		table += row.String() + "\n"
	}
	document, err := os.ReadFile("../SECURITY.md")
	require.NoError(t, err)
	require.True(t, strings.Contains(string(document), table), "SECURITY.md must have this table:\n%s", table)
}

// anyDevice is a device by every entrance at once.
func anyDevice() authenticator {
	a := unnamedDevice
	a.entrances = append(append([]entrance{}, a.entrances...), namedDevice.entrances...)
	return a
}

// perDay is how many guesses of a day can hit if every counter is reset once a day,
// by the owner's successes or by Unblock.
func perDay(t *testing.T, own bool, phases ...authenticator) int {
	t.Helper()
	s := newSiege(t)
	var days [2]int
	for i := range days {
		require.NoError(t, s.Issuer.Unblock(t.Context(), devicetotp.UnblockRequest{AccountID: "acct"}))
		midnight := s.Clock.Now()
		for _, a := range phases {
			guesses, _ := s.attack(t, a, own, midnight.Add(day).Sub(s.Clock.Now()))
			days[i] += guesses
		}
		s.Clock.Set(midnight.Add(day))
	}
	require.Equal(t, days[0], days[1], "every day is like the first")
	return days[1]
}

func (o odds) String() string {
	for _, outcome := range o.inARow {
		if outcome.guesses != o.inARow[0].guesses {
			panic("the two attackers have different numbers of guesses")
		}
	}
	guesses := fmt.Sprint(o.inARow[0].guesses)
	if o.earlier > 0 {
		guesses += " more"
	}
	cells := []string{o.what, o.chance(1), guesses, hours(o.inARow[0].took), hours(o.inARow[1].took), o.chance(o.inARow[0].guesses + o.earlier), "", ""}
	if alone, with := o.everyDay[0], o.everyDay[1]; alone > 0 {
		cells[6], cells[7] = fmt.Sprint(alone), o.chance(365*alone)
		if with != alone {
			cells[6] += fmt.Sprintf("; %d", with)
			cells[7] += "; " + o.chance(365*with)
		}
	}
	return "| " + strings.Join(cells, " | ") + " |"
}

// chance is that of so many guesses.
func (o odds) chance(guesses int) string {
	n := float64(guesses)
	switch {
	case o.values == 0:
		return "" // it depends on the password
	case o.changes:
		return "1 in " + thousands(1/(1-math.Pow(1-1/o.values, n)))
	default:
		return "1 in " + thousands(o.values/n)
	}
}

// thousands writes n with two significant digits, and commas.
func thousands(n float64) string {
	unit := math.Pow(10, math.Floor(math.Log10(n))-1)
	if n < 10 {
		return strings.TrimSuffix(fmt.Sprintf("%.1f", n), ".0")
	}
	text := fmt.Sprintf("%.0f", math.Round(n/unit)*unit)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// hours writes d in whole minutes.
func hours(d time.Duration) string {
	minutes := int(d.Round(time.Minute) / time.Minute)
	if minutes < 60 {
		return fmt.Sprintf("%d min", minutes)
	}
	return fmt.Sprintf("%d h %d min", minutes/60, minutes%60)
}
