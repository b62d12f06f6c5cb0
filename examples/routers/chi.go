package routers

import (
	"net/http"

	"github.com/go-chi/chi/v5"

	"example.com/devicetotp/devicetotp/jsonapi"
)

// Chi returns a router of chi that serves what [NetHTTP] does. Handle takes
// every method, so that the endpoint itself answers those it does not have.
func Chi(create http.Handler, config jsonapi.Config) http.Handler {
	router := chi.NewRouter()
	router.Route("/user/{version}", func(router chi.Router) {
		router.Handle("/user/devices/totp", create)
		router.Put("/user/pin", func(w http.ResponseWriter, r *http.Request) {
			jsonapi.WriteError(w, r, changePIN(r), config)
		})
	})
	return router
}
