package settings

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
)

// Removal is what a user sends to remove a device.
type Removal struct {
	AccountID, DeviceID string
	// Added is copied from the line that the user chose: a page that lay open
	// for long cannot remove a later device of the same id.
	Added time.Time
	// Lost takes the devices with it that were made on codes of the device, for
	// whoever found it may have made them.
	Lost bool
	// OTP, Password and PIN: one of them must be right. An OTP is the code of a
	// device, a code that the service sent, or a recovery code.
	OTP, Password, PIN credential.Secret
}

// Remove removes a device of a user who has proved to be the user, and returns
// which devices are gone.
//
// It looks first whether there is such a device: a proof may be a one-time
// code, which is spent by it, and is not asked for in vain.
func Remove(ctx context.Context, issuer *devicetotp.Issuer, r Removal) ([]string, error) {
	o, err := issuer.Inspect(ctx, r.AccountID)
	if err != nil {
		return nil, err
	}
	// An id that is not a UUID is none that the account has.
	named := func(d devicetotp.DeviceOverview) bool { return strings.EqualFold(d.ID, r.DeviceID) }
	if !slices.ContainsFunc(o.Devices, named) {
		return nil, errNoDevice
	}
	proof, err := issuer.Prove(ctx, devicetotp.ProveRequest{
		AccountID: r.AccountID, OTP: r.OTP, Password: r.Password, PIN: r.PIN,
	})
	if err != nil {
		return nil, err
	}
	if proof.RestsOnGrace {
		return nil, errWeakProof
	}
	revoked, err := issuer.Revoke(ctx, devicetotp.RevokeRequest{
		AccountID: r.AccountID, DeviceIDs: []string{r.DeviceID},
		CreatedUntil: r.Added, WithMadeBy: r.Lost,
	})
	if err != nil {
		return nil, err
	}
	if len(revoked.DeviceIDs) == 0 { // it went meanwhile, or is a later one: no error for Revoke
		return nil, errNoDevice
	}
	return append(revoked.DeviceIDs, revoked.MadeBy...), nil
}

var (
	// errNoDevice is what Rename says of an unknown id, so both are a 404.
	errNoDevice = &devicetotp.Error{
		Op: devicetotp.OpRevoke, Code: devicetotp.CodeNotFound, Field: "DeviceID",
	}
	// errWeakProof refuses the code of a device that was made without a proof:
	// whoever had the session in the first minutes may have made it.
	errWeakProof = &devicetotp.Error{
		Op: devicetotp.OpProve, Code: devicetotp.CodeInvalidCredentials, Field: "OTP",
	}
)

func (p *Page) remove(w http.ResponseWriter, r *http.Request, account string) {
	added, err := time.Parse(time.RFC3339Nano, r.PostFormValue("added"))
	if err != nil {
		http.Error(w, "added is not a time", http.StatusUnprocessableEntity)
		return
	}
	gone, err := Remove(r.Context(), p.Issuer, Removal{
		AccountID: account, DeviceID: r.PathValue("id"),
		Added: added, Lost: r.PostFormValue("lost") == "yes",
		OTP:      credential.TypedCode(credential.Optional(r.PostFormValue("otp"))), // a paste is no guess
		Password: credential.Optional(r.PostFormValue("password")),
		PIN:      credential.TypedCode(credential.Optional(r.PostFormValue("pin"))),
	})
	if err != nil {
		refuse(w, err)
		return
	}
	answer(w, map[string]any{"removed": gone})
}
