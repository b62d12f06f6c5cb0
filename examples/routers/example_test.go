package routers_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/memstore"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/jsonapi"
	"example.com/devicetotp/examples/routers"
)

func ExampleNetHTTP() {
	call(routers.NetHTTP(endpoints()))
	// Output:
	// POST /user/2025-1/user/devices/totp: 201 application/vnd.api+json
	// GET /user/2025-1/user/devices/totp: 200 application/vnd.api+json
	// PUT /user/2025-1/user/devices/totp: 405 application/vnd.api+json
	// GET /user/2025-1/user/devices/totp/738e379f-fe30-45ab-819c-ba88804b6368: 200 application/vnd.api+json
	// PUT /user/2025-1/user/pin: 403 application/vnd.api+json
}

func ExampleChi() {
	call(routers.Chi(endpoints()))
	// Output:
	// POST /user/2025-1/user/devices/totp: 201 application/vnd.api+json
	// GET /user/2025-1/user/devices/totp: 200 application/vnd.api+json
	// PUT /user/2025-1/user/devices/totp: 405 application/vnd.api+json
	// GET /user/2025-1/user/devices/totp/738e379f-fe30-45ab-819c-ba88804b6368: 200 application/vnd.api+json
	// PUT /user/2025-1/user/pin: 403 application/vnd.api+json
}

func ExampleGin() {
	call(routers.Gin(endpoints()))
	// Output:
	// POST /user/2025-1/user/devices/totp: 201 application/vnd.api+json
	// GET /user/2025-1/user/devices/totp: 200 application/vnd.api+json
	// PUT /user/2025-1/user/devices/totp: 405 application/vnd.api+json
	// GET /user/2025-1/user/devices/totp/738e379f-fe30-45ab-819c-ba88804b6368: 200 application/vnd.api+json
	// PUT /user/2025-1/user/pin: 403 application/vnd.api+json
}

func ExampleEcho() {
	call(routers.Echo(endpoints()))
	// Output:
	// POST /user/2025-1/user/devices/totp: 201 application/vnd.api+json
	// GET /user/2025-1/user/devices/totp: 200 application/vnd.api+json
	// PUT /user/2025-1/user/devices/totp: 405 application/vnd.api+json
	// GET /user/2025-1/user/devices/totp/738e379f-fe30-45ab-819c-ba88804b6368: 200 application/vnd.api+json
	// PUT /user/2025-1/user/pin: 403 application/vnd.api+json
}

var config = jsonapi.Config{Logger: slog.New(slog.DiscardHandler)}

// endpoints are those of a service with one account, which registered just now and so
// needs no credential, and how their errors are answered.
func endpoints() (devices, device http.Handler, _ jsonapi.Config) {
	store := memstore.New()
	_ = store.Put(context.Background(), credential.Account{ID: "alice", RegisteredAt: time.Now()})
	keys, err := credential.NewKeyring("2025-11", credential.NewKey("2025-11"))
	if err != nil {
		panic(err)
	}
	issuer, err := devicetotp.NewIssuer(store, keys, devicetotp.Config{})
	if err != nil {
		panic(err)
	}
	verifyToken := func(_ context.Context, token string) (jsonapi.Principal, error) {
		if token != "good" {
			return jsonapi.Principal{}, jsonapi.ErrInvalidToken
		}
		return jsonapi.Principal{AccountID: "alice", Scopes: []string{jsonapi.ScopeCreate, jsonapi.ScopeCreateAfterLogin, jsonapi.ScopeRead}}, nil
	}
	devices, device, err = jsonapi.NewHandlers(issuer, jsonapi.Bearer(verifyToken), config)
	if err != nil {
		panic(err)
	}
	return devices, device, config
}

// call sends the router a request to each endpoint, and one of a method that is
// not there.
func call(router http.Handler) {
	const devices, id = "/user/2025-1/user/devices/totp", "738e379f-fe30-45ab-819c-ba88804b6368"
	for _, c := range []struct{ method, path, body string }{
		{http.MethodPost, devices, `{"data":{"type":"deviceTOTP","id":"` + id + `"}}`},
		{http.MethodGet, devices, ""},
		{http.MethodPut, devices, ""},
		{http.MethodGet, devices + "/" + id, ""},
		{http.MethodPut, "/user/2025-1/user/pin", ""},
	} {
		r := httptest.NewRequest(c.method, c.path, strings.NewReader(c.body))
		r.Header.Set("Authorization", "Bearer good")
		r.Header.Set("Content-Type", jsonapi.MediaType)
		w := httptest.NewRecorder()
		router.ServeHTTP(w, r)
		fmt.Printf("%s %s: %d %s\n", c.method, c.path, w.Code, w.Header().Get("Content-Type"))
	}
}
