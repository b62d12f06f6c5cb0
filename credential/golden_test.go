package credential_test

import (
	"errors"

	"example.com/devicetotp/credential"
)

// Made by the first release, with the key of id "k".
const (
	goldenSealed = "01016bc66d2e67e5e5bfb5bfbbcbf07c591e36d9eb8dac34f72f359b85cab4c495da82022f3266c5ee184b3610e3cdbf7380532917f74a2b8dcb59ddc74cc42a4237cdd20fe4bb"
	goldenDigest = "02016bc66d2e67e5e5bfb5ce3b01d9bc2ed78bcffac9c6b25864589ef6fe069f0e29b24f343c94a520e667"
	goldenProof  = "02016bc66d2e67e5e5bfb50f6edf561a09716050f61e7bdf644bde15caecc5dd4f30d1ce6468c85d239234"
	goldenPIN    = "$sealed$rTH4rzIrcozx+a0+Do5g4AEBa8ZtLmfl5b+10FKiAcAMUSVkrogjjJKy6G5ZWx2C15Nmp/oRuCHK179iZJTDKvzW79rV/ovdx+MheA1zKAn0CsiGEzhnDZzFR9Pdjau8PnD0h7D0m6kHN5bdPGp3PVG/H5MGWlZmAZFekMPssA"
)

func isRefusal(err error) bool {
	return errors.Is(err, credential.ErrTampered) || errors.Is(err, credential.ErrMissingKey)
}
