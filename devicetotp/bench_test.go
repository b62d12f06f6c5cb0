package devicetotp_test

import (
	"context"
	"fmt"
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
	"example.com/devicetotp/devicetotp/internal/pairbench"
	"example.com/devicetotp/verifier"
)

var benchTime = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

const benchSecret = "12345678901234567890"

// BenchmarkMatch is the matching of a device code: the step is returned, and a
// used one refused. Sealed begins with opening the sealed secret; alone, the peer is
// what that takes at least.
func BenchmarkMatch(b *testing.B) {
	p := verifier.TOTP{Secret: secret(benchSecret), Algorithm: credential.AlgorithmSHA1, Digits: 6, Period: 30 * time.Second}
	encoded := devicetotp.DeviceTOTP{Secret: p.Secret}.Base32()
	opts := totp.ValidateOpts{Period: 30, Skew: 1, Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1}
	hit, err := p.Code(p.Step(benchTime))
	if err != nil {
		b.Fatal(err)
	}
	keys := testKeys(b)
	d := credential.Device{ID: deviceID, Algorithm: p.Algorithm, Digits: p.Digits, Period: p.Period}
	if d.Sealed, err = keys.Seal(credential.DeviceScope("acct", &d), p.Secret); err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		code  credential.Secret
		want  bool
		steps uint64 // whose codes are generated
	}{{"hit", hit, true, 1}, {"miss", secret("000000"), false, 3}} {
		text := c.code.Reveal()
		peer := func() {
			if ok, err := totp.ValidateCustom(text, encoded, benchTime, opts); err != nil || ok != c.want {
				b.Fatal(ok, err)
			}
		}
		b.Run(c.name, pairbench.Pair{Calls: 500, Peer: peer, Ours: func() {
			if _, ok, err := p.Match(c.code, benchTime, 0); err != nil || ok != c.want {
				b.Fatal(ok, err)
			}
		}}.Run)
		sealed := func() {
			if _, ok, err := verifier.MatchDevice(keys, "acct", &d, c.code, benchTime); err != nil || ok != c.want {
				b.Fatal(ok, err)
			}
		}
		b.Run("sealed "+c.name, pairbench.Pair{Calls: 500, Peer: peer, Ours: sealed}.Run)
		alone := newPrimitives(b)
		b.Run("sealed "+c.name+" alone", pairbench.Pair{Calls: 500, Peer: func() { alone.compare(b, c.steps) }, Ours: sealed}.Run)
	}
}

// benchWorld is an issuer over accounts that are alike, each for one call.
type benchWorld struct {
	store    *memstore.Store
	issuer   *devicetotp.Issuer
	accounts []credential.Account
	used     int
}

// newBenchWorld makes so many accounts like one, and announces the one-time code
// to each if there is one.
func newBenchWorld(b *testing.B, accounts int, like credential.Account, code credential.Secret) *benchWorld {
	b.Helper()
	w := &benchWorld{store: memstore.New()}
	var err error
	if w.issuer, err = devicetotp.NewIssuer(w.store, testKeys(b), devicetotp.Config{Clock: clocktest.New(benchTime)}); err != nil {
		b.Fatal(err)
	}
	ctx := context.Background()
	for n := range accounts {
		like.ID = fmt.Sprint("account-", n)
		if err := w.store.Replace(ctx, like); err != nil {
			b.Fatal(err)
		}
		if code.Present() {
			request := devicetotp.AddCodeRequest{AccountID: like.ID, Kind: verifier.KindAccount, Code: code, TTL: time.Minute}
			if _, err := w.issuer.AddCode(ctx, request); err != nil {
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

// reset puts all accounts back.
func (w *benchWorld) reset() {
	for _, a := range w.accounts {
		_ = w.store.Replace(context.Background(), a) // as it was loaded
	}
	w.used = 0
}

// create is the whole call, in process, on the memory store.
func (w *benchWorld) create(b *testing.B, r devicetotp.CreateRequest) func() {
	ctx := context.Background()
	return func() {
		r.AccountID = w.accounts[w.used%len(w.accounts)].ID
		w.used++
		if _, err := w.issuer.Create(ctx, r); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCreate stands beside pquerna's Generate, which only makes a key.
func BenchmarkCreate(b *testing.B) {
	const calls = 50 // so few that accounts and keys stay in the processor's cache, as in a call by itself
	peer := func() {
		if _, err := totp.Generate(totp.GenerateOpts{Issuer: "issuer", AccountName: "account"}); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("grace", func(b *testing.B) {
		w := newBenchWorld(b, calls, credential.Account{RegisteredAt: benchTime}, credential.Secret{})
		pairbench.Pair{Calls: calls, Before: w.reset, Ours: w.create(b, devicetotp.CreateRequest{}), Peer: peer}.Run(b)
	})
	b.Run("otp", func(b *testing.B) {
		code := secret("12345678")
		w := newBenchWorld(b, calls, credential.Account{}, code)
		pairbench.Pair{Calls: calls, Before: w.reset, Ours: w.create(b, devicetotp.CreateRequest{OTP: code}), Peer: peer}.Run(b)
	})
}

// BenchmarkCreateHashed is Create on a PIN beside the bare hash.
func BenchmarkCreateHashed(b *testing.B) {
	argon, err := verifier.DefaultHasher().Hash(context.Background(), secret("8299"))
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
			w := newBenchWorld(b, 20, credential.Account{PINHash: c.hash}, credential.Secret{})
			pairbench.Pair{Calls: 1, Before: w.reset, Ours: w.create(b, devicetotp.CreateRequest{PIN: secret("8299")}), Peer: c.bare}.Run(b)
		})
	}
}

// BenchmarkDevices is the cost with a growing number of devices.
func BenchmarkDevices(b *testing.B) {
	ctx := context.Background()
	for _, n := range []int{1, 5, 20} {
		b.Run(fmt.Sprint(n, " devices/Verify a wrong code"), func(b *testing.B) {
			store := memstore.New()
			if err := store.Put(ctx, credential.Account{ID: "acct", RegisteredAt: benchTime}); err != nil {
				b.Fatal(err)
			}
			policy := devicetotp.DefaultPolicy()
			policy.GraceDevices = n
			issuer, err := devicetotp.NewIssuer(store, testKeys(b), devicetotp.Config{Clock: clocktest.New(benchTime), Policy: &policy})
			if err != nil {
				b.Fatal(err)
			}
			for range n {
				if _, err := issuer.Create(ctx, devicetotp.CreateRequest{AccountID: "acct"}); err != nil {
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
				_ = store.Replace(ctx, full) // as it was loaded
				_, _ = issuer.Verify(ctx, devicetotp.VerifyRequest{AccountID: "acct", Code: secret("000000")})
			}
			b.ReportMetric(float64(len(encoded)), "state-bytes")
		})
	}
}
