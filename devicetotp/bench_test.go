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

// benchIssuer is an issuer of one account, which reset puts back to its
// beginning.
func benchIssuer(b *testing.B, cfg devicetotp.Config, account credential.Account) (issuer *devicetotp.Issuer, reset func(), store *memstore.Store) {
	b.Helper()
	store = memstore.New()
	cfg.Clock = clocktest.New(benchTime)
	issuer, err := devicetotp.NewIssuer(store, testKeys(b), cfg)
	if err != nil {
		b.Fatal(err)
	}
	account.ID = "acct"
	store.Put(account)
	return issuer, func() { store.Put(account) }, store
}

// BenchmarkCreate is the whole call, in process, on the memory store; its peer
// only makes a key.
func BenchmarkCreate(b *testing.B) {
	ctx := context.Background()
	b.Run("grace/ours", func(b *testing.B) {
		issuer, reset, _ := benchIssuer(b, devicetotp.Config{}, credential.Account{RegisteredAt: benchTime})
		b.ReportAllocs()
		for b.Loop() {
			reset()
			if _, err := issuer.Create(ctx, devicetotp.Request{AccountID: "acct"}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("otp/ours", func(b *testing.B) {
		issuer, reset, store := benchIssuer(b, devicetotp.Config{}, credential.Account{})
		if err := issuer.AddCode(ctx, devicetotp.CodeRequest{AccountID: "acct", Kind: "account", Code: secret("12345678"), TTL: time.Minute}); err != nil {
			b.Fatal(err)
		}
		pending, err := store.Load(ctx, "acct")
		if err != nil {
			b.Fatal(err)
		}
		reset = func() { store.Put(pending) }
		b.ReportAllocs()
		for b.Loop() {
			reset()
			if _, err := issuer.Create(ctx, devicetotp.Request{AccountID: "acct", OTP: secret("12345678")}); err != nil {
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

// BenchmarkCreateHashed is Create on a password or PIN beside the bare hash.
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
		b.Run(c.name+"/ours", func(b *testing.B) {
			issuer, reset, _ := benchIssuer(b, devicetotp.Config{}, credential.Account{PINHash: c.hash})
			b.ReportAllocs()
			for b.Loop() {
				reset()
				if _, err := issuer.Create(ctx, devicetotp.Request{AccountID: "acct", PIN: secret("8299")}); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(c.name+"/bare", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c.bare()
			}
		})
	}
}

// BenchmarkDevices is the cost with a growing number of devices.
func BenchmarkDevices(b *testing.B) {
	ctx := context.Background()
	for _, n := range []int{1, 5, 20} {
		b.Run(fmt.Sprint(n, " devices/Verify a wrong code"), func(b *testing.B) {
			issuer, _, store := benchIssuer(b, devicetotp.Config{}, credential.Account{RegisteredAt: benchTime})
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
