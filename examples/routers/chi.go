package routers

import (
	"net/http"

	"github.com/go-chi/chi/v5"

	"example.com/devicetotp/devicetotp/jsonapi"
)

// Chi returns a router of chi that serves what [NetHTTP] does. Handle takes
// every method, so that the endpoints themselves answer those they do not have.
func Chi(devices, device http.Handler, config jsonapi.Config) http.Handler {
	router := chi.NewRouter()
	router.Route("/user/{version}", func(router chi.Router) {
		router.Handle("/user/devices/totp", devices)
		router.Handle("/user/devices/totp/{id}", device)
		router.Put("/user/pin", func(w http.ResponseWriter, r *http.Request) {
			jsonapi.WriteError(w, r, changePIN(r), config)
		})
	})
	return router
}
