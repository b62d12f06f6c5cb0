package devicetotp_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/devicetotp"
	totperrors "example.com/devicetotp/errors"
	"example.com/devicetotp/verifier"
)

// A host's own verifier may say valid again and again, and what it compared: its proof
// makes one device, and so does each time step.
func TestAProofThatAHostsVerifierRepeatsIsSpent(t *testing.T) {
	for name, valid := range map[string]verifier.Verdict{
		"a proof": {ProofID: "host:1"},
		"a proof of a kind": {ProofID: "host:1", Compared: []verifier.Compared{
			{CodeID: "1", Kind: "host", Right: true},
		}},
		"a step": {ProofID: "host:1", DeviceID: ownID, Step: 7},
		"a step that was compared": {ProofID: "host:1", DeviceID: ownID, Step: 7, Compared: []verifier.Compared{
			{DeviceID: ownID, Right: true, Match: verifier.DeviceMatch{DeviceID: ownID, Step: 7}},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, func(c *devicetotp.Config) {
				c.OTP = verifier.Func(func(_ context.Context, q verifier.Query) (verifier.Verdict, error) {
					valid.Status, valid.Until = verifier.StatusValid, q.Now.Add(time.Hour)
					return valid, nil
				})
			})
			require.NoError(t, h.create(t, secret("letmein")))
			for range 3 {
				requireCode(t, totperrors.CodeInvalidCredentials, h.create(t, secret("letmein")))
				requireCode(t, totperrors.CodeInvalidCredentials, h.proveBy(t, secret("letmein")))
				require.NoError(t, h.Issuer.Unblock(t.Context(), devicetotp.UnblockRequest{AccountID: "acct"}))
			}
		})
	}
}
