package explore

import (
	"context"

	"example.com/devicetotp/devicetotp"
)

func init() { register(func(int) request { return recovery() }) }

// recovery replaces the recovery codes. They are random, so the answer has them
// apart from its text.
func recovery() request {
	return request{
		words: "ReplaceRecoveryCodes", method: "ReplaceRecoveryCodes", anew: true,
		do: func(ctx context.Context, i *devicetotp.Issuer) answer {
			codes, err := i.ReplaceRecoveryCodes(ctx, devicetotp.RecoveryRequest{AccountID: accountID, Count: 2})
			a := answered(err, "", "%d recovery codes", len(codes))
			a.recovery = codes
			return a
		},
	}
}
