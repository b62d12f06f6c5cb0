// Command timing measures whether the time of a refusal tells why it was
// refused: a wrong PIN, an account without a PIN, an account that does not
// exist. It samples the three interleaved, in random order, and compares them
// with Welch's t-test over cropped samples, as dudect does (Reparaz, Balasch
// and Verbauwhede, 2017): |t| of 4.5 or more is a difference.
//
// So that a silence means something, the same run must find a planted delay of
// one millisecond. It exits with status 1 if it finds a difference that is not
// planted, or misses the one that is.
//
// A stored hash of another cost than the configured one takes its own time. Two
// such hashes are measured and reported as known, whatever comes out.
//
// Where the database can be read and not written, nothing is counted, so that
// the time must not tell either: a right OTP and a wrong one, each beside a wrong
// password, are compared with each other. After one Save has failed, the library
// checks nothing before one has succeeded; the request that meets the failure
// first is not measured.
//
//	go -C examples run ./internal/harness/timing
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"time"

	"example.com/devicetotp/clock"
	"example.com/devicetotp/clock/clocktest"
	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/memstore"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/verifier"
)

// threshold is dudect's: beyond it two distributions differ.
const threshold = 4.5

// planted is the delay that the run must find.
const planted = time.Millisecond

// Hashes of another cost: argon2id of twice the memory and one pass more, which
// is never replaced, and bcrypt of cost 10, which is replaced once its PIN is
// known. No value is known to match them.
const (
	costlier = "$argon2id$v=19$m=38912,t=3,p=1$c2FsdHNhbHRzYWx0c2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	bcrypt   = "$2y$10$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"
)

// class is one reason for a refusal.
type class struct {
	name    string
	account string
	delay   time.Duration
	known   bool      // differs by design
	otp     string    // presented with a password, where the database cannot write
	like    int       // the class that it is compared with
	samples []float64 // nanoseconds
}

func main() {
	log.SetFlags(0)
	samples := flag.Int("samples", 800, "samples of each class")
	flag.Parse()

	classes := []*class{
		{name: "wrong PIN", account: "set"},
		{name: "no PIN set", account: "unset"},
		{name: "unknown account", account: "nobody"},
		{name: "wrong PIN, 1 ms planted", account: "set", delay: planted},
		{name: "wrong PIN, costlier hash", account: "costlier", known: true},
		{name: "wrong PIN, bcrypt", account: "bcrypt", known: true},
		{name: "cannot write, right OTP", account: unwritable, otp: "12345678"},
		{name: "cannot write, wrong OTP", account: unwritable, otp: "87654321", like: 6},
	}
	issuer, reset, err := world()
	if err != nil {
		log.Fatal(err)
	}
	if err := measure(issuer, reset, classes, *samples); err != nil {
		log.Fatal(err)
	}
	if !report(os.Stdout, classes) {
		os.Exit(1)
	}
}

// world is an issuer with the default cost of hashing, and a function that
// forgets the failures counted.
func world() (*devicetotp.Issuer, func(), error) {
	keys, err := credential.NewKeyring("timing", credential.NewKey("timing"))
	if err != nil {
		return nil, nil, err
	}
	hash, err := verifier.DefaultHasher().HashPIN(context.Background(), credential.NewSecret("8299"))
	if err != nil {
		return nil, nil, err
	}
	password, err := verifier.DefaultHasher().Hash(context.Background(), credential.NewSecret("superSecret12345!"))
	if err != nil {
		return nil, nil, err
	}
	accounts := []credential.Account{{ID: "unset"}}
	for id, hash := range map[string]string{"set": hash, "costlier": costlier, "bcrypt": bcrypt} {
		sealed, err := keys.SealPINHash(id, hash)
		if err != nil {
			return nil, nil, err
		}
		accounts = append(accounts, credential.Account{ID: id, PINHash: sealed})
	}
	store := memstore.New()
	reset := func() {
		for _, a := range accounts {
			if err := store.Replace(context.Background(), a); err != nil {
				panic(err) // what is put in is always the same
			}
		}
	}
	clock := clocktest.New(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	issuer, err := devicetotp.NewIssuer(readOnly{store}, keys, devicetotp.Config{Clock: clock})
	if err != nil {
		return nil, nil, err
	}
	return issuer, reset, addUnwritable(store, keys, clock, password)
}

// unwritable is the account that the database can read and not write.
const unwritable = "unwritable"

// readOnly is a store that cannot write that account.
type readOnly struct{ *memstore.Store }

func (s readOnly) Save(ctx context.Context, a credential.Account) error {
	if a.ID == unwritable {
		return errors.New("the database is read-only")
	}
	return s.Store.Save(ctx, a)
}

// addUnwritable adds the account, with a password and a pending one-time code.
func addUnwritable(store *memstore.Store, keys *credential.Keyring, clock clock.Clock, password string) error {
	ctx := context.Background()
	if err := store.Put(ctx, credential.Account{ID: unwritable, PasswordHash: password}); err != nil {
		return err
	}
	issuer, err := devicetotp.NewIssuer(store, keys, devicetotp.Config{Clock: clock})
	if err != nil {
		return err
	}
	_, err = issuer.AddCode(ctx, devicetotp.AddCodeRequest{
		AccountID: unwritable, Kind: verifier.KindAccount, Code: credential.NewSecret("12345678"), TTL: devicetotp.MaxCodeTTL,
	})
	return err
}

// measure takes the samples, each round in another order.
func measure(issuer *devicetotp.Issuer, reset func(), classes []*class, samples int) error {
	const warmUp = 5
	for i := range samples + warmUp {
		order := rand.Perm(len(classes))
		for _, k := range order {
			c := classes[k]
			reset()
			request := devicetotp.CreateRequest{AccountID: c.account, PIN: credential.NewSecret("0000")}
			want := devicetotp.CodeInvalidCredentials
			if c.otp != "" {
				request = devicetotp.CreateRequest{AccountID: c.account, OTP: credential.NewSecret(c.otp), Password: credential.NewSecret("junk")}
				want = devicetotp.CodeUnavailable
			}
			started := time.Now()
			_, err := issuer.Create(context.Background(), request)
			if c.delay > 0 {
				spin(c.delay)
			}
			took := time.Since(started)
			if code := devicetotp.CodeOf(err); code != want {
				return fmt.Errorf("%s was answered %q: %w", c.name, code, err)
			}
			if i >= warmUp {
				c.samples = append(c.samples, float64(took))
			}
		}
	}
	return nil
}

// spin passes time as work does, without giving up the processor.
func spin(d time.Duration) {
	for started := time.Now(); time.Since(started) < d; {
	}
}

// report prints the comparison of each class with the first, and reports whether
// it is as it should be.
func report(out *os.File, classes []*class) bool {
	base := classes[0]
	fmt.Fprintf(out, "%-24s %8s %12s %8s\n", "class", "samples", "median", "|t|")
	fmt.Fprintf(out, "%-24s %8d %12v %8s\n", base.name, len(base.samples), median(base.samples), "-")
	good := true
	for _, c := range classes[1:] {
		if c.otp != "" && c.like == 0 {
			fmt.Fprintf(out, "%-24s %8d %12v %8s\n", c.name, len(c.samples), median(c.samples), "-")
			continue
		}
		base := classes[c.like]
		t := worstT(base.samples, c.samples)
		verdict := "same"
		if t >= threshold {
			verdict = "differs"
		}
		switch {
		case c.known:
			verdict += ", known: a hash of another cost"
		case (t >= threshold) != (c.delay > 0):
			good, verdict = false, verdict+", which it must not"
		}
		fmt.Fprintf(out, "%-24s %8d %12v %8.2f  %s\n", c.name, len(c.samples), median(c.samples), t, verdict)
	}
	return good
}

// worstT is the largest |t| over several crops: what lies above a percentile of
// both samples together is noise of the machine rather than of the code.
func worstT(a, b []float64) float64 {
	all := slices.Sorted(slices.Values(slices.Concat(a, b)))
	worst := 0.0
	for _, percentile := range []float64{0.5, 0.7, 0.9} {
		limit := all[int(percentile*float64(len(all)-1))]
		worst = max(worst, math.Abs(welch(below(a, limit), below(b, limit))))
	}
	return worst
}

func below(samples []float64, limit float64) []float64 {
	return slices.DeleteFunc(slices.Clone(samples), func(v float64) bool { return v > limit })
}

// welch is the t statistic of two samples of unequal variance.
func welch(a, b []float64) float64 {
	if len(a) < 2 || len(b) < 2 {
		return math.Inf(1) // one lies wholly above the other
	}
	meanA, varA := moments(a)
	meanB, varB := moments(b)
	return (meanA - meanB) / math.Sqrt(varA/float64(len(a))+varB/float64(len(b)))
}

func moments(samples []float64) (mean, variance float64) {
	for _, v := range samples {
		mean += v / float64(len(samples))
	}
	for _, v := range samples {
		variance += (v - mean) * (v - mean) / float64(len(samples)-1)
	}
	return mean, variance
}

func median(samples []float64) time.Duration {
	return time.Duration(slices.Sorted(slices.Values(samples))[len(samples)/2]).Round(time.Microsecond)
}
