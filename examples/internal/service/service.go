// Package service is a small service for tests: the documented endpoint with one
// account, on a real socket.
package service

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"example.com/devicetotp/devicetotp/devicetotptest"
	"example.com/devicetotp/devicetotp/jsonapi"
)

// What the one account has.
const (
	Token   = "good"
	Account = "alice"
	PIN     = "8299"
)

// Scopes are all there are.
var Scopes = []string{jsonapi.ScopeCreate, jsonapi.ScopeCreateAfterLogin, jsonapi.ScopeRead, jsonapi.ScopeManage}

// Options configure the handler, without a log.
var Options = jsonapi.Config{Logger: slog.New(slog.DiscardHandler)}

// New returns a world whose account registered an hour ago, and the handler of
// the endpoint.
func New(t testing.TB) (*devicetotptest.World, http.Handler) {
	t.Helper()
	w := devicetotptest.New(t)
	w.Account(Account).RegisteredAgo(time.Hour).PIN(PIN)
	handler, err := jsonapi.NewHandler(w.Issuer, Owner(), Options)
	if err != nil {
		t.Fatal(err)
	}
	return w, handler
}

// All serves every operation for the account of w.
func All(t testing.TB, w *devicetotptest.World, auth jsonapi.Authenticator) http.Handler {
	t.Helper()
	devices, device, err := jsonapi.NewHandlers(w.Issuer, auth, Options)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/user/devices/totp", devices)
	mux.Handle("/user/devices/totp/{id}", device)
	return mux
}

// Owner is the Authenticator that knows Token.
func Owner() jsonapi.Authenticator { return jsonapi.Bearer(owner) }

func owner(_ context.Context, token string) (jsonapi.Principal, error) {
	if token != Token {
		return jsonapi.Principal{}, jsonapi.ErrInvalidToken
	}
	return jsonapi.Principal{
		AccountID: Account,
		Scopes:    Scopes,
	}, nil
}

// Start serves handler until the end of the test and returns its address.
func Start(t testing.TB, handler http.Handler) (base string) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}
