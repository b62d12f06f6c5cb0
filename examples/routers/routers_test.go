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
	other = "/user/2025-1/user/pin" // an endpoint of the service's own
)

// Under each router the endpoint is as documented, and an error of the service's
// own is answered as one of the library.
func TestRouters(t *testing.T) {
	for name, mount := range map[string]func(http.Handler, jsonapi.Config) http.Handler{
		"net/http": NetHTTP, "chi": Chi, "gin": Gin, "echo": Echo,
	} {
		t.Run(name, func(t *testing.T) {
			_, create := service.New(t)
			call := caller(t, service.Start(t, mount(create, service.Options)))

			got, body := call(http.MethodPost, path, `{"data":{"type":"deviceTOTP","attributes":{"pin":"8299"}}}`)
			require.Equal(t, http.StatusCreated, got.StatusCode, body)
			require.Equal(t, jsonapi.MediaType, got.Header.Get("Content-Type"))

			got, body = call(http.MethodPost, path, `{"data":{"type":"deviceTOTP","attributes":{"pin":"0000"}}}`)
			require.Equal(t, http.StatusForbidden, got.StatusCode)
			require.Contains(t, body, `"invalid-credentials"`)

			got, body = call(http.MethodGet, path, "")
			require.Equal(t, http.StatusMethodNotAllowed, got.StatusCode)
			require.Equal(t, http.MethodPost, got.Header.Get("Allow"))
			require.Contains(t, body, `"method-not-allowed"`)

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
