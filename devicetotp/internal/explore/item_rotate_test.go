package explore

import (
	"context"
	"fmt"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
)

func init() {
	register(func(n int) request { return rotate(n, "", pin) })
	register(func(n int) request { return rotate(n, code, "") })
}

// rotate makes a new secret for the household's device: the rotation phone(n), on an
// OTP or a PIN.
func rotate(n int, otp, pin string) request { return rotateDevice(0, n, otp, pin) }

// rotateDevice is the same for the device phone(at).
func rotateDevice(at, n int, otp, pin string) request {
	r := devicetotp.RotateRequest{AccountID: accountID, DeviceID: phone(at), RotationID: phone(n), OTP: credential.Optional(otp), PIN: credential.Optional(pin)}
	return request{
		words: fmt.Sprintf("Rotate phone %d as rotation %d on the OTP %q and the PIN %q", at, n, otp, pin), method: "Rotate", otp: otp,
		do: func(ctx context.Context, i *devicetotp.Issuer) answer {
			d, err := i.Rotate(ctx, r)
			return device(d, err)
		},
	}
}
