package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/jsonapi"
	totperrors "example.com/devicetotp/errors"
)

const maxVerifyBody = 4 << 10

// verifyHandler is a demonstration of Issuer.Verify. The published API has no
// such operation: a service verifies codes where it needs them, for instance
// before a payment. It shows how other endpoints use the error documents.
type verifyHandler struct {
	issuer *devicetotp.Issuer
	auth   jsonapi.Authenticator
	opts   jsonapi.Config
}

// verifyRequest is {"code":"123456"}, and the device if it is to be named.
type verifyRequest struct {
	Code     *string `json:"code"`
	DeviceID string  `json:"deviceId"`
}

// verifyAnswer is a Match.
type verifyAnswer struct {
	DeviceID   string    `json:"deviceId"`
	Step       int64     `json:"step"`
	Drift      int       `json:"drift"`
	ValidUntil time.Time `json:"validUntil"`

	RestsOnGrace bool `json:"restsOnGrace"` // no payment is approved on such a code
}

func (h *verifyHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r = jsonapi.WithRequestID(r)
	match, err := h.verify(w, r)
	if err != nil {
		jsonapi.WriteError(w, r, err, h.opts)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(verifyAnswer(match)) // an error means that the client is gone
}

func (h *verifyHandler) verify(w http.ResponseWriter, r *http.Request) (devicetotp.Match, error) {
	principal, err := jsonapi.Authenticate(r, h.auth, "", h.opts)
	if err != nil {
		return devicetotp.Match{}, err
	}
	var body verifyRequest
	if err := readJSON(http.MaxBytesReader(w, r.Body, maxVerifyBody), &body); err != nil {
		return devicetotp.Match{}, &totperrors.Error{
			Op: "verify", Code: totperrors.CodeInvalidArgument, Field: totperrors.FieldCode, Err: err,
		}
	}
	return h.issuer.Verify(r.Context(), devicetotp.VerifyRequest{
		AccountID: principal.AccountID,
		DeviceID:  body.DeviceID,
		Code:      credential.TypedCode(credential.FromPtr(body.Code)), // a paste is no guess
	})
}

// readJSON reads one JSON value and nothing after it.
func readJSON(body io.Reader, into any) error {
	decoder := json.NewDecoder(body)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return fmt.Errorf("body: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("body: more than one value")
	}
	return nil
}
