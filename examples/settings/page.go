// Package settings is what a service builds around the library for its users
// and its operators, each in a file of its own:
//
//   - page.go lists a user's devices and renames them,
//   - remove.go revokes one, once the user has proved to be the user,
//   - importer.go brings in the devices of another service, a line each,
//   - rollout.go replaces the key that seals the database.
//
// It has no server and no database of its own: the tests run it over HTTP
// against accounts in memory, with a clock that stands still.
package settings

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"time"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
)

// Page serves the devices of whoever is signed in.
type Page struct {
	Issuer *devicetotp.Issuer
	// Account is the service's own authentication: "" for nobody.
	Account func(*http.Request) string
}

// Handler serves the page's data and its two forms. The form name has the field name;
// the form remove has added, as the page's data has it, one of otp, password and pin,
// and lost=yes if the device was lost. Forms that another site sends are
// refused: where the session is a cookie, a browser sends that along. Requests with
// neither Sec-Fetch-Site nor Origin are accepted, because no browser of today sends such
// a form. Behind a proxy that changes Host, a form of the page itself is refused in a
// browser that sends Origin alone.
func (p *Page) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /settings/devices", p.signedIn(p.list))
	mux.HandleFunc("POST /settings/devices/{id}/name", p.signedIn(p.rename))
	mux.HandleFunc("POST /settings/devices/{id}/remove", p.signedIn(p.remove))
	return http.NewCrossOriginProtection().Handler(mux)
}

// Device is one line of the page.
type Device struct {
	// ID is missing for the minutes in which a Create that presents nothing but the
	// id is given the device again, with its secret.
	ID   string `json:"id,omitempty"`
	Name string `json:"name,omitempty"`
	// Added is when it was made here, or brought in from another service.
	Added time.Time `json:"added"`
	// Used is "never", "unknown" for what was brought in and has not been used
	// here, or "at", and then LastUsed says when.
	Used     string    `json:"used"`
	LastUsed time.Time `json:"last_used,omitzero"`
	// Blocked devices show the right code in vain, until BlockedUntil, or if that
	// is missing until the service unblocks the account.
	Blocked      bool      `json:"blocked,omitempty"`
	BlockedUntil time.Time `json:"blocked_until,omitzero"`
}

func (p *Page) list(w http.ResponseWriter, r *http.Request, account string) {
	o, err := p.Issuer.Inspect(r.Context(), account)
	if err != nil {
		refuse(w, err)
		return
	}
	devices := make([]Device, 0, len(o.Devices))
	for _, d := range o.Devices {
		devices = append(devices, line(d))
	}
	answer(w, map[string]any{"devices": devices, "room": o.Room})
}

func line(d devicetotp.DeviceOverview) Device {
	l := Device{
		ID: d.ID, Name: d.Name, Added: d.CreatedAt,
		Used: "at", LastUsed: d.LastUsedAt,
		Blocked: d.Blocked, BlockedUntil: d.BlockedUntil,
	}
	if d.OpenToRetry {
		l.ID = ""
	}
	if !d.Blocked { // or is it for codes that come without the id of their device?
		l.Blocked, l.BlockedUntil = d.Skipped, d.SkippedUntil
	}
	switch {
	case d.LastUsedAt.IsZero() && d.Basis == credential.BasisImported:
		l.Used = "unknown"
	case d.LastUsedAt.IsZero():
		l.Used = "never"
	}
	return l
}

func (p *Page) rename(w http.ResponseWriter, r *http.Request, account string) {
	err := p.Issuer.Rename(r.Context(), devicetotp.RenameRequest{
		AccountID: account, DeviceID: r.PathValue("id"), Name: r.PostFormValue("name"),
	})
	if err != nil {
		refuse(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// signedIn hands on requests of users only, with forms of a size for a form.
func (p *Page) signedIn(next func(http.ResponseWriter, *http.Request, string)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		account := p.Account(r)
		if account == "" {
			http.Error(w, "unauthorized", http.StatusUnauthorized)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, 8<<10)
		next(w, r, account)
	}
}

// refuse answers with the code of err and never with its text, which is for the
// service's own log.
func refuse(w http.ResponseWriter, err error) {
	var e *devicetotp.Error
	if errors.As(err, &e) && e.RetryAfter > 0 {
		w.Header().Set("Retry-After", fmt.Sprint(math.Ceil(e.RetryAfter.Seconds())))
	}
	status := http.StatusInternalServerError
	switch {
	case devicetotp.CodeOf(err) == devicetotp.CodeNotFound:
		status = http.StatusNotFound
	case errors.Is(err, devicetotp.ErrDenied):
		status = http.StatusForbidden
	case errors.Is(err, devicetotp.ErrInvalid):
		status = http.StatusUnprocessableEntity
	}
	http.Error(w, string(devicetotp.CodeOf(err)), status)
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(v) // the client is gone
}
