package explore

import (
	"context"
	"fmt"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
)

func init() {
	register(func(int) request { return prove(code, "") })
	register(func(int) request { return prove(wrong, pin) })
}

// prove presents an OTP and a PIN, "" for none.
func prove(otp, pin string) request {
	r := devicetotp.ProveRequest{AccountID: accountID, OTP: credential.Optional(otp), PIN: credential.Optional(pin)}
	return request{
		words: fmt.Sprintf("Prove the OTP %q and the PIN %q", otp, pin), method: "Prove", otp: otp, anew: true,
		do: func(ctx context.Context, i *devicetotp.Issuer) answer {
			p, err := i.Prove(ctx, r)
			granted := "accepted"
			if p.Basis != credential.BasisOTP {
				granted = "" // not on the OTP
			}
			return answered(err, granted, "%+v", p)
		},
	}
}
