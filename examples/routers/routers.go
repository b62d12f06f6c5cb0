// Package routers mounts the endpoints under net/http, chi, gin and echo, each
// through its own standard adapter, beside another endpoint of the service. Each
// router has a file and an example that runs.
package routers

import (
	"errors"
	"net/http"

	"example.com/devicetotp/devicetotp/jsonapi"
	totperrors "example.com/devicetotp/errors"
)

// changePIN stands for an endpoint of the service's own. It always fails, to
// show that its errors can be answered as those of the library are.
func changePIN(*http.Request) error {
	return &totperrors.Error{Op: "change-pin", Code: totperrors.CodeAccountLocked, Err: errors.New("not for callers")}
}

// NetHTTP returns a mux of net/http that serves devices and device, which are the
// handlers of jsonapi.NewHandlers, and answers the errors of another endpoint by
// config.
func NetHTTP(devices, device http.Handler, config jsonapi.Config) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/user/{version}/user/devices/totp", devices)
	mux.Handle("/user/{version}/user/devices/totp/{id}", device)
	mux.HandleFunc("PUT /user/{version}/user/pin", func(w http.ResponseWriter, r *http.Request) {
		jsonapi.WriteError(w, r, changePIN(r), config)
	})
	return mux
}
