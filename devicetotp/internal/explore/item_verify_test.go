package explore

import (
	"context"
	"fmt"

	"example.com/devicetotp/devicetotp"
)

func init() {
	register(func(int) request { return verify("", homeCode(0)) })
	register(func(int) request { return verify(phone(0), wrongCode) })
}

// verify presents a code, of the device of that id if there is one.
func verify(id, code string) request {
	r := devicetotp.VerifyRequest{AccountID: accountID, DeviceID: id, Code: secret(code)}
	return request{
		words: fmt.Sprintf("Verify %s of device %q", code, id), method: "Verify", otp: code, looks: true, anew: true,
		do: func(ctx context.Context, i *devicetotp.Issuer) answer {
			m, err := i.Verify(ctx, r)
			return answered(err, "accepted", "%+v", m)
		},
	}
}
