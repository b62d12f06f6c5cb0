package explore

import (
	"context"
	"fmt"

	"example.com/devicetotp/devicetotp"
)

func init() { register(func(int) request { return revoke(0) }) }

// revoke takes the devices phone(n) away, and what was made on their codes.
func revoke(n ...int) request {
	r := devicetotp.RevokeRequest{AccountID: accountID, WithMadeBy: true}
	for _, n := range n {
		r.DeviceIDs = append(r.DeviceIDs, phone(n))
	}
	return request{
		words: fmt.Sprintf("Revoke phones %d", n), method: "Revoke",
		do: func(ctx context.Context, i *devicetotp.Issuer) answer {
			gone, err := i.Revoke(ctx, r)
			return answered(err, "", "%+v", gone)
		},
	}
}
