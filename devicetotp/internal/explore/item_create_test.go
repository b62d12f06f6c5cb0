package explore

import (
	"context"
	"fmt"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
)

func init() {
	register(func(n int) request { return createOn("OTP", n) })
	register(func(n int) request { return createOn("PIN", n) })
	register(func(n int) request { return createOn("grace", n) })
	register(func(n int) request { return createOn("wrong PIN", n) })
}

// createOn makes the device phone(n).
func createOn(what string, n int) request {
	r := devicetotp.CreateRequest{AccountID: accountID, DeviceID: phone(n)}
	anew := false
	switch what {
	case "OTP":
		r.OTP = secret(code)
	case "PIN":
		r.PIN = secret(pin)
	case "grace":
	case "wrong PIN":
		r.PIN, anew = secret("0000"), true
	}
	out := create(fmt.Sprintf("Create phone %d on the %s", n, what), r)
	out.anew = anew
	return out
}

func create(words string, r devicetotp.CreateRequest) request {
	return request{
		words: words, method: "Create", otp: r.OTP.Reveal(),
		do: func(ctx context.Context, i *devicetotp.Issuer) answer {
			d, err := i.Create(ctx, r)
			return device(d, err)
		},
	}
}

// device is the answer that gives a device.
func device(d devicetotp.DeviceTOTP, err error) answer {
	a := answered(err, "device "+d.ID+" with "+d.Secret.Reveal(), "device %s with %q on %v of %v, replayed %t, replaced %t",
		d.ID, d.Secret.Reveal(), d.Basis, d.CreatedAt, d.Replayed, d.Replaced)
	if err == nil {
		a.basis = d.Basis
	}
	return a
}

// createWith makes the device phone(n) on an OTP and a PIN, "" for none.
func createWith(n int, otp, pin string) request {
	return create(fmt.Sprintf("Create phone %d on the OTP %q and the PIN %q", n, otp, pin), devicetotp.CreateRequest{
		AccountID: accountID, DeviceID: phone(n), OTP: credential.Optional(otp), PIN: credential.Optional(pin),
	})
}
