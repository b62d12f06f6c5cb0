package main

import (
	"embed"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/jsonapi"
	totperrors "example.com/devicetotp/errors"
)

// demoFiles are the demo page, whole: it loads nothing from anywhere else.
//
//go:embed demo
var demoFiles embed.FS

// demoPolicy lets the page load its own script and style, show images that came
// as data, and call this server; nothing else, and nobody may frame it. A form
// that is sent without the script would put what was typed into the address, so
// forms may not be sent at all.
const demoPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"

const (
	qrPixels     = 232 // 4 a module, and white around it, for labels as short as these
	demoLabel    = "devicetotp example"
	maxDemoInput = 4 << 10
)

// demoRoutes serves the page at /demo, and what only the page needs.
func demoRoutes(mux *http.ServeMux, issuer *devicetotp.Issuer, auth jsonapi.Authenticator, opts jsonapi.Config) {
	mux.Handle("GET /demo", demoFile("demo/page.html"))
	mux.Handle("GET /demo/page.css", demoFile("demo/page.css"))
	mux.Handle("GET /demo/page.js", demoFile("demo/page.js"))
	mux.Handle("POST /demo/devices", &enrolHandler{issuer: issuer, auth: auth, opts: opts})
}

func demoFile(name string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", demoPolicy)
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "no-store")
		http.ServeFileFS(w, r, demoFiles, name)
	})
}

// enrolHandler creates a device and draws its QR code, as the enrolment page of
// a service would. The secret is in the body of the answer and nowhere else.
type enrolHandler struct {
	issuer *devicetotp.Issuer
	auth   jsonapi.Authenticator
	opts   jsonapi.Config
}

// enrolRequest has what the user typed; what is not in it was not presented.
type enrolRequest struct {
	OTP      *string `json:"otp"`
	Password *string `json:"password"`
	PIN      *string `json:"pin"`
}

// enrolAnswer has what an authenticator app needs, for its camera and for
// typing.
type enrolAnswer struct {
	DeviceID string `json:"deviceId"`
	Basis    string `json:"basis"`
	Secret   string `json:"secret"`
	QR       string `json:"qr"` // a PNG, as a data: address
}

func (h *enrolHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r = jsonapi.WithRequestID(r)
	answer, err := h.enrol(w, r)
	if err != nil {
		jsonapi.WriteError(w, r, err, h.opts)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusCreated)
	_ = json.NewEncoder(w).Encode(answer) //nolint:gosec // G117: the secret is what the device asked for
}

func (h *enrolHandler) enrol(w http.ResponseWriter, r *http.Request) (enrolAnswer, error) {
	principal, err := h.auth.Authenticate(r)
	if err != nil {
		return enrolAnswer{}, err
	}
	if !slices.Contains(principal.Scopes, jsonapi.ScopeCreate) {
		return enrolAnswer{}, jsonapi.ErrInsufficientScope
	}
	var body enrolRequest
	if err := readJSON(http.MaxBytesReader(w, r.Body, maxDemoInput), &body); err != nil {
		return enrolAnswer{}, &totperrors.Error{Op: "create", Code: totperrors.CodeInvalidArgument, Err: err}
	}
	device, err := h.issuer.Create(r.Context(), devicetotp.CreateRequest{
		AccountID: principal.AccountID,
		NoGrace:   !slices.Contains(principal.Scopes, jsonapi.ScopeCreateAfterLogin),
		OTP:       credential.FromPtr(body.OTP),
		Password:  credential.FromPtr(body.Password),
		PIN:       credential.FromPtr(body.PIN),
	})
	if err != nil {
		return enrolAnswer{}, err
	}
	qr, err := qrCode(device, strings.ReplaceAll(principal.AccountID, ":", "_")) // it separates labels
	return enrolAnswer{DeviceID: device.ID, Basis: device.Basis.String(), Secret: device.Base32(), QR: qr}, err
}

// qrCode draws the otpauth:// address of the device, for an app's camera.
func qrCode(d devicetotp.DeviceTOTP, account string) (string, error) {
	picture, err := d.QRCode(demoLabel, account, qrPixels)
	if err != nil {
		return "", err
	}
	return "data:image/png;base64," + base64.StdEncoding.EncodeToString(picture), nil
}
