package explore

import (
	"context"

	"example.com/devicetotp/devicetotp"
)

func init() { register(func(int) request { return reseal() }) }

func reseal() request {
	return request{
		words: "Reseal", method: "Reseal",
		do: func(ctx context.Context, i *devicetotp.Issuer) answer {
			r, err := i.Reseal(ctx, accountID)
			return answered(err, "", "%+v", r)
		},
	}
}
