package devicetotp_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"

	"example.com/devicetotp/clock/clocktest"
	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/memstore"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/internal/pairbench"
)

// twentyDevices returns an account of that many devices, all in use, and the
// devices.
func twentyDevices(b *testing.B, store *memstore.Store, issuer *devicetotp.Issuer) (credential.Account, []devicetotp.DeviceTOTP) {
	b.Helper()
	ctx := context.Background()
	if err := store.Put(ctx, credential.Account{ID: "acct", RegisteredAt: benchTime}); err != nil {
		b.Fatal(err)
	}
	devices := make([]devicetotp.DeviceTOTP, 20)
	for i := range devices {
		var err error
		if devices[i], err = issuer.Create(ctx, devicetotp.CreateRequest{AccountID: "acct"}); err != nil {
			b.Fatal(err)
		}
	}
	account, err := store.Load(ctx, "acct")
	if err != nil {
		b.Fatal(err)
	}
	return account, devices
}

// BenchmarkVerifyTwentyDevices is a Verify that names none of twenty devices, and
// so has to look at the codes of all of them: load, open each secret, generate
// three codes of each, count the failure, save. The peer only generates the
// sixty codes, and alone, opens the secrets besides, which is the least that it takes.
func BenchmarkVerifyTwentyDevices(b *testing.B) {
	policy := devicetotp.DefaultPolicy()
	policy.GraceDevices = 20
	store := memstore.New()
	issuer, err := devicetotp.NewIssuer(store, testKeys(b), devicetotp.Config{Clock: clocktest.New(benchTime), Policy: &policy})
	if err != nil {
		b.Fatal(err)
	}
	account, devices := twentyDevices(b, store, issuer)
	encoded := make([]string, len(devices))
	for i := range devices {
		encoded[i] = devices[i].Base32()
	}
	current := uint64(benchTime.Unix() / 30)
	ctx, wrong := context.Background(), devicetotp.VerifyRequest{AccountID: "acct", Code: secret("000000")}
	ours := pairbench.Pair{
		Calls:  4,                                                           // one more would be the last before a wait
		Before: func() { _ = store.Replace(context.Background(), account) }, // as it was made
		Ours: func() {
			if _, err := issuer.Verify(ctx, wrong); devicetotp.CodeOf(err) != devicetotp.CodeInvalidCredentials {
				b.Fatal(err)
			}
		},
	}
	pquerna, alone := ours, ours
	pquerna.Peer = func() {
		for _, e := range encoded {
			for _, step := range []uint64{current, current - 1, current + 1} {
				code, err := hotp.GenerateCodeCustom(e, step, hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
				if err != nil || code == "000000" {
					b.Fatal(errors.Join(err, fmt.Errorf("the code %s", code)))
				}
			}
		}
	}
	b.Run("pquerna", pquerna.Run)
	bare := newPrimitives(b)
	alone.Peer = func() {
		for range devices {
			bare.compare(b, 3)
		}
	}
	b.Run("alone", alone.Run)
}
