package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/devicetotptest"
	"example.com/devicetotp/devicetotp/jsonapi"
	"example.com/devicetotp/examples/operations"
)

// served is a handler of the server over a store that can be broken.
func served(t *testing.T, log *output) (*devicetotptest.World, http.Handler) {
	t.Helper()
	logger := slog.New(slog.NewJSONHandler(log, nil))
	w := devicetotptest.New(t, func(c *devicetotp.Config) { c.Observer = observe(logger) })
	w.Account("acct-1").PIN("8299")
	accounts := parsed(t, `[{"id": "acct-1", "token": "good"}]`)
	handler, err := routes(w.Issuer, accounts, options{}, logger)
	require.NoError(t, err)
	return w, handler
}

func post(handler http.Handler, path, token, body string) int {
	r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", jsonapi.MediaType)
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, r)
	return answer.Code
}

// A failure is one line, with the Event where there is one.
func TestAFailureIsLoggedOnce(t *testing.T) {
	for path, body := range map[string]string{endpoint: request(otherID, `{"pin":"8299"}`), endpoint + "/verify": `{"code":"123456"}`} {
		var log output
		w, handler := served(t, &log)
		w.Store.Script(devicetotptest.Fault{Err: errors.New("the database is down")})
		require.Equal(t, http.StatusInternalServerError, post(handler, path, "good", body))
		require.Equal(t, 1, strings.Count(log.String(), "\n"), &log)
		require.Contains(t, log.String(), `"level":"WARN","msg":"devicetotp"`)
		require.Contains(t, log.String(), "the database is down")
	}
}

// What has no Event is logged all the same.
func TestAFailureWithoutAnEventIsLogged(t *testing.T) {
	var log output
	ctx := context.WithValue(t.Context(), failedKey{}, new(failed))
	logger := slog.New(unlessLogged{slog.NewTextHandler(&log, nil)})
	logger.ErrorContext(ctx, requestFailed)
	logger.ErrorContext(t.Context(), requestFailed)
	require.Equal(t, 2, strings.Count(log.String(), "\n"))
}

// With -log-json, package operations reads the Events in the log.
func TestLogIsJSON(t *testing.T) {
	s := start(t, documentedAccount, "-store", "memory", "-log-json", "-key-file", filepath.Join(t.TempDir(), "keys"))
	s.create(documentedRequest).device(t)
	s.stop()
	events := 0
	for line := range strings.Lines(s.log.String()) {
		require.True(t, json.Valid([]byte(line)), line)
		e, ok, err := operations.Logged([]byte(line))
		require.NoError(t, err)
		if ok {
			require.Equal(t, devicetotp.OpCreate, e.Op)
			require.Equal(t, "acct-1", e.AccountID)
			events++
		}
	}
	require.Equal(t, 1, events)
}

// The server is ready if the database answers and the keys open what is there.
func TestReadiness(t *testing.T) {
	var log output
	w, handler := served(t, &log)
	get := func(path string) int {
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, http.NoBody))
		return answer.Code
	}
	require.Equal(t, http.StatusOK, get("/readyz"))
	w.Store.Script(devicetotptest.Fault{Err: errors.New("the database is down")})
	require.Equal(t, http.StatusServiceUnavailable, get("/readyz"))
	require.Equal(t, http.StatusOK, get("/healthz"), "the process lives")
	require.Equal(t, http.StatusOK, get("/readyz"))
}
