package devicetotp

import (
	"context"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp/internal/deviceid"
	totperrors "example.com/devicetotp/errors"
)

// RenameRequest gives a device another name.
type RenameRequest struct {
	// AccountID is the account that the host established.
	AccountID string
	// DeviceID names the device: a UUID of any case.
	DeviceID string
	// Name is what the user calls it, by the rules of CreateRequest.Name; ""
	// removes the name.
	Name string
}

// Rename gives a device another name, which [Issuer.Inspect] returns. Repeating
// it is a new act: it sets the name again, also if another was set meanwhile.
//
// Errors: invalid-id (DeviceID is not a UUID), invalid-argument (Name, which the
// error does not quote; or AccountID, wrapping credential.ErrNotFound, if there is
// no such account), not-found (the account has no device of that id),
// account-locked, unavailable, internal-error.
func (i *Issuer) Rename(ctx context.Context, r RenameRequest) error {
	o := &rename{request: r}
	o.start(ctx, i, OpRename, r.AccountID)
	_, err := perform(o)
	return err
}

// rename is one Rename.
type rename struct {
	call
	request RenameRequest
}

func (o *rename) check() error {
	id, ok := deviceid.Parse(o.request.DeviceID)
	if !ok {
		return o.Fail(CodeInvalidID, totperrors.FieldDeviceID, 0)
	}
	o.deviceID = id
	if err := checkName(o.request.Name); err != nil {
		return o.Argument(totperrors.FieldName, err)
	}
	return nil
}

func (o *rename) decide(a *credential.Account) (answer[struct{}], bool) {
	if err := o.managed(a); err != nil {
		return answer[struct{}]{err: err}, false
	}
	i := a.State.DeviceIndex(o.deviceID)
	if i < 0 {
		return answer[struct{}]{err: o.Fail(CodeNotFound, totperrors.FieldDeviceID, 0)}, false
	}
	a.State.Devices[i].Name = o.request.Name
	return answer[struct{}]{}, true
}
