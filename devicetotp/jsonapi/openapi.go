package jsonapi

import (
	_ "embed"
	"net/http"
	"slices"
)

//go:embed openapi.json
var openAPI []byte

// OpenAPI returns the OpenAPI 3.1 document of the endpoints, as JSON: every
// status with its headers and codes. Its paths are /user/devices/totp and
// /user/devices/totp/{id}, below a server that you may replace by your own; take out
// what you do not mount. All errors have one schema, with one list of codes, so that
// generated clients have a type for them; x-codes lists those of a response. The
// caller owns the bytes.
func OpenAPI() []byte { return slices.Clone(openAPI) }

// OpenAPIHandler returns a handler that serves [OpenAPI] to GET and HEAD.
func OpenAPIHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		w.Header().Set("Content-Type", "application/vnd.oai.openapi+json;version=3.1")
		_, _ = w.Write(openAPI)
	})
}
