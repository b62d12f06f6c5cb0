package operations

import (
	"context"
	"slices"
	"time"

	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/verifier"
)

// Again removes again what a restored backup has brought back: devices that were
// revoked or made room for others, old secrets of devices that were replaced or
// rotated, with the device, and recovery codes. Call it for each logged Event since
// the backup, oldest first; restored is when the backup was put back, by the clock of
// the service. An Event of restored or later is no part of what was lost, so the
// issuer may log to the file that is read. Again reports whether the user must make
// new recovery codes: all of the old ones are gone then.
//
// A second run with the same restored changes nothing, and reports the same. With a
// later one it would replace the recovery codes that a user made in between.
func Again(ctx context.Context, issuer *devicetotp.Issuer, restored time.Time, e devicetotp.Event) (newCodes bool, err error) {
	if !e.At.Before(restored) {
		return false, nil
	}
	gone := slices.Concat(e.Revoked, e.Evicted, e.RotationsConfirmed)
	if e.Replaced {
		gone = append(gone, e.DeviceID)
	}
	if len(gone) > 0 {
		if err := revokeAgain(ctx, issuer, e.AccountID, gone, e.At); err != nil {
			return false, err
		}
	}
	newCodes = e.Op == devicetotp.OpReplaceRecoveryCodes && e.Code == ""
	for _, f := range e.Factors {
		newCodes = newCodes || f.Result == devicetotp.ResultValid && f.Kind == verifier.KindRecovery
	}
	if !newCodes {
		return false, nil
	}
	view, err := issuer.Inspect(ctx, e.AccountID)
	if err != nil || !view.Recovery.CreatedAt.Before(restored) { // they were replaced since
		return err == nil, err
	}
	_, err = issuer.ReplaceRecoveryCodes(ctx, devicetotp.RecoveryRequest{AccountID: e.AccountID})
	return true, err
}

// revokeAgain revokes those devices that are there. If none is, it writes nothing:
// a move that was interrupted goes on only if the account has not changed.
func revokeAgain(ctx context.Context, issuer *devicetotp.Issuer, accountID string, gone []string, until time.Time) error {
	view, err := issuer.Inspect(ctx, accountID)
	if err != nil {
		return err
	}
	there := slices.ContainsFunc(view.Devices, func(d devicetotp.DeviceOverview) bool { return slices.Contains(gone, d.ID) })
	if !there {
		return nil
	}
	_, err = issuer.Revoke(ctx, devicetotp.RevokeRequest{AccountID: accountID, DeviceIDs: gone, CreatedUntil: until})
	return err
}
