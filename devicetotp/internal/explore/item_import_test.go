package explore

import (
	"context"
	"fmt"
	"time"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
)

func init() { register(func(n int) request { return importOf(n) }) }

// importSecret is that of every device that is imported.
var importSecret = secret("a secret from afar..")

// importOf imports the device phone(n).
func importOf(n int) request {
	r := devicetotp.ImportRequest{
		AccountID: accountID, DeviceID: phone(n), Secret: importSecret,
		Algorithm: credential.AlgorithmSHA1, Digits: 6, Period: 30 * time.Second,
	}
	return request{
		words: fmt.Sprintf("Import phone %d", n), method: "Import",
		do: func(ctx context.Context, i *devicetotp.Issuer) answer {
			d, err := i.Import(ctx, r)
			return answered(err, "", "%+v", d)
		},
	}
}
