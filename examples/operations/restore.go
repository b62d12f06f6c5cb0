package operations

import (
	"context"
	"slices"

	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/verifier"
)

// Again removes again what a restored backup has brought back: devices that were
// revoked, old secrets of devices that were rotated, with the device, and recovery
// codes. Call it for each logged Event since the backup, oldest first. It reports
// whether the user must be shown new recovery codes: all of the old ones are gone
// then.
func Again(ctx context.Context, issuer *devicetotp.Issuer, e devicetotp.Event) (newCodes bool, err error) {
	if gone := slices.Concat(e.Revoked, e.RotationsConfirmed); len(gone) > 0 {
		r := devicetotp.RevokeRequest{AccountID: e.AccountID, DeviceIDs: gone, CreatedUntil: e.At}
		if _, err = issuer.Revoke(ctx, r); err != nil {
			return false, err
		}
	}
	newCodes = e.Op == devicetotp.OpReplaceRecoveryCodes && e.Code == ""
	for _, f := range e.Factors {
		newCodes = newCodes || f.Result == devicetotp.ResultValid && f.Kind == verifier.KindRecovery
	}
	if newCodes {
		_, err = issuer.ReplaceRecoveryCodes(ctx, devicetotp.RecoveryRequest{AccountID: e.AccountID})
	}
	return newCodes, err
}
