package explore

import (
	"context"
	"fmt"

	"example.com/devicetotp/devicetotp"
)

func init() { register(func(n int) request { return rename(0, fmt.Sprintf("name %d", n)) }) }

// rename names the device phone(n).
func rename(n int, name string) request {
	r := devicetotp.RenameRequest{AccountID: accountID, DeviceID: phone(n), Name: name}
	return request{
		words: fmt.Sprintf("Rename phone %d to %q", n, name), method: "Rename", anew: true,
		do: func(ctx context.Context, i *devicetotp.Issuer) answer {
			return answered(i.Rename(ctx, r), "", "renamed")
		},
	}
}
