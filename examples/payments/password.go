package payments

import (
	"context"
	"errors"
	"slices"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/verifier"
)

// Users is what a change of password needs of a store: sqlstore.Store has it, and so
// has Store.
type Users interface {
	Load(ctx context.Context, id string) (credential.Account, error)
	RotateHash(ctx context.Context, id string, f credential.Factor, from, to string) error
}

// ErrPasswordChanged is returned if the old password was right when it was checked,
// and has been replaced since: by support, or in another browser.
var ErrPasswordChanged = errors.New("the password was changed meanwhile")

// ChangePassword replaces a password after a proof of the old one. Guesses at it
// count as all others do, because Prove checks it. The failures of the new one start
// at zero.
//
// Config.OnRehash may renew the hash of the old password right after the proof. Then
// the first RotateHash fails, and the old password is compared with the hash that is
// there now. If it does not fit, somebody else has replaced it, and that must stay.
func ChangePassword(ctx context.Context, issuer *devicetotp.Issuer, users Users, h *verifier.Hasher, id string, old, next credential.Secret) error {
	stored, err := users.Load(ctx, id) // before the proof, so that the proof is of this hash or of a later one
	if err != nil {
		return err
	}
	if _, err := issuer.Prove(ctx, devicetotp.ProveRequest{AccountID: id, Password: old}); err != nil {
		return err
	}
	hash, err := h.Hash(ctx, next)
	if err != nil {
		return err
	}
	for range 3 { // two are enough, unless processes with different hashers renew it in turn
		errWrite := users.RotateHash(ctx, id, credential.FactorPassword, stored.PasswordHash, hash)
		if errWrite == nil {
			return nil
		}
		stored, err = users.Load(ctx, id)
		switch {
		case err == nil && stored.PasswordHash == hash: // it was written, and only the response was lost
			return nil
		case !errors.Is(errWrite, credential.ErrConflict):
			return errWrite
		case err != nil:
			return err
		}
		same, _, err := h.Compare(ctx, stored.PasswordHash, old)
		if err != nil {
			return err
		}
		if !same {
			return ErrPasswordChanged
		}
	}
	return ErrPasswordChanged
}

// RevokeMadeOnPassword revokes the devices that were created on a password, those
// that were created on their codes, and those that are being rotated, perhaps on the
// password. What was created on codes of a device that is gone goes too, because that
// one may have been created on a password. Call it after ChangePassword if somebody else
// may know the old one: from then on no device is created on that. It returns which
// devices are gone.
func RevokeMadeOnPassword(ctx context.Context, issuer *devicetotp.Issuer, id string) ([]string, error) {
	view, err := issuer.Inspect(ctx, id)
	if err != nil {
		return nil, err
	}
	there := func(id string) bool {
		return slices.ContainsFunc(view.Devices, func(d devicetotp.DeviceOverview) bool { return d.ID == id })
	}
	var ids []string
	for _, d := range view.Devices {
		if d.Basis == credential.BasisPassword || d.RotationPending || d.MadeBy != "" && !there(d.MadeBy) {
			ids = append(ids, d.ID)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	revoked, err := issuer.Revoke(ctx, devicetotp.RevokeRequest{AccountID: id, DeviceIDs: ids, WithMadeBy: true})
	return append(revoked.DeviceIDs, revoked.MadeBy...), err
}
