package jsonapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

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
	// {"errors":[{"id":"cbgmhslmp1o9or9kh1p0","status":"403","code":"too-many-attempts","title":"Too many attempts","detail":"What was presented is blocked after too many failed attempts.","meta":{"retryAfter":30}}]}
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
	for path := range doc.Paths {
		fmt.Println(doc.OpenAPI, path)
	}
	// Output: 3.1.0 /user/devices/totp
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
