package explore

import (
	"context"

	"example.com/devicetotp/devicetotp"
)

func init() { register(func(int) request { return inspect() }) }

func inspect() request {
	return request{
		words: "Inspect", method: "Inspect", reads: true,
		do: func(ctx context.Context, i *devicetotp.Issuer) answer {
			o, err := i.Inspect(ctx, accountID)
			return answered(err, "", "%+v", o)
		},
	}
}
