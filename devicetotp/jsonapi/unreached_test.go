package jsonapi_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/devicetotp/jsonapi"
)

// raw sends bytes and returns the first answer to them.
func raw(t *testing.T, address, text string) *http.Response {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(patience)), "fail rather than hang")
	_, err = conn.Write([]byte(text))
	require.NoError(t, err)
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	t.Cleanup(func() { _ = resp.Body.Close() })
	return resp
}

// The package documentation lists what net/http and its mux answer by themselves.
// None of it is JSON:API, and the handler sees none of it.
func TestWhatDoesNotReachTheHandler(t *testing.T) {
	reached := false
	auth := jsonapi.AuthenticatorFunc(func(*http.Request) (jsonapi.Principal, error) {
		reached = true
		return jsonapi.Principal{}, jsonapi.ErrMissingToken
	})
	mux := http.NewServeMux()
	mux.Handle(devicesPath, handlerWith(t, &creator{}, auth, jsonapi.Config{}))
	s := httptest.NewUnstartedServer(mux)
	s.Config.MaxHeaderBytes = 1 << 10
	s.Start()
	defer s.Close()
	for _, c := range []struct {
		name, head string
		status     int
	}{
		{"a path that is not clean", "POST //user/devices/totp HTTP/1.1\r\nHost: a\r\n", 307},
		{"a slash at the end", "POST /user/devices/totp/ HTTP/1.1\r\nHost: a\r\n", 404},
		{"a path in another case", "POST /user/devices/TOTP HTTP/1.1\r\nHost: a\r\n", 404},
		{"an expectation", "POST /user/devices/totp HTTP/1.1\r\nHost: a\r\nExpect: 200-ok\r\n", 417},
		{"a head that is too long", "POST /user/devices/totp HTTP/1.1\r\nHost: a\r\nX: " + strings.Repeat("x", 8<<10) + "\r\n", 431},
		{"a transfer coding", "POST /user/devices/totp HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n", 501},
		{"another version", "POST /user/devices/totp HTTP/3.0\r\nHost: a\r\n", 505},
		{"no host", "POST /user/devices/totp HTTP/1.1\r\n", 400},
		{"two lengths", "POST /user/devices/totp HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n", 400},
	} {
		resp := raw(t, s.Listener.Addr().String(), c.head+"\r\n")
		require.Equal(t, c.status, resp.StatusCode, c.name)
		require.NotEqual(t, jsonapi.MediaType, resp.Header.Get("Content-Type"), c.name)
		require.False(t, reached, c.name)
	}
	require.Equal(t, 401, raw(t, s.Listener.Addr().String(), "POST /user/devices/totp HTTP/1.1\r\nHost: a\r\n\r\n").StatusCode)
	require.True(t, reached)
}

// What is longer than allowed by its own Content-Length is neither asked for nor
// waited for. It used to take until BodyTimeout.
func TestBodyThatSaysItIsTooLongIsNotAskedFor(t *testing.T) {
	for _, length := range []int{jsonapi.MaxBodyBytes + 1, 200_000, 999_999_999} {
		for _, expect := range []string{"", "Expect: 100-continue\r\n"} {
			t.Run(fmt.Sprint(length, expect), func(t *testing.T) {
				issuer := &creator{}
				s := serverOf(t, issuer, jsonapi.Bearer(tokens), jsonapi.Config{BodyTimeout: time.Hour}, 0)
				resp := raw(t, s.Listener.Addr().String(), fmt.Sprintf(
					"POST / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer good\r\nContent-Type: %s\r\n%sContent-Length: %d\r\n\r\n",
					jsonapi.MediaType, expect, length))
				require.Equal(t, http.StatusUnprocessableEntity, resp.StatusCode, "a 100 would ask for the body")
				require.True(t, resp.Close)
				a := read(t, resp)
				require.Equal(t, []string{"invalid-document none"}, a.summary())
				require.Contains(t, a.errors[0].Detail, "longer than 65536 bytes")
				require.Empty(t, issuer.got)
			})
		}
	}
}

// On HTTP/2 the connection is that of other requests too, and stays open.
func TestBodyThatSaysItIsTooLongLeavesAnHTTP2ConnectionOpen(t *testing.T) {
	s := httptest.NewUnstartedServer(handlerOf(t, &creator{}))
	s.EnableHTTP2 = true
	s.StartTLS()
	defer s.Close()
	conns := map[string]bool{}
	for _, length := range []int{len(plainBody), jsonapi.MaxBodyBytes + 1, len(plainBody)} {
		body := plainBody + strings.Repeat(" ", length-len(plainBody))
		r, err := http.NewRequest(http.MethodPost, s.URL, strings.NewReader(body))
		require.NoError(t, err)
		r.Header.Set("Authorization", "Bearer good")
		r.Header.Set("Content-Type", jsonapi.MediaType)
		trace := &httptrace.ClientTrace{GotConn: func(c httptrace.GotConnInfo) { conns[c.Conn.LocalAddr().String()] = true }}
		resp, err := s.Client().Do(r.WithContext(httptrace.WithClientTrace(t.Context(), trace)))
		require.NoError(t, err)
		require.Equal(t, 2, resp.ProtoMajor)
		want := http.StatusCreated
		if length > jsonapi.MaxBodyBytes {
			want = http.StatusUnprocessableEntity
		}
		require.Equal(t, want, read(t, resp).Code)
	}
	require.Len(t, conns, 1)
}

// One that is as long as may be is asked for.
func TestBodyOfTheLimitIsAskedFor(t *testing.T) {
	s := serverOf(t, &creator{}, jsonapi.Bearer(tokens), jsonapi.Config{}, 0)
	resp := raw(t, s.Listener.Addr().String(), fmt.Sprintf(
		"POST / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer good\r\nContent-Type: %s\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n",
		jsonapi.MediaType, jsonapi.MaxBodyBytes))
	require.Equal(t, http.StatusContinue, resp.StatusCode)
}

// Whatever else refuses a request does not ask for its body either.
func TestRefusalsDoNotAskForTheBody(t *testing.T) {
	s := serverOf(t, &creator{}, jsonapi.Bearer(tokens), jsonapi.Config{BodyTimeout: time.Hour}, 0)
	for want, head := range map[int]string{
		405: "PUT / HTTP/1.1\r\n",
		401: "POST / HTTP/1.1\r\nAuthorization: Bearer bad\r\n",
		406: "POST / HTTP/1.1\r\nAuthorization: Bearer good\r\nAccept: a/b\r\n",
		415: "POST / HTTP/1.1\r\nAuthorization: Bearer good\r\n",
	} {
		resp := raw(t, s.Listener.Addr().String(), head+"Host: a\r\nExpect: 100-continue\r\nContent-Length: 1000\r\n\r\n")
		require.Equal(t, want, resp.StatusCode)
	}
}

// A browser's preflight is the middleware's, as the documentation says: the handler
// knows no Origin.
func TestPreflightIsTheMiddlewares(t *testing.T) {
	r := httptest.NewRequest(http.MethodOptions, "/", nil).WithContext(context.Background())
	r.Header.Set("Origin", "https://shop.example")
	r.Header.Set("Access-Control-Request-Method", "POST")
	a := serve(t, handlerOf(t, &creator{}), r)
	require.Equal(t, http.StatusMethodNotAllowed, a.Code)
	for name := range a.Header() {
		require.False(t, strings.HasPrefix(name, "Access-Control-"), name)
	}
}
