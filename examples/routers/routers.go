// Package routers mounts the endpoint under net/http, chi, gin and echo, each
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

// NetHTTP returns a mux of net/http that serves create, which is a handler of
// jsonapi.NewHandler, and answers the errors of another endpoint by config.
func NetHTTP(create http.Handler, config jsonapi.Config) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/user/{version}/user/devices/totp", create)
	mux.HandleFunc("PUT /user/{version}/user/pin", func(w http.ResponseWriter, r *http.Request) {
		jsonapi.WriteError(w, r, changePIN(r), config)
	})
	return mux
}
