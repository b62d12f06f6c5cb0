package payments

import (
	"cmp"
	"database/sql"
	"errors"
	"net/http"

	"github.com/go-chi/chi/v5"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
)

type approval struct {
	ID       string `json:"id"`
	DeviceID string `json:"device_id"`
}

// approve accepts a code of a device for one payment.
//
// The app sends the amount that it has shown: if that has changed, the user has not
// approved what is stored now. Where a payment has a payee or a currency too, send and
// compare those as well, in both statements.
//
// The payment is read first, so that no code is spent on one that cannot be
// approved. The app sends the id of its device, so that wrong codes slow down that
// device alone. A device that rests on grace approves nothing: whoever had the
// session in the first five minutes may have made it. And the payment is written
// with a condition, because a second request may have approved it meanwhile.
func (s *Service) approve(r *http.Request, accountID string) (any, error) {
	var body struct {
		Code     *string `json:"code"`
		DeviceID string  `json:"device_id"`
		Cents    int64   `json:"cents"`
	}
	if err := read(r, &body); err != nil {
		return nil, err
	}
	id := chi.URLParam(r, "id")
	if err := s.isOpen(r, id, accountID, body.Cents); err != nil {
		return nil, err
	}
	match, err := s.Issuer.Verify(r.Context(), devicetotp.VerifyRequest{
		AccountID: accountID, DeviceID: body.DeviceID, Code: credential.TypedCode(credential.FromPtr(body.Code)),
	})
	if err != nil {
		return nil, err
	}
	if match.RestsOnGrace {
		return nil, errUnproved
	}
	result, err := s.DB.ExecContext(r.Context(),
		`UPDATE payments SET approved_by = $3 WHERE id = $1 AND user_id = $2 AND cents = $4 AND approved_by IS NULL`,
		id, accountID, match.DeviceID, body.Cents)
	if err != nil {
		return nil, err
	}
	rows, err := result.RowsAffected()
	if err == nil && rows == 0 {
		err = cmp.Or(s.isOpen(r, id, accountID, body.Cents), error(errApproved))
	}
	return approval{id, match.DeviceID}, err
}

// isOpen returns an error unless the user has this payment of this amount and it is not
// approved.
func (s *Service) isOpen(r *http.Request, id, accountID string, cents int64) error {
	if !isID(id) { // PostgreSQL does not take every spelling that package uuid does
		return errNoPayment
	}
	var approved bool
	var stored int64
	err := s.DB.QueryRowContext(r.Context(),
		`SELECT approved_by IS NOT NULL, cents FROM payments WHERE id = $1 AND user_id = $2`, id, accountID).Scan(&approved, &stored)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return errNoPayment
	case err == nil && approved:
		return errApproved
	case err == nil && stored != cents:
		return errAmount
	}
	return err
}
