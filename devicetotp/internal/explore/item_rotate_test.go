package explore

import (
	"context"
	"fmt"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
)

func init() {
	register(func(int) request { return rotate("", pin) })
	register(func(int) request { return rotate(code, "") })
}

// rotate makes a new secret for the household's device, on an OTP or a PIN.
func rotate(otp, pin string) request {
	r := devicetotp.RotateRequest{AccountID: accountID, DeviceID: phone(0), OTP: credential.Optional(otp), PIN: credential.Optional(pin)}
	return request{
		words: fmt.Sprintf("Rotate phone 0 on the OTP %q and the PIN %q", otp, pin), method: "Rotate", otp: otp,
		do: func(ctx context.Context, i *devicetotp.Issuer) answer {
			d, err := i.Rotate(ctx, r)
			return device(d, err)
		},
	}
}
