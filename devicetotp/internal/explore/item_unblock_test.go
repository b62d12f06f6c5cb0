package explore

import (
	"context"
	"fmt"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
)

func init() { register(func(int) request { return unblock() }) }

// unblock forgives the failures of the factors; none means all.
func unblock(factors ...credential.Factor) request {
	return request{
		words: fmt.Sprintf("Unblock %v", factors), method: "Unblock", forgets: true, anew: true,
		do: func(ctx context.Context, i *devicetotp.Issuer) answer {
			return answered(i.Unblock(ctx, devicetotp.UnblockRequest{AccountID: accountID, Factors: factors}), "", "unblocked")
		},
	}
}
