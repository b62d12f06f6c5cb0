package routers

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/devicetotp/jsonapi"
	"example.com/devicetotp/examples/internal/contract"
	"example.com/devicetotp/examples/internal/service"
)

const (
	path  = "/user/2025-1/user/devices/totp"
	id    = "738e379f-fe30-45ab-819c-ba88804b6368"
	other = "/user/2025-1/user/pin" // an endpoint of the service's own
)

// Under each router the endpoints are as documented, and an error of the service's
// own is answered as one of the library.
func TestRouters(t *testing.T) {
	for name, mount := range map[string]func(devices, device http.Handler, config jsonapi.Config) http.Handler{
		"net/http": NetHTTP, "chi": Chi, "gin": Gin, "echo": Echo,
	} {
		t.Run(name, func(t *testing.T) {
			w, _ := service.New(t)
			devices, device, err := jsonapi.NewHandlers(w.Issuer, service.Owner(), service.Options)
			require.NoError(t, err)
			call := caller(t, service.Start(t, mount(devices, device, service.Options)))

			got, body := call(http.MethodPost, path, `{"data":{"type":"deviceTOTP","id":"`+id+`","attributes":{"pin":"8299"}}}`)
			require.Equal(t, http.StatusCreated, got.StatusCode, body)
			require.Equal(t, jsonapi.MediaType, got.Header.Get("Content-Type"))

			got, body = call(http.MethodPost, path, `{"data":{"type":"deviceTOTP","attributes":{"pin":"0000"}}}`)
			require.Equal(t, http.StatusForbidden, got.StatusCode)
			require.Contains(t, body, `"invalid-credentials"`)

			for at, allow := range map[string]string{path: "GET, HEAD, POST", path + "/" + id: "DELETE, GET, HEAD, PATCH"} {
				got, body = call(http.MethodPut, at, "")
				require.Equal(t, http.StatusMethodNotAllowed, got.StatusCode)
				require.Equal(t, allow, got.Header.Get("Allow"))
				require.Contains(t, body, `"method-not-allowed"`)
			}

			got, body = call(http.MethodGet, path, "")
			require.Equal(t, http.StatusOK, got.StatusCode)
			require.Contains(t, body, id)
			got, body = call(http.MethodPatch, path+"/"+id, `{"data":{"type":"deviceTOTP","id":"`+id+`","attributes":{"name":"phone"}}}`)
			require.Equal(t, http.StatusOK, got.StatusCode, body)
			got, _ = call(http.MethodHead, path+"/"+id, "")
			require.Equal(t, http.StatusOK, got.StatusCode)
			got, _ = call(http.MethodDelete, path+"/"+id, "")
			require.Equal(t, http.StatusNoContent, got.StatusCode)
			got, body = call(http.MethodGet, path+"/"+id, "")
			require.Equal(t, http.StatusNotFound, got.StatusCode)
			require.Contains(t, body, `"not-found"`)

			got, body = call(http.MethodPut, other, "")
			require.Equal(t, jsonapi.Status(changePIN(nil)), got.StatusCode)
			require.Equal(t, jsonapi.MediaType, got.Header.Get("Content-Type"))
			require.Contains(t, body, `"account-locked"`)
			require.Contains(t, body, got.Header.Get("Request-Id"))
			require.NotContains(t, body, "not for callers")
		})
	}
}

func caller(t *testing.T, base string) func(method, path, body string) (*http.Response, string) {
	t.Helper()
	client := contract.Client(t)
	return func(method, path, body string) (*http.Response, string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, base+path, strings.NewReader(body))
		require.NoError(t, err)
		r.Header.Set("Authorization", "Bearer "+service.Token)
		r.Header.Set("Content-Type", jsonapi.MediaType)
		got, err := client.Do(r)
		require.NoError(t, err)
		defer got.Body.Close()
		text, err := io.ReadAll(got.Body)
		require.NoError(t, err)
		return got, string(text)
	}
}
