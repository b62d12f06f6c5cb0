package main

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"time"

	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/jsonapi"
)

// endpoint is the documented path; clients call it below /user/{version}.
const endpoint = "/user/devices/totp"

func routes(issuer *devicetotp.Issuer, accounts []fileAccount, o options, logger *slog.Logger) (http.Handler, error) {
	auth := jsonapi.Bearer(tokensOf(accounts).verify)
	opts := jsonapi.Config{Realm: "devicetotp example", Logger: slog.New(unlessLogged{logger.Handler()})}
	devices, device, err := jsonapi.NewHandlers(issuer, auth, opts)
	if err != nil {
		return nil, err
	}
	verify := &verifyHandler{issuer: issuer, auth: auth, opts: opts}

	mux := http.NewServeMux()
	for _, prefix := range []string{"", "/user/{version}"} {
		// Both for every method: they answer 405 themselves.
		mux.Handle(prefix+endpoint, devices)
		mux.Handle(prefix+endpoint+"/{id}", device)
		mux.Handle("POST "+prefix+endpoint+"/verify", verify)
	}
	mux.Handle("/openapi.json", jsonapi.OpenAPIHandler())
	mux.HandleFunc("GET /readyz", readiness(issuer, accounts))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok\n") })
	if o.demo {
		page := &demo{issuer: issuer, auth: auth, opts: opts}
		if err := page.routes(mux, o.accounts == ""); err != nil {
			return nil, err
		}
	}
	return noteFailures(mux), nil
}

// readyTimeout is how long the database may take to answer.
const readyTimeout = 2 * time.Second

// readiness answers 200 if the database answers and the keys of this process open what
// the first account has there.
func readiness(issuer *devicetotp.Issuer, accounts []fileAccount) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
		defer cancel()
		if len(accounts) > 0 {
			view, err := issuer.Inspect(ctx, accounts[0].id)
			if err != nil || len(view.Unreadable) > 0 {
				http.Error(w, "not ready", http.StatusServiceUnavailable)
				return
			}
		}
		_, _ = io.WriteString(w, "ok\n")
	}
}
