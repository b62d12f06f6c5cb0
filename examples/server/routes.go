package main

import (
	"io"
	"log/slog"
	"net/http"

	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/jsonapi"
)

// endpoint is the documented path; clients call it below /user/{version}.
const endpoint = "/user/devices/totp"

func routes(issuer *devicetotp.Issuer, tokens tokens, o options, logger *slog.Logger) (http.Handler, error) {
	auth := jsonapi.Bearer(tokens.verify)
	opts := jsonapi.Config{Realm: "devicetotp example", Logger: logger}
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
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok\n") })
	if o.demo {
		page := &demo{issuer: issuer, auth: auth, opts: opts}
		if err := page.routes(mux, o.accounts == ""); err != nil {
			return nil, err
		}
	}
	return mux, nil
}
