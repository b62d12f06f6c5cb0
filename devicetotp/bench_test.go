package devicetotp_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"
	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"

	"example.com/devicetotp/clock/clocktest"
	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/memstore"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/verifier"
)

// Each benchmark runs the library beside its peer, so that the ratio is of one
// run: sub-benchmark "ours" against "pquerna" or "bare".

var benchTime = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

const benchSecret = "12345678901234567890"

// BenchmarkMatch is the pure matching of a device code: the step is returned,
// and a used one refused.
func BenchmarkMatch(b *testing.B) {
	p := verifier.TOTP{Secret: secret(benchSecret), Algorithm: credential.SHA1, Digits: 6, Period: 30 * time.Second}
	encoded := devicetotp.DeviceTOTP{Secret: p.Secret}.Base32()
	opts := totp.ValidateOpts{Period: 30, Skew: 1, Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1}
	hit, err := p.Code(p.Step(benchTime))
	if err != nil {
		b.Fatal(err)
	}
	for name, code := range map[string]credential.Secret{"hit": hit, "miss": secret("000000")} {
		b.Run(name+"/ours", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, ok, err := p.Match(code, benchTime, 0); err != nil || ok != (name == "hit") {
					b.Fatal(ok, err)
				}
			}
		})
		b.Run(name+"/pquerna", func(b *testing.B) {
			b.ReportAllocs()
			text := code.Reveal()
			for b.Loop() {
				if ok, err := totp.ValidateCustom(text, encoded, benchTime, opts); err != nil || ok != (name == "hit") {
					b.Fatal(ok, err)
				}
			}
		})
		b.Run(name+"/ours, unsealing", func(b *testing.B) {
			b.ReportAllocs()
			keys := testKeys(b)
			sealed, err := keys.Seal(credential.Scope{Purpose: credential.PurposeDeviceSecret, AccountID: "acct", Subject: deviceID}, p.Secret)
			if err != nil {
				b.Fatal(err)
			}
			d := credential.Device{ID: deviceID, Sealed: sealed, Algorithm: p.Algorithm, Digits: p.Digits, Period: p.Period}
			for b.Loop() {
				if _, ok, err := verifier.MatchDevice(keys, "acct", d, code, benchTime); err != nil || ok != (name == "hit") {
					b.Fatal(ok, err)
				}
			}
		})
	}
}

// benchAccounts is how many accounts a benchmark uses up before they are all put
// back, with the clock stopped.
const benchAccounts = 1000

// benchWorld is an issuer over accounts that are alike.
type benchWorld struct {
	store    *memstore.Store
	issuer   *devicetotp.Issuer
	accounts []credential.Account
	used     int
}

// newBenchWorld makes the accounts like one, and announces the one-time code to
// each if there is one.
func newBenchWorld(b *testing.B, like credential.Account, code credential.Secret) *benchWorld {
	b.Helper()
	w := &benchWorld{store: memstore.New()}
	var err error
	if w.issuer, err = devicetotp.NewIssuer(w.store, testKeys(b), devicetotp.Config{Clock: clocktest.New(benchTime)}); err != nil {
		b.Fatal(err)
	}
	ctx := context.Background()
	for n := range benchAccounts {
		like.ID = fmt.Sprint("account-", n)
		w.store.Put(like)
		if code.Present() {
			request := devicetotp.CodeRequest{AccountID: like.ID, Kind: verifier.KindAccount, Code: code, TTL: time.Minute}
			if err := w.issuer.AddCode(ctx, request); err != nil {
				b.Fatal(err)
			}
		}
		account, err := w.store.Load(ctx, like.ID)
		if err != nil {
			b.Fatal(err)
		}
		w.accounts = append(w.accounts, account)
	}
	return w
}

// next is the id of an account that was not used yet.
func (w *benchWorld) next(b *testing.B) string {
	if w.used == len(w.accounts) {
		b.StopTimer()
		for _, a := range w.accounts {
			w.store.Put(a)
		}
		w.used = 0
		b.StartTimer()
	}
	w.used++
	return w.accounts[w.used-1].ID
}

// BenchmarkCreate is the whole call, in process, on the memory store; its peer
// only makes a key.
func BenchmarkCreate(b *testing.B) {
	ctx := context.Background()
	b.Run("grace/ours", func(b *testing.B) {
		w := newBenchWorld(b, credential.Account{RegisteredAt: benchTime}, credential.Secret{})
		b.ReportAllocs()
		for b.Loop() {
			if _, err := w.issuer.Create(ctx, devicetotp.Request{AccountID: w.next(b)}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("otp/ours", func(b *testing.B) {
		code := secret("12345678")
		w := newBenchWorld(b, credential.Account{}, code)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := w.issuer.Create(ctx, devicetotp.Request{AccountID: w.next(b), OTP: code}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("pquerna Generate", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := totp.Generate(totp.GenerateOpts{Issuer: "issuer", AccountName: "account"}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkCreateHashed is Create on a PIN beside the bare hash. A hash takes so
// long that the machine changes meanwhile: so both run in turns, and the
// middle times count.
func BenchmarkCreateHashed(b *testing.B) {
	ctx := context.Background()
	argon, err := verifier.DefaultHasher().Hash(ctx, secret("8299"))
	if err != nil {
		b.Fatal(err)
	}
	bcrypted, err := bcrypt.GenerateFromPassword([]byte("8299"), 10)
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct {
		name, hash string
		bare       func()
	}{
		{"argon2id", argon, func() { argon2.IDKey([]byte("8299"), make([]byte, 16), 2, 19456, 1, 32) }},
		{"bcrypt", string(bcrypted), func() { _ = bcrypt.CompareHashAndPassword(bcrypted, []byte("8299")) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			w := newBenchWorld(b, credential.Account{PINHash: c.hash}, credential.Secret{})
			var ours, bare []time.Duration
			for b.Loop() {
				request := devicetotp.Request{AccountID: w.next(b), PIN: secret("8299")}
				started := time.Now()
				if _, err := w.issuer.Create(ctx, request); err != nil {
					b.Fatal(err)
				}
				between := time.Now()
				c.bare()
				ours, bare = append(ours, between.Sub(started)), append(bare, time.Since(between))
			}
			b.ReportMetric(middle(ours), "ours-ns")
			b.ReportMetric(middle(bare), "bare-ns")
		})
	}
}

func middle(d []time.Duration) float64 {
	slices.Sort(d)
	return float64(d[len(d)/2])
}

// BenchmarkDevices is the cost with a growing number of devices.
func BenchmarkDevices(b *testing.B) {
	ctx := context.Background()
	for _, n := range []int{1, 5, 20} {
		b.Run(fmt.Sprint(n, " devices/Verify a wrong code"), func(b *testing.B) {
			store := memstore.New()
			store.Put(credential.Account{ID: "acct", RegisteredAt: benchTime})
			policy := devicetotp.DefaultPolicy()
			policy.GraceDevices = n
			issuer, err := devicetotp.NewIssuer(store, testKeys(b), devicetotp.Config{Clock: clocktest.New(benchTime), Policy: &policy})
			if err != nil {
				b.Fatal(err)
			}
			for range n {
				if _, err := issuer.Create(ctx, devicetotp.Request{AccountID: "acct"}); err != nil {
					b.Fatal(err)
				}
			}
			full, err := store.Load(ctx, "acct")
			if err != nil {
				b.Fatal(err)
			}
			encoded, err := full.State.MarshalBinary()
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				store.Put(full)
				_, _ = issuer.Verify(ctx, devicetotp.VerifyRequest{AccountID: "acct", Code: secret("000000")})
			}
			b.ReportMetric(float64(len(encoded)), "state-bytes")
		})
	}
}
