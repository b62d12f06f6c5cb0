package payments

import (
	"cmp"
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"math"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/jsonapi"
	"example.com/devicetotp/verifier"
)

// A refusal is an error of this service, as its clients get it.
type refusal struct {
	Status     int    `json:"-"`
	Code       string `json:"code"`
	Message    string `json:"message"`
	Field      string `json:"field,omitempty"`
	RetryAfter int    `json:"retry_after,omitempty"` // in seconds
}

func (e *refusal) Error() string { return e.Code }

var (
	errBody        = &refusal{Status: http.StatusUnprocessableEntity, Code: "invalid-body", Message: "The body is not the JSON that is asked for."}
	errNoAccount   = &refusal{Status: http.StatusNotFound, Code: "not-found", Message: "There is no such account."}
	errNoPayment   = &refusal{Status: http.StatusNotFound, Code: "not-found", Message: "There is no such payment."}
	errApproved    = &refusal{Status: http.StatusConflict, Code: "already-approved", Message: "The payment was approved before."}
	errAmount      = &refusal{Status: http.StatusConflict, Code: "amount-changed", Message: "The payment has another amount. Look at it again."}
	errUnproved    = &refusal{Status: http.StatusForbidden, Code: "unproved-device", Message: "This device was added without a proof. Add it again with your password."}
	errNewPassword = &refusal{Status: http.StatusUnprocessableEntity, Code: "invalid-password", Message: "The new password is empty or too long."}
	errChanged     = &refusal{Status: http.StatusConflict, Code: "password-changed", Message: "The password was changed meanwhile."}
)

// refuse answers an error, and logs what is no fault of the client.
func (s *Service) refuse(w http.ResponseWriter, r *http.Request, err error) {
	e := refusalOf(err)
	switch {
	case e.Status >= http.StatusInternalServerError:
		s.Log.ErrorContext(r.Context(), "request failed", "path", r.URL.Path, "err", err)
	case e.Status == http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", `Bearer realm="payments"`)
	}
	if e.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(e.RetryAfter))
	}
	answer(w, e.Status, map[string]refusal{"error": e})
}

// refusalOf turns an error of this service, of the library or of the Authenticator
// into what the client gets: never its text, which is for the log.
func refusalOf(err error) refusal {
	var own *refusal
	switch {
	case errors.As(err, &own):
		return *own
	case errors.Is(err, ErrPasswordChanged):
		return *errChanged
	case errors.Is(err, credential.ErrNotFound): // the user was deleted meanwhile
		return *errNoAccount
	case isUnavailable(err):
		err = &devicetotp.Error{Code: devicetotp.CodeUnavailable}
	}
	p := jsonapi.ProblemOf(err) // knows the errors of Authenticate too, as devicetotp.CodeOf does not
	e := refusal{
		Status: statusOf(p.Code), Code: string(p.Code), Message: cmp.Or(messages[p.Code], "This cannot be done."),
		RetryAfter: int(math.Ceil(p.RetryAfter.Seconds())),
	}
	var at *devicetotp.Error
	if errors.As(err, &at) {
		e.Field = at.Field
	}
	return e
}

// isUnavailable reports whether an error that is none of the library may go away: the
// machine or the database has too much to do, or the database is not there.
func isUnavailable(err error) bool {
	var own *devicetotp.Error
	if errors.As(err, &own) {
		return false
	}
	for _, passing := range []error{verifier.ErrBusy, context.DeadlineExceeded, context.Canceled, driver.ErrBadConn, io.ErrUnexpectedEOF} {
		if errors.Is(err, passing) {
			return true
		}
	}
	var network net.Error
	var postgres interface{ SQLState() string }
	switch {
	case errors.As(err, &network):
		return true
	case errors.As(err, &postgres):
		return slices.ContainsFunc(passingClasses, func(class string) bool { return strings.HasPrefix(postgres.SQLState(), class) })
	}
	return false
}

// passingClasses begin the SQLSTATEs of a broken connection, of a statement that was
// undone because of another one, of too few resources, and of a server that is
// shutting down or starting.
var passingClasses = []string{"08", "40", "53", "57"}

var messages = map[devicetotp.Code]string{
	jsonapi.CodeUnauthorized:           "Sign in.",
	devicetotp.CodeInvalidCredentials:  "This is wrong, or was used before.",
	devicetotp.CodeCredentialsRequired: "A code or the password is missing.",
	devicetotp.CodeTooManyAttempts:     "There were too many attempts.",
	devicetotp.CodeAccountLocked:       "The account is locked.",
	devicetotp.CodeInvalidID:           "The id of the device is no UUID.",
	devicetotp.CodeNotFound:            "There is no such device.",
	devicetotp.CodeUnavailable:         "Try again, with the next code if you gave one: that one may be spent.",
	devicetotp.CodeInternal:            "Something went wrong here.",
}

// statusOf has this service's statuses. Those of the published endpoint differ.
func statusOf(code devicetotp.Code) int {
	switch code {
	case jsonapi.CodeUnauthorized:
		return http.StatusUnauthorized
	case devicetotp.CodeTooManyAttempts:
		return http.StatusTooManyRequests
	case devicetotp.CodeNotFound:
		return http.StatusNotFound
	case devicetotp.CodeInvalidID, devicetotp.CodeIDInUse, devicetotp.CodeInvalidArgument:
		return http.StatusUnprocessableEntity
	case devicetotp.CodeUnavailable:
		return http.StatusServiceUnavailable
	case devicetotp.CodeInternal:
		return http.StatusInternalServerError
	default:
		return http.StatusForbidden
	}
}
