package explore

import (
	"context"
	"fmt"
	"time"

	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/verifier"
)

func init() { register(func(n int) request { return addCode(fmt.Sprintf("2222222%d", n)) }) }

// addCode announces a one-time code.
func addCode(code string) request {
	r := devicetotp.AddCodeRequest{AccountID: accountID, Kind: verifier.KindAccount, Code: secret(code), TTL: 5 * time.Minute}
	return request{
		words: "AddCode " + code, method: "AddCode", otp: code,
		do: func(ctx context.Context, i *devicetotp.Issuer) answer {
			c, err := i.AddCode(ctx, r)
			return answered(err, "", "code %s until %v", c.Code.Reveal(), c.ExpiresAt)
		},
	}
}
