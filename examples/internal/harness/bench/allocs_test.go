package main

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/clock/clocktest"
	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/memstore"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/verifier"
)

// Times are of a machine, allocations are of the code. These are the counts of
// the hot paths, memstore included; whoever makes one grow sees it here.
func TestAllocationsOfTheHotPaths(t *testing.T) {
	ctx := context.Background()
	now := base.Add(time.Minute)
	keys, err := credential.NewKeyring("k", credential.NewKey("k"))
	require.NoError(t, err)
	store := memstore.New()
	issuer, err := devicetotp.NewIssuer(store, keys, devicetotp.Config{Clock: clocktest.New(now)})
	require.NoError(t, err)
	bcrypted := "$2a$04$" + "abcdefghijklmnopqrstuu" + "abcdefghijklmnopqrstuvwxyz01234"
	argon, err := verifier.DefaultHasher().Hash(ctx, credential.NewSecret("8299"))
	require.NoError(t, err)

	account, err := newAccount(keys, "", 0, 1)
	require.NoError(t, err)
	totp := verifier.TOTP{Secret: deviceSecret(0), Algorithm: credential.AlgorithmSHA1, Digits: 6, Period: period}
	code, err := totp.Code(totp.Step(now))
	require.NoError(t, err)
	wrong := credential.NewSecret("000000")

	fresh := credential.Account{ID: account.ID, RegisteredAt: base}
	require.NoError(t, store.Put(ctx, fresh))
	_, err = issuer.AddCode(ctx, devicetotp.AddCodeRequest{
		AccountID: account.ID, Kind: verifier.KindAccount, Code: credential.NewSecret("12345678"), TTL: time.Minute,
	})
	require.NoError(t, err)
	withCode, err := store.Load(ctx, account.ID)
	require.NoError(t, err)
	create := func(from credential.Account, r devicetotp.CreateRequest, denied bool) func() {
		return func() {
			_ = store.Replace(ctx, from) // as it was loaded
			if _, err := issuer.Create(ctx, r); denied != (err != nil) {
				t.Fatal(err)
			}
		}
	}
	withHash := func(hash string) credential.Account {
		return credential.Account{ID: account.ID, PINHash: hash}
	}
	pin := devicetotp.CreateRequest{AccountID: account.ID, PIN: credential.NewSecret("8299")}
	for _, c := range []struct {
		name string
		most float64
		do   func()
	}{
		{"match, right", 3, func() { _, _, _ = totp.Match(code, now, 0) }},
		{"match, wrong", 3, func() { _, _, _ = totp.Match(wrong, now, 0) }},
		{"match, right, unsealing", 3, func() { _, _, _ = verifier.MatchDevice(keys, account.ID, &account.State.Devices[0], code, now) }},
		{"Create on grace", 12, create(fresh, devicetotp.CreateRequest{AccountID: account.ID}, false)},
		{"Create on an OTP", 27, create(withCode, devicetotp.CreateRequest{AccountID: account.ID, OTP: credential.NewSecret("12345678")}, false)},
		// One of them is the stored hash as a Secret, which never prints.
		{"Create on a PIN, argon2id", 49, create(withHash(argon), pin, false)},
		{"Create on a PIN, bcrypt, wrong", 28, create(withHash(bcrypted), pin, true)},
		{"Verify", 17, func() {
			_ = store.Replace(ctx, account) // as it was made
			if _, err := issuer.Verify(ctx, devicetotp.VerifyRequest{AccountID: account.ID, Code: code}); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			have := testing.AllocsPerRun(10, c.do)
			require.LessOrEqual(t, have, c.most*raceAllocs, "allocations")
		})
	}
}
