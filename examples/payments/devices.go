package payments

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/examples/settings"
	"example.com/devicetotp/verifier"
)

// device is a line of the page of devices.
type device struct {
	ID      string    `json:"id,omitempty"` // missing while the id is as good as the secret
	Name    string    `json:"name"`
	Added   time.Time `json:"added"`
	Blocked bool      `json:"blocked"`
	// Approves is false for a device that rests on grace. Its user is asked to add
	// another one with the password, or to rotate this one.
	Approves bool `json:"approves"`
}

func (s *Service) devices(r *http.Request, accountID string) (any, error) {
	view, err := s.Issuer.Inspect(r.Context(), accountID)
	if err != nil {
		return nil, err
	}
	lines := make([]device, 0, len(view.Devices))
	for _, d := range view.Devices {
		line := device{d.ID, d.Name, d.CreatedAt, d.Blocked, !d.RestsOnGrace}
		if d.OpenToRetry {
			line.ID = ""
		}
		lines = append(lines, line)
	}
	return map[string][]device{"devices": lines}, nil
}

// remove removes a device after a proof, as package settings does it.
func (s *Service) remove(r *http.Request, accountID string) (any, error) {
	var body struct {
		Added    time.Time `json:"added"` // of the line that the user chose
		Lost     bool      `json:"lost"`
		OTP      *string   `json:"otp"`
		Password *string   `json:"password"`
	}
	if err := read(r, &body); err != nil {
		return nil, err
	}
	if body.Added.IsZero() { // whichever device has the id now would go
		return nil, errBody
	}
	gone, err := settings.Remove(r.Context(), s.Issuer, settings.Removal{
		AccountID: accountID, DeviceID: chi.URLParam(r, "id"), Added: body.Added, Lost: body.Lost,
		OTP: credential.TypedCode(credential.FromPtr(body.OTP)), Password: credential.FromPtr(body.Password),
	})
	return map[string][]string{"removed": gone}, err
}

// passwordTimeout is how long a change of a password may take.
const passwordTimeout = time.Minute

// password changes the password, and ends what the old one may have opened. What a new
// password must be, beyond its size, is the service's to check before.
func (s *Service) password(r *http.Request, accountID string) (any, error) {
	var body struct {
		Old    *string `json:"old"`
		New    string  `json:"new"`
		Leaked bool    `json:"leaked"` // somebody else may know the old one
	}
	if err := read(r, &body); err != nil {
		return nil, err
	}
	// A client that is gone must not stop this between the password and the rest.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), passwordTimeout)
	defer cancel()
	r = r.WithContext(ctx)
	err := ChangePassword(ctx, s.Issuer, s.store, s.hasher, accountID, credential.FromPtr(body.Old), credential.NewSecret(body.New))
	if errors.Is(err, verifier.ErrSize) {
		return nil, errors.Join(errNewPassword, err)
	}
	if err != nil {
		return nil, err
	}
	var gone []string
	ended := s.EndSessions(r, accountID) // first, and then the rest: the old password does not get here again
	if body.Leaked {
		gone, err = RevokeMadeOnPassword(ctx, s.Issuer, accountID)
	}
	return map[string][]string{"removed": gone}, errors.Join(err, ended)
}
