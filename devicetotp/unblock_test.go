package devicetotp_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/devicetotptest"
	totperrors "example.com/devicetotp/errors"
)

func TestUnblockRules(t *testing.T) {
	w := devicetotptest.New(t)
	a := w.Account("acct").PIN("8299").Password("password")
	fail := func() {
		_, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{AccountID: "acct", OTP: secret("0"), Password: secret("0"), PIN: secret("0")})
		requireCode(t, totperrors.CodeInvalidCredentials, err)
	}
	failures := func() [3]int {
		s := a.Stored().State
		return [3]int{s.OTP.Failures, s.Password.Failures, s.PIN.Failures}
	}
	fail()
	require.NoError(t, w.Issuer.Unblock(t.Context(), devicetotp.UnblockRequest{AccountID: "acct", Factors: []credential.Factor{credential.FactorPassword}}))
	require.Equal(t, [3]int{1, 0, 1}, failures())
	require.NoError(t, w.Issuer.Unblock(t.Context(), devicetotp.UnblockRequest{AccountID: "acct"}))
	require.Equal(t, [3]int{}, failures())
	require.Equal(t, totperrors.FieldFactors, requireCode(t, totperrors.CodeInvalidArgument, w.Issuer.Unblock(t.Context(), devicetotp.UnblockRequest{AccountID: "acct", Factors: []credential.Factor{7}})).Field)
	require.ErrorIs(t, w.Issuer.Unblock(t.Context(), devicetotp.UnblockRequest{AccountID: "nobody"}), credential.ErrNotFound)
}
