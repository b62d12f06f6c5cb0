package jsonapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"time"

	"example.com/devicetotp/clock"
	"example.com/devicetotp/credential"
	"example.com/devicetotp/credential/memstore"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/jsonapi"
	totperrors "example.com/devicetotp/errors"
)

func ExampleNewHandler() {
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
		if token != "YWxpY2U" {
			return jsonapi.Principal{}, jsonapi.ErrInvalidToken
		}
		return jsonapi.Principal{AccountID: "alice"}, nil
	}
	handler, err := jsonapi.NewHandler(issuer, jsonapi.Bearer(verifyToken), jsonapi.Config{
		IgnoreScopes: true, // these tokens have none
	})
	if err != nil {
		panic(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/user/2025-1/user/devices/totp", handler)

	r := httptest.NewRequest(http.MethodPost, "/user/2025-1/user/devices/totp", strings.NewReader(
		`{"data":{"type":"deviceTOTP","id":"738E379F-FE30-45AB-819C-BA88804B6368","attributes":{}}}`))
	r.Header.Set("Authorization", "Bearer YWxpY2U")
	r.Header.Set("Content-Type", jsonapi.MediaType)
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, r)

	var answer struct {
		Data struct {
			ID         string
			Attributes struct {
				Secret    string
				Algorithm string
			}
		}
	}
	if err := json.NewDecoder(w.Body).Decode(&answer); err != nil {
		panic(err)
	}
	fmt.Println(w.Code, w.Header().Get("Content-Type"))
	fmt.Println(answer.Data.ID, answer.Data.Attributes.Algorithm)
	fmt.Println(len(answer.Data.Attributes.Secret), "characters of base32")
	// Output:
	// 201 application/vnd.api+json
	// 738e379f-fe30-45ab-819c-ba88804b6368 SHA1
	// 32 characters of base32
}

func ExampleBearer() {
	auth := jsonapi.Bearer(func(ctx context.Context, token string) (jsonapi.Principal, error) {
		// Ask your identity provider here, within ctx. Refuse with an error
		// that wraps one of the package's; return any other error if the
		// provider itself failed.
		if token != "YWxpY2U" {
			return jsonapi.Principal{}, fmt.Errorf("%w: not in the session table", jsonapi.ErrInvalidToken)
		}
		return jsonapi.Principal{AccountID: "alice", Scopes: []string{jsonapi.ScopeCreate}}, nil
	})
	for _, header := range []string{"Bearer YWxpY2U", "Bearer Ym9i", ""} {
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		if header != "" {
			r.Header.Set("Authorization", header)
		}
		p, err := auth.Authenticate(r)
		fmt.Println(p.AccountID, err)
	}
	// Output:
	// alice <nil>
	//  devicetotp/jsonapi: invalid token: not in the session table
	//  devicetotp/jsonapi: no token
}

func ExampleAuthenticatorFunc() {
	type session struct{} // the key under which a middleware left the account
	auth := jsonapi.AuthenticatorFunc(func(r *http.Request) (jsonapi.Principal, error) {
		account, ok := r.Context().Value(session{}).(string)
		if !ok {
			return jsonapi.Principal{}, jsonapi.ErrMissingToken
		}
		return jsonapi.Principal{AccountID: account}, nil
	})
	r := httptest.NewRequest(http.MethodPost, "/", nil)
	p, err := auth.Authenticate(r.WithContext(context.WithValue(r.Context(), session{}, "alice")))
	fmt.Println(p.AccountID, err)
	// Output: alice <nil>
}

func ExampleStatus() {
	fmt.Println(jsonapi.Status(nil))
	fmt.Println(jsonapi.Status(&totperrors.Error{Code: totperrors.CodeInvalidCredentials}))
	fmt.Println(jsonapi.Status(&totperrors.Error{Code: totperrors.CodeIDInUse}))
	fmt.Println(jsonapi.Status(jsonapi.ErrMissingToken))
	fmt.Println(jsonapi.Status(errors.New("anything else")))
	// Output:
	// 201
	// 403
	// 422
	// 401
	// 500
}

// A service answers its own endpoint for checking codes in the same form.
func ExampleWriteError() {
	opts := jsonapi.Config{Realm: "shop", Logger: slog.New(slog.DiscardHandler)}
	verify := func(w http.ResponseWriter, r *http.Request) {
		err := error(&totperrors.Error{Op: "verify", Code: totperrors.CodeTooManyAttempts, RetryAfter: 30 * time.Second})
		jsonapi.WriteError(w, r, err, opts)
	}
	r := httptest.NewRequest(http.MethodPost, "/verify", nil)
	r.Header.Set("Request-Id", "cbgmhslmp1o9or9kh1p0")
	w := httptest.NewRecorder()
	verify(w, r)
	fmt.Println(w.Code, w.Header().Get("Retry-After"))
	fmt.Println(w.Body)
	// Output:
	// 403 30
	// {"errors":[{"id":"cbgmhslmp1o9or9kh1p0","status":"403","code":"too-many-attempts","title":"Too many attempts","detail":"The presented values are blocked after too many failed attempts.","meta":{"retryAfter":30}}]}
}

// A settings page lists the devices, renames one and removes it.
func ExampleNewHandlers() {
	store := memstore.New()
	_ = store.Put(context.Background(), credential.Account{ID: "alice"})
	keys, err := credential.NewKeyring("2025-11", credential.NewKey("2025-11"))
	if err != nil {
		panic(err)
	}
	issuer, err := devicetotp.NewIssuer(store, keys, devicetotp.Config{
		Clock: clock.Func(func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) }),
	})
	if err != nil {
		panic(err)
	}
	const id = "738e379f-fe30-45ab-819c-ba88804b6368"
	if _, err := issuer.Import(context.Background(), devicetotp.ImportRequest{
		AccountID: "alice", DeviceID: id, Secret: credential.NewSecret("12345678901234567890"),
		Algorithm: credential.AlgorithmSHA1, Digits: 6, Period: 30 * time.Second,
	}); err != nil {
		panic(err)
	}
	auth := jsonapi.AuthenticatorFunc(func(*http.Request) (jsonapi.Principal, error) {
		return jsonapi.Principal{AccountID: "alice", Scopes: []string{jsonapi.ScopeRead, jsonapi.ScopeManage}}, nil
	})
	devices, device, err := jsonapi.NewHandlers(issuer, auth, jsonapi.Config{})
	if err != nil {
		panic(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/user/devices/totp", devices)
	mux.Handle("/user/devices/totp/{id}", device)

	call := func(method, path, body string) {
		r := httptest.NewRequest(method, path, strings.NewReader(body))
		r.Header.Set("Content-Type", jsonapi.MediaType)
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		fmt.Println(strings.TrimSpace(fmt.Sprint(w.Code, " ", w.Body)))
	}
	call("PATCH", "/user/devices/totp/"+id, `{"data":{"type":"deviceTOTP","id":"`+id+`","attributes":{"name":"phone"}}}`)
	call("DELETE", "/user/devices/totp/"+id, "")
	call("GET", "/user/devices/totp", "")
	// Output:
	// 200 {"data":{"type":"deviceTOTP","id":"738e379f-fe30-45ab-819c-ba88804b6368","attributes":{"name":"phone","algorithm":"SHA1","digits":6,"period":30,"createdAt":"2026-01-02T03:04:05Z","lastUsedAt":null,"blockedUntil":null}}}
	// 204
	// 200 {"data":[]}
}

// An endpoint of the service's own is checked and answered as the handlers are.
func ExampleAuthenticate() {
	auth := jsonapi.AuthenticatorFunc(func(*http.Request) (jsonapi.Principal, error) {
		return jsonapi.Principal{AccountID: "alice", Scopes: []string{"shop:read"}}, nil
	})
	config := jsonapi.Config{Realm: "shop"}
	pay := func(w http.ResponseWriter, r *http.Request) {
		r = jsonapi.WithRequestID(r)
		if _, err := jsonapi.Authenticate(r, auth, "shop:pay", config); err != nil {
			jsonapi.WriteError(w, r, err, config)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}
	r := httptest.NewRequest(http.MethodPost, "/pay", nil)
	r.Header.Set("Request-Id", "cbgmhslmp1o9or9kh1p0")
	w := httptest.NewRecorder()
	pay(w, r)
	fmt.Println(w.Body)
	// Output: {"errors":[{"id":"cbgmhslmp1o9or9kh1p0","status":"403","code":"insufficient-scope","title":"Insufficient scope","detail":"The access token does not have the scope shop:pay."}]}
}

func ExampleNegotiate() {
	r := httptest.NewRequest(http.MethodPost, "/pay", strings.NewReader("amount=1"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	err := jsonapi.Negotiate(r, true)
	fmt.Println(jsonapi.Status(err), jsonapi.ProblemOf(err).Code)
	// Output: 415 unsupported-media-type
}

// Two faults in a document of the service's own.
func ExampleProblem() {
	err := errors.Join(
		&jsonapi.Problem{Code: jsonapi.CodeInvalidType, Source: jsonapi.Pointer("/data/type")},
		&jsonapi.Problem{Code: jsonapi.CodeInvalidAttribute, Source: jsonapi.Pointer("/data/attributes/amount"), Detail: "The amount must be a number."},
	)
	r := httptest.NewRequest(http.MethodPost, "/pay", nil)
	r.Header.Set("Request-Id", "cbgmhslmp1o9or9kh1p0")
	w := httptest.NewRecorder()
	jsonapi.WriteError(w, r, err, jsonapi.Config{})
	fmt.Println(w.Code)
	var doc struct {
		Errors []struct {
			Code, Detail string
			Source       struct{ Pointer string }
		}
	}
	if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil {
		panic(err)
	}
	for _, e := range doc.Errors {
		fmt.Println(e.Source.Pointer, e.Code, e.Detail)
	}
	// Output:
	// 422
	// /data/type invalid-type The type is not the expected one.
	// /data/attributes/amount invalid-attribute The amount must be a number.
}

// An endpoint whose API answers a wrong code with 404 says where the code was.
func ExampleProblemOf() {
	err := error(&totperrors.Error{Op: "verify", Code: totperrors.CodeInvalidCredentials})
	p := jsonapi.ProblemOf(err)
	p.Source = jsonapi.Pointer("/data/attributes/code")
	p.Status = http.StatusNotFound
	w := httptest.NewRecorder()
	jsonapi.WriteError(w, httptest.NewRequest(http.MethodPost, "/check", nil), p, jsonapi.Config{})
	fmt.Println(w.Code)
	// Output: 404
}

// A middleware that logs each request under the id that the client is told.
func ExampleWithRequestID() {
	logged := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r = jsonapi.WithRequestID(r)
			next.ServeHTTP(w, r)
			fmt.Println("served", jsonapi.RequestID(r.Context()))
		})
	}
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Request-Id", "cbgmhslmp1o9or9kh1p0")
	logged(http.NotFoundHandler()).ServeHTTP(httptest.NewRecorder(), r)
	// Output: served cbgmhslmp1o9or9kh1p0
}

// The Observer of an Issuer finds the request id in its context.
func ExampleRequestID() {
	observer := func(ctx context.Context, e devicetotp.Event) {
		fmt.Printf("request_id=%s op=%s code=%s\n", jsonapi.RequestID(ctx), e.Op, e.Code)
	}
	r := httptest.NewRequest(http.MethodPost, "/", nil)
	r.Header.Set("Request-Id", "cbgmhslmp1o9or9kh1p0")
	observer(jsonapi.WithRequestID(r).Context(), devicetotp.Event{Op: "create", Code: totperrors.CodeInvalidCredentials})
	// Output: request_id=cbgmhslmp1o9or9kh1p0 op=create code=invalid-credentials
}

func ExampleOpenAPI() {
	var doc struct {
		OpenAPI string
		Paths   map[string]any
	}
	if err := json.Unmarshal(jsonapi.OpenAPI(), &doc); err != nil {
		panic(err)
	}
	for _, path := range slices.Sorted(maps.Keys(doc.Paths)) {
		fmt.Println(doc.OpenAPI, path)
	}
	// Output:
	// 3.1.0 /user/devices/totp
	// 3.1.0 /user/devices/totp/{id}
}

func ExampleOpenAPIHandler() {
	mux := http.NewServeMux()
	mux.Handle("/openapi.json", jsonapi.OpenAPIHandler())
	server := httptest.NewServer(mux)
	defer server.Close()
	resp, err := http.Get(server.URL + "/openapi.json")
	if err != nil {
		panic(err)
	}
	defer resp.Body.Close()
	document, err := io.ReadAll(resp.Body)
	fmt.Println(resp.Header.Get("Content-Type"), json.Valid(document), err)
	// Output: application/vnd.oai.openapi+json;version=3.1 true <nil>
}
