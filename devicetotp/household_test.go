package devicetotp_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/devicetotptest"
	totperrors "example.com/devicetotp/errors"
	"example.com/devicetotp/verifier"
)

// What honest people meet of the counters: a thousand households, ten years each.

const (
	late       = 0.05 // of the codes are typed when the next one is showing
	sideBySide = 0.20 // of the uses of the second phone come right behind one of the first
)

// typists are how people type.
type typists struct {
	name  string
	slip  float64 // of the values that they type are wrong
	again float64 // of those that they type after a wrong one
	// At most this part of the entries meets a wait, and none takes longer.
	waits   float64
	longest time.Duration
}

const (
	simulatedDays = 3650
	month         = 30 // days between two uses of the second phone, and between two enrolments
)

// naming is what the host does in Verify.
type naming int

const (
	namesAlways naming = iota
	namesNever
	namesSometimes
	namings
)

func (n naming) String() string { return [...]string{"always", "never", "sometimes"}[n] }

// tally is what people met.
type tally struct {
	entries  int           // values that had to be typed, however often
	typos    int           // values that were typed wrong
	waits    int           // entries that met a wait
	longest  time.Duration // until a right value was accepted
	blocked  int           // entries that only Unblock could have helped
	enrolled int
}

func (t *tally) add(other tally) {
	t.entries += other.entries
	t.typos += other.typos
	t.waits += other.waits
	t.longest = max(t.longest, other.longest)
	t.blocked += other.blocked
	t.enrolled += other.enrolled
}

// family is two phones: one is used every day or every week, the other once a month.
type family struct {
	*devicetotptest.World
	issuer        *devicetotp.Issuer // of the world, with nobody who keeps its events
	typists       typists
	naming        naming
	every         int // days between two uses of the first phone
	rand          *rand.Rand
	first, second handset
	mailed        time.Time // when the pending code expires
	sent          int
	tally         tally
}

type handset struct {
	id string
	*devicetotptest.Phone
}

func newFamily(t *testing.T, typists typists, n int) *family {
	t.Helper()
	w := devicetotptest.New(t)
	a, devices := enrol(t, w, "acct", 2)
	a.Password("hunter2").PIN("8299")
	policy := devicetotp.DefaultPolicy()
	// Two are never used and make room for the next ones. There are two because one
	// code of a million is one of such a device too, which then counts as used.
	policy.MaxDevices = 4
	issuer, err := devicetotp.NewIssuer(w.Store.Accounts, w.Keys, devicetotp.Config{
		Clock: w.Clock, Secrets: w.Secrets, Password: verifier.Password(w.Hasher), PIN: verifier.PIN(w.Keys, w.Hasher), Policy: &policy,
	})
	require.NoError(t, err)
	f := &family{
		World: w, issuer: issuer, typists: typists,
		naming: naming(n % int(namings)), every: [8]int{1, 7, 7, 7, 7, 7, 7, 7}[n%8],
		rand:   rand.New(rand.NewPCG(6, uint64(n))),
		first:  handset{devices[0].ID, w.Phone(devices[0])},
		second: handset{devices[1].ID, w.Phone(devices[1])},
	}
	f.Clock.Advance(-time.Hour)
	f.login(t, &f.first)
	f.login(t, &f.second)
	return f
}

// Nobody honest ever needs Unblock, and hardly anybody ever waits: not where one
// value of ten is mistyped either.
func TestHousehold_HonestPeopleAreNeverBlockedAndHardlyWait(t *testing.T) {
	for _, typists := range []typists{
		{"three of a hundred mistyped", 0.03, 0.10, 1e-4, 5 * time.Minute},
		{"ten of a hundred mistyped", 0.10, 0.10, 1e-3, 15 * time.Minute},
	} {
		t.Run(typists.name, func(t *testing.T) { liveTenYears(t, typists) })
	}
}

func liveTenYears(t *testing.T, typists typists) {
	var totals [namings]tally
	var expected [namings]float64
	var mu sync.Mutex
	inParallel(households, func(n int) {
		f := newFamily(t, typists, n)
		for day := range simulatedDays {
			f.live(t, day)
		}
		mu.Lock()
		defer mu.Unlock()
		totals[f.naming].add(f.tally)
		expected[f.naming] += f.expectedWaits()
	})
	for n, total := range totals {
		t.Logf("hosts that name devices %v: %d entries, %d typing errors, %d waits (%.2g of the entries; expected %.1f at most), the longest %v",
			naming(n), total.entries, total.typos, total.waits, float64(total.waits)/float64(total.entries), expected[n], total.longest)
		require.Zero(t, total.blocked)
		require.LessOrEqual(t, float64(total.waits), expected[n]+4*math.Sqrt(expected[n]))
		require.Less(t, float64(total.waits), typists.waits*float64(total.entries))
		require.Less(t, total.longest, typists.longest)
		mean, variance := typists.mistypes()
		require.InDelta(t, mean, float64(total.typos)/float64(total.entries), 4*math.Sqrt(variance/float64(total.entries)), "people mistype as they should")
	}
}

// live is one day: the morning, noon and evening of it.
func (f *family) live(t *testing.T, day int) {
	midnight := devicetotptest.Start.Add(time.Duration(day) * 24 * time.Hour)
	f.Clock.Set(midnight.Add(f.within(8 * time.Hour)))
	if day%f.every == 0 {
		f.login(t, &f.first)
	}
	if day%month == month-1 {
		if f.rand.Float64() < sideBySide {
			f.Clock.Advance(f.within(20 * time.Second))
		} else {
			f.Clock.Set(midnight.Add(10*time.Hour + f.within(8*time.Hour)))
		}
		f.login(t, &f.second)
	}
	if day%month == month/2 {
		f.Clock.Set(midnight.Add(20*time.Hour + f.within(3*time.Hour)))
		f.enrol(t)
	}
}

// within returns a random time below d.
func (f *family) within(d time.Duration) time.Duration {
	return time.Duration(f.rand.Int64N(int64(d)))
}

func (f *family) login(t *testing.T, h *handset) {
	id := h.id
	if f.naming == namesNever || f.naming == namesSometimes && f.rand.IntN(2) == 0 {
		id = ""
	}
	f.enter(t, func() credential.Secret { return f.read(h) }, func(code credential.Secret) error {
		_, err := f.issuer.Verify(t.Context(), devicetotp.VerifyRequest{AccountID: "acct", DeviceID: id, Code: code})
		return err
	})
}

// read reads a code off a phone, sometimes too slowly.
func (f *family) read(h *handset) credential.Secret {
	if f.rand.Float64() < late {
		return h.Drifted(-1)
	}
	return h.Code()
}

// enrol makes a device on one of the proofs. It is never used, and makes room for
// the next one.
func (f *family) enrol(t *testing.T) {
	f.tally.enrolled++
	create := func(fill func(*devicetotp.CreateRequest, credential.Secret)) func(credential.Secret) error {
		return func(s credential.Secret) error {
			r := devicetotp.CreateRequest{AccountID: "acct"}
			fill(&r, s)
			_, err := f.issuer.Create(t.Context(), r)
			return err
		}
	}
	same := func(s string) func() credential.Secret { return func() credential.Secret { return secret(s) } }
	otp := create(func(r *devicetotp.CreateRequest, s credential.Secret) { r.OTP = s })
	switch f.rand.IntN(5) {
	case 0:
		f.enter(t, same("hunter2"), create(func(r *devicetotp.CreateRequest, s credential.Secret) { r.Password = s }))
	case 1:
		f.enter(t, same("8299"), create(func(r *devicetotp.CreateRequest, s credential.Secret) { r.PIN = s }))
	case 2:
		f.enter(t, func() credential.Secret { return f.read(&f.first) }, otp)
	default:
		f.sent++
		f.mailed = time.Time{}
		f.enter(t, func() credential.Secret { return f.mail() }, func(s credential.Secret) error {
			if err := f.announce(t); err != nil {
				return err
			}
			return otp(s)
		})
	}
}

func (f *family) mail() credential.Secret { return secret(fmt.Sprintf("%08d", 12345678+f.sent)) }

// announce mails a code, unless one is pending.
func (f *family) announce(t *testing.T) error {
	if f.Clock.Now().Before(f.mailed) {
		return nil
	}
	added, err := f.issuer.AddCode(t.Context(), devicetotp.AddCodeRequest{
		AccountID: "acct", Kind: verifier.KindAccount, Code: f.mail(), TTL: 5 * time.Minute,
	})
	if err == nil {
		f.mailed = added.ExpiresAt
	}
	return err
}

// enter types what value returns until it is accepted. A wait is met where one is
// announced, and where a right value is refused because what it belongs to rests.
func (f *family) enter(t *testing.T, value func() credential.Secret, present func(credential.Secret) error) {
	f.tally.entries++
	since, waited, chance := time.Time{}, false, f.typists.slip
	for {
		typed, wrong := value(), f.rand.Float64() < chance
		if wrong {
			f.tally.typos++
			typed = f.mistyped(typed)
		}
		err := present(typed)
		var refusal *devicetotp.Error
		switch {
		case err == nil:
			f.met(waited, since)
			return
		case !errors.As(err, &refusal) || refusal.Code != totperrors.CodeInvalidCredentials && refusal.Code != totperrors.CodeTooManyAttempts:
			t.Errorf("an honest person: %v", err)
			return
		}
		if since.IsZero() {
			since = f.Clock.Now()
		}
		if refusal.Code == totperrors.CodeTooManyAttempts && refusal.RetryAfter == 0 || f.Clock.Now().Sub(since) > time.Hour {
			f.tally.blocked++ // without an end
			return
		}
		waited = waited || !wrong || refusal.RetryAfter > 0
		chance = f.typists.again
		f.Clock.Advance(max(refusal.RetryAfter, 5*time.Second+f.within(10*time.Second)))
	}
}

func (f *family) met(wait bool, since time.Time) {
	if wait {
		f.tally.waits++
		f.tally.longest = max(f.tally.longest, f.Clock.Now().Sub(since))
	}
}

// mistyped returns s with one character altered.
func (f *family) mistyped(s credential.Secret) credential.Secret {
	typed := []byte(s.Reveal())
	i := f.rand.IntN(len(typed))
	typed[i] = '0' + (typed[i]-'0'+byte(1+f.rand.IntN(9)))%10
	return secret(string(typed))
}

// expectedWaits is a bound of how many entries of the family are expected to meet a
// wait. An entry does that is wrong five times in a row. Where devices are not
// named, the typing errors of the first phone count against the second one too,
// until that is used: fewer of its own then do, or one of the first phone right
// before.
func (f *family) expectedWaits() float64 {
	if f.naming == namesAlways {
		return float64(f.tally.entries) * f.typists.wrongInARow(5)
	}
	failures := [6]float64{0: 1} // against the second phone in a month; 5 is 5 or more
	for range month/f.every + 2 {
		var next [6]float64
		for have, p := range failures {
			for more := range 6 {
				next[min(5, have+more)] += p * (f.typists.wrongInARow(more) - f.typists.wrongInARow(more+1))
			}
		}
		failures = next
	}
	waits := 0.0
	for have, p := range failures {
		waits += p * f.typists.wrongInARow(max(1, 5-have)) * (1 + sideBySide)
	}
	return float64(f.tally.entries)*f.typists.wrongInARow(5) + float64(simulatedDays/month)*waits
}

// wrongInARow is how many of the entries are wrong so many times or more.
func (p typists) wrongInARow(times int) float64 {
	if times == 0 {
		return 1
	}
	return p.slip * math.Pow(p.again, float64(times-1))
}

// mistypes returns the mean and the variance of how often a value is typed wrong
// until it is accepted. Both follow from wrongInARow: the mean is its sum over 1, 2, 3
// and so on, and the mean of the square is the sum of 2n-1 times it.
func (p typists) mistypes() (mean, variance float64) {
	mean = p.slip / (1 - p.again)
	return mean, mean*(1+p.again)/(1-p.again) - mean*mean
}

// inParallel calls f with 0 to n-1, on as many processors as there are.
func inParallel(n int, f func(int)) {
	var wg sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for first := range workers {
		wg.Go(func() {
			for i := first; i < n; i += workers {
				f(i)
			}
		})
	}
	wg.Wait()
}
