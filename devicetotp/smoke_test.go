package devicetotp_test

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

func TestSmoke(t *testing.T) {
	clk := clocktest.New(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	store := memstore.New()
	keys, err := credential.NewKeyring("k", credential.NewKey("k"))
	require.NoError(t, err)
	i, err := devicetotp.NewIssuer(store, keys, devicetotp.Config{Clock: clk, Observer: func(_ context.Context, e devicetotp.Event) { t.Logf("%+v", e) }})
	require.NoError(t, err)
	pin, err := verifier.DefaultHasher().Hash(t.Context(), credential.NewSecret("8299"))
	require.NoError(t, err)
	store.Put(credential.Account{ID: "a", RegisteredAt: clk.Now(), PINHash: pin})
	d, err := i.Create(t.Context(), devicetotp.Request{AccountID: "a"})
	require.NoError(t, err)
	clk.Advance(6 * time.Minute)
	_, err = i.Create(t.Context(), devicetotp.Request{AccountID: "a"})
	require.ErrorIs(t, err, devicetotp.ErrDenied)
	require.NoError(t, i.AddCode(t.Context(), devicetotp.CodeRequest{AccountID: "a", Kind: "account", Code: credential.NewSecret("12345678"), TTL: time.Minute}))
	d2, err := i.Create(t.Context(), devicetotp.Request{AccountID: "a", OTP: credential.NewSecret("123456"), Password: credential.NewSecret("x"), PIN: credential.NewSecret("8299")})
	require.NoError(t, err)
	t.Log(d, d2)
	for range 2 {
		_, err := i.Create(t.Context(), devicetotp.Request{AccountID: "a", OTP: credential.NewSecret("12345678")})
		t.Log(err)
	}
	totp := verifier.TOTP{Secret: d.Secret, Algorithm: d.Algorithm, Digits: d.Digits, Period: d.Period}
	code, err := totp.Code(totp.Step(clk.Now()))
	require.NoError(t, err)
	for range 2 {
		m, err := i.Verify(t.Context(), devicetotp.VerifyRequest{AccountID: "a", Code: code})
		t.Log(m, err)
	}
}
