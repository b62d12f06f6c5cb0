package routers

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/go-chi/chi/v5"
	"github.com/labstack/echo/v5"
	"github.com/stretchr/testify/require"

	"example.com/devicetotp/devicetotp/jsonapi"
	totperrors "example.com/devicetotp/errors"
	"example.com/devicetotp/examples/internal/contract"
	"example.com/devicetotp/examples/internal/service"
)

const (
	path  = "/user/2025-1/user/devices/totp"
	other = "/user/2025-1/user/pin" // an endpoint of the service's own
)

// errLocked is what the other endpoint comes to.
var errLocked = &totperrors.Error{Op: "change-pin", Code: totperrors.CodeAccountLocked, Err: errors.New("not for callers")}

func netHTTP(create http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/user/{version}/user/devices/totp", create)
	mux.HandleFunc("PUT /user/{version}/user/pin", func(w http.ResponseWriter, r *http.Request) {
		jsonapi.WriteError(w, r, errLocked, service.Options)
	})
	return mux
}

func viaChi(create http.Handler) http.Handler {
	router := chi.NewRouter()
	router.Route("/user/{version}", func(router chi.Router) {
		router.Handle("/user/devices/totp", create)
		router.Put("/user/pin", func(w http.ResponseWriter, r *http.Request) {
			jsonapi.WriteError(w, r, errLocked, service.Options)
		})
	})
	return router
}

func viaGin(create http.Handler) http.Handler {
	gin.SetMode(gin.ReleaseMode)
	router := gin.New()
	group := router.Group("/user/:version")
	group.Any("/user/devices/totp", gin.WrapH(create))
	group.PUT("/user/pin", func(c *gin.Context) {
		jsonapi.WriteError(c.Writer, c.Request, errLocked, service.Options)
	})
	return router
}

func viaEcho(create http.Handler) http.Handler {
	router := echo.New()
	group := router.Group("/user/:version")
	group.Any("/user/devices/totp", echo.WrapHandler(create))
	group.PUT("/user/pin", func(c *echo.Context) error {
		jsonapi.WriteError(c.Response(), c.Request(), errLocked, service.Options)
		return nil
	})
	return router
}

func TestRouters(t *testing.T) {
	for name, mount := range map[string]func(http.Handler) http.Handler{
		"net/http": netHTTP, "chi": viaChi, "gin": viaGin, "echo": viaEcho,
	} {
		t.Run(name, func(t *testing.T) {
			_, create := service.New(t)
			call := caller(t, service.Start(t, mount(create)))

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
			require.Equal(t, jsonapi.Status(errLocked), got.StatusCode)
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
