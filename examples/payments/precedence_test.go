package payments

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/devicetotptest"
)

// How a service holds the library to its rules, in a unit test without a database:
// first the OTP is checked, then the password, then the PIN, and each wrong value that
// was checked counts. This is the kit's own Issuer, which has PINs.
func TestPrecedence(t *testing.T) {
	const otp, pin, wrong = "526271", "8299", "0000000"
	for name, row := range map[string]struct {
		otp, password, pin string
		basis              credential.Basis
		code               devicetotp.Code
		failures           [3]int // of OTP, password and PIN
		checked            int
	}{
		"all are right":              {otp, password, pin, credential.BasisOTP, "", [3]int{}, 1},
		"the OTP is, the rest wrong": {otp, wrong, wrong, credential.BasisOTP, "", [3]int{}, 1},
		"the OTP is wrong":           {wrong, password, pin, credential.BasisPassword, "", [3]int{1, 0, 0}, 2},
		"only the password is right": {wrong, password, wrong, credential.BasisPassword, "", [3]int{1, 0, 0}, 2},
		"only the PIN is right":      {wrong, wrong, pin, credential.BasisPIN, "", [3]int{1, 1, 0}, 3},
		"no OTP":                     {"", password, pin, credential.BasisPassword, "", [3]int{}, 1},
		"the PIN alone":              {"", "", pin, credential.BasisPIN, "", [3]int{}, 1},
		"all are wrong":              {wrong, wrong, wrong, 0, devicetotp.CodeInvalidCredentials, [3]int{1, 1, 1}, 3},
		"nothing":                    {"", "", "", 0, devicetotp.CodeCredentialsRequired, [3]int{}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			w := devicetotptest.New(t)
			a := w.Account("alice").RegisteredAgo(time.Hour).Password(password).PIN(pin).OTP(otp)
			device, err := w.Issuer.Create(t.Context(), devicetotp.CreateRequest{
				AccountID: "alice", OTP: credential.Optional(row.otp), Password: credential.Optional(row.password), PIN: credential.Optional(row.pin),
			})
			require.Equal(t, row.code, devicetotp.CodeOf(err))
			require.Equal(t, row.basis, device.Basis)
			stored := a.Stored()
			for i, f := range credential.Factors() {
				require.Equal(t, row.failures[i], stored.Attempts(f).Failures, f)
			}
			events := w.Events()
			require.Len(t, events[len(events)-1].Factors, row.checked)
		})
	}
}
