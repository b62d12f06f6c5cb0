package explore

import (
	"context"
	"fmt"
	"time"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/verifier"
)

func init() {
	register(func(n int) request { return addCode(fmt.Sprintf("2222222%d", n)) })
	register(func(int) request { return unblock() })
	register(func(int) request { return inspect() })
}

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

func unblock(factors ...credential.Factor) request {
	return request{
		words: fmt.Sprintf("Unblock %v", factors), method: "Unblock", forgets: true, anew: true,
		do: func(ctx context.Context, i *devicetotp.Issuer) answer {
			return answered(i.Unblock(ctx, devicetotp.UnblockRequest{AccountID: accountID, Factors: factors}), "", "unblocked")
		},
	}
}

func inspect() request {
	return request{
		words: "Inspect", method: "Inspect", reads: true,
		do: func(ctx context.Context, i *devicetotp.Issuer) answer {
			o, err := i.Inspect(ctx, accountID)
			return answered(err, "", "%+v", o)
		},
	}
}
