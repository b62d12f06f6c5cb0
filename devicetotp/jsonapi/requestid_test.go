package jsonapi_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/jsonapi"
)

func TestRequestIDOfTheClientIsKeptIfWellFormed(t *testing.T) {
	const good = "cbgmhslmp1o9or9kh1pv"
	for _, c := range []struct {
		rule    string
		headers []string
		kept    bool
	}{
		{"well-formed", []string{good}, true},
		{"absent", nil, false},
		{"empty", []string{""}, false},
		{"twice", []string{good, good}, false},
		{"too short", []string{good[1:]}, false},
		{"too long", []string{good + "0"}, false},
		{"upper case", []string{strings.ToUpper(good)}, false},
		{"beyond v", []string{good[1:] + "w"}, false},
		{"a line break", []string{good[1:] + "\n"}, false},
	} {
		t.Run(c.rule, func(t *testing.T) {
			r := request(plainBody)
			if c.headers != nil {
				r.Header["Request-Id"] = c.headers
			}
			id := serve(t, handlerOf(t, &creator{}), r).Header().Get("Request-Id")
			require.Equal(t, c.kept, id == good, id)
		})
	}
}

func TestEveryErrorObjectHasTheIDOfTheAnswer(t *testing.T) {
	r := request(`{"data":{"type":1,"id":2}}`)
	r.Header.Set("Request-Id", "cbgmhslmp1o9or9kh1p0")
	a := serve(t, handlerOf(t, &creator{}), r)
	require.Len(t, a.errors, 2)
	for _, e := range a.errors {
		require.Equal(t, "cbgmhslmp1o9or9kh1p0", e.ID)
	}
}

func TestRequestIDReachesEveryCollaborator(t *testing.T) {
	var authenticator, issuer string
	auth := jsonapi.AuthenticatorFunc(func(r *http.Request) (jsonapi.Principal, error) {
		authenticator = jsonapi.RequestID(r.Context())
		return tokens(r.Context(), goodToken)
	})
	c := &creator{answer: func(ctx context.Context, r devicetotp.CreateRequest) (devicetotp.DeviceTOTP, error) {
		issuer = jsonapi.RequestID(ctx)
		return device(r.DeviceID), nil
	}}
	id := serve(t, handlerWith(t, c, auth, jsonapi.Config{}), request(plainBody)).Header().Get("Request-Id")
	require.Equal(t, id, authenticator)
	require.Equal(t, id, issuer)
}

func TestRequestIDOfAMiddlewareIsKept(t *testing.T) {
	var logged string
	middleware := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r = jsonapi.WithRequestID(r)
		logged = jsonapi.RequestID(r.Context())
		handlerOf(t, &creator{}).ServeHTTP(w, r)
	})
	a := serve(t, middleware, request(plainBody))
	require.Equal(t, logged, a.Header().Get("Request-Id"))
}

func TestRequestIDOutsideOfARequestIsEmpty(t *testing.T) {
	require.Empty(t, jsonapi.RequestID(context.Background()))
}

func TestRequestIDsAreUnique(t *testing.T) {
	const workers, each = 8, 2000
	var mu sync.Mutex
	seen := map[string]bool{}
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for range each {
				r := jsonapi.WithRequestID(httptest.NewRequest(http.MethodPost, "/", nil))
				mu.Lock()
				seen[jsonapi.RequestID(r.Context())] = true
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	require.Len(t, seen, workers*each)
}
