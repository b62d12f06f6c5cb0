package devicetotp_test

import (
	"encoding/hex"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/drawtest"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/devicetotptest"
	totperrors "example.com/devicetotp/errors"
)

func TestAddCodeRules(t *testing.T) {
	w := devicetotptest.New(t)
	a := w.Account("acct")
	add := func(kind, code string, ttl time.Duration) error {
		_, err := w.Issuer.AddCode(t.Context(), devicetotp.AddCodeRequest{AccountID: "acct", Kind: kind, Code: secret(code), TTL: ttl})
		return err
	}
	for _, c := range []struct {
		field, kind, code string
		ttl               time.Duration
	}{
		{totperrors.FieldKind, "device-totp", "123456", time.Minute}, {totperrors.FieldKind, "sms", "123456", time.Minute},
		{totperrors.FieldCode, "account", "12345", time.Minute}, {totperrors.FieldCode, "account", "12345678901", time.Minute},
		{totperrors.FieldCode, "account", "12345a", time.Minute}, {totperrors.FieldCode, "account", "", time.Minute},
		{totperrors.FieldTTL, "account", "123456", 0}, {totperrors.FieldTTL, "account", "123456", -1},
		{totperrors.FieldTTL, "account", "123456", 10*time.Minute + 1},
	} {
		require.Equal(t, c.field, requireCode(t, totperrors.CodeInvalidArgument, add(c.kind, c.code, c.ttl)).Field)
	}
	require.Zero(t, a.Stored().Version)
	_, err := w.Issuer.AddCode(t.Context(), devicetotp.AddCodeRequest{AccountID: "nobody", Kind: "account", Code: secret("123456"), TTL: 1})
	require.Equal(t, totperrors.FieldAccountID, requireCode(t, totperrors.CodeInvalidArgument, err).Field)
	require.ErrorIs(t, err, credential.ErrNotFound)

	require.NoError(t, add("account", "123456", 10*time.Minute))
	_, err = w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", OTP: secret("000000")})
	requireCode(t, totperrors.CodeInvalidCredentials, err)
	require.NoError(t, add("account", "654321", 10*time.Minute))
	require.Equal(t, 1, a.Stored().State.OTP.Failures, "asking for codes buys no guesses")
	require.True(t, a.Stored().State.Codes[0].Withdrawn, "a new one of a kind replaces the old")
	_, err = w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", OTP: secret("123456")})
	requireCode(t, totperrors.CodeInvalidCredentials, err)
	_, err = w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", OTP: secret("654321")})
	require.NoError(t, err)
	require.NoError(t, add("account", "654321", time.Minute), "announced before, and spent")
	_, err = w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", OTP: secret("654321")})
	requireCode(t, totperrors.CodeInvalidCredentials, err)
	w.Clock.Advance(10 * time.Minute)
	require.NoError(t, add("account", "654321", time.Minute), "once it has expired, the same digits are a new code")
	_, err = w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", OTP: secret("654321")})
	require.NoError(t, err)
	a.Locked(true)
	requireCode(t, totperrors.CodeAccountLocked, add("account", "123456", time.Minute))
}

// The id of a code is drawn whole, so that no digest is made under it twice.
func TestAddCode_IDsAreRandom(t *testing.T) {
	w := devicetotptest.New(t)
	n := 0
	require.NoError(t, drawtest.Bits(8, 0, func() ([]byte, error) {
		n++
		a := w.Account(fmt.Sprint(n)).OTP("526271")
		return hex.DecodeString(a.Stored().State.Codes[0].ID)
	}))
}

func TestACodeExpiresAtItsInstant(t *testing.T) {
	for _, c := range []struct {
		after time.Duration
		ok    bool
	}{{5*time.Minute - 1, true}, {5 * time.Minute, false}} {
		w := devicetotptest.New(t)
		w.Account("acct").OTP("123456")
		w.Clock.Advance(c.after)
		_, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", OTP: secret("123456")})
		require.Equal(t, c.ok, err == nil, "%v", c.after)
	}
}
