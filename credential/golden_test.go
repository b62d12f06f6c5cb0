package credential_test

import (
	"errors"

	"example.com/devicetotp/credential"
)

// Made by the first release, with the key of id "k".
const (
	goldenSealed = "01016be6e871824b939d012a16178b59abf5acafe1f9266a2533aa54b6a7430dccb578979696e2812951a345013b7ec6476ffa7a766a280e74af712715c00c"
	goldenDigest = "02016b477ea90e63c89974bb4abf0e56c00e7720d5d0431db93e8d172229abc5c77d22"
	goldenProof  = "02016ba27dfb9028e9f2df7a2189047849e5fe9404a2b5447f5bd3d93d5cd28a4447df"
	goldenPIN    = "$sealed$AQFr0o76SvrPQ2fMNyC/60IFiIzrqWj8a5PALtNtPZcaomnhymkd6+5jXFp9/k2AvxDwaj/LB3PYtF0Sn+4auFitqgk9+/80vDQEFBtLJaa+gByXztvpeHTZtgTKuFm1M8Cb1Fi8fw"
)

func isRefusal(err error) bool {
	return errors.Is(err, credential.ErrTampered) || errors.Is(err, credential.ErrMissingKey)
}
