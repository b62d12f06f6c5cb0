package credential_test

import (
	"errors"

	"example.com/devicetotp/credential"
)

// Made by the first release, with the key of id "k".
const (
	goldenSealed = "01016bc66d2e67e5e5bfb572555fed8d70a6ab585fb9e4c9972d9412a9eb0c4297edfa04b1c0de7610865cb84f207afa015e97071397f8a4372f1ed94870e336417524e8fb9c24"
	goldenDigest = "02016bc66d2e67e5e5bfb5ce3b01d9bc2ed78bcffac9c6b25864589ef6fe069f0e29b24f343c94a520e667"
	goldenProof  = "02016bc66d2e67e5e5bfb50f6edf561a09716050f61e7bdf644bde15caecc5dd4f30d1ce6468c85d239234"
	goldenPIN    = "$sealed$AQFrxm0uZ+Xlv7UQniAyD8NjOHuj1e+kJlfJ6aBXEsWa0DRbgXve6Sjhqlf5tJGz6ZWAdw+gVPCwpzAFxTvkF7L4c1zdUVEMKMiIkAdNM3mO63XszRWgzbtSC8BS210ZU7MuE4e0pi+su2ub9S/m"
)

func isRefusal(err error) bool {
	return errors.Is(err, credential.ErrTampered) || errors.Is(err, credential.ErrMissingKey)
}
