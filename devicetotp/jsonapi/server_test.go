package jsonapi_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/jsonapi"
)

// These run over a real socket, for what a recorder cannot show.

func serverOf(t *testing.T, c jsonapi.Creator, auth jsonapi.Authenticator, opts jsonapi.Config, readTimeout time.Duration) *httptest.Server {
	t.Helper()
	opts.Logger = slog.New(slog.DiscardHandler)
	s := httptest.NewUnstartedServer(handlerWith(t, c, auth, opts))
	s.Config.ReadTimeout = readTimeout
	s.Config.ReadHeaderTimeout = patience // or ReadTimeout would be that of the head, too
	s.Start()
	t.Cleanup(s.Close)
	return s
}

// patience is how long a test waits for something that must come.
const patience = 10 * time.Second

// unfinished sends the head of a request and the beginning of its body, and
// returns the answer that comes although the rest never does.
func unfinished(t *testing.T, s *httptest.Server, method, token string) answer {
	t.Helper()
	conn, err := net.Dial("tcp", s.Listener.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(patience)), "fail rather than hang")
	_, err = fmt.Fprintf(conn, "%s / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\nContent-Type: %s\r\nContent-Length: 1000\r\n\r\n{\"data\"",
		method, token, jsonapi.MediaType)
	require.NoError(t, err)
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	return read(t, resp)
}

func read(t *testing.T, resp *http.Response) answer {
	t.Helper()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	errs, err := checkAnswer(resp.StatusCode, resp.Header, body)
	require.NoError(t, err, "%s", body)
	w := httptest.NewRecorder()
	w.Code = resp.StatusCode
	return answer{w, errs}
}

func TestBodyThatStopsArrivingIsAnsweredAfterBodyTimeout(t *testing.T) {
	s := serverOf(t, &creator{}, jsonapi.Bearer(tokens), jsonapi.Config{BodyTimeout: 20 * time.Millisecond}, 0)
	a := unfinished(t, s, "POST", goodToken)
	require.Equal(t, []string{"invalid-document none"}, a.summary())
	require.Contains(t, a.errors[0].Detail, "in time")
}

// pipeListener is a listener with one connection.
type pipeListener struct {
	conns chan net.Conn
	ended chan struct{}
}

func (l pipeListener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conns:
		return conn, nil
	case <-l.ended:
		return nil, net.ErrClosed
	}
}

func (l pipeListener) Close() error   { close(l.ended); return nil }
func (l pipeListener) Addr() net.Addr { return &net.UnixAddr{} }

// The limit is one of the whole body: a byte now and then does not put it off.
func TestBodyOfAByteASecondIsAnsweredAfterBodyTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		issuer := &creator{}
		server := &http.Server{Handler: handlerOf(t, issuer)}
		listener := pipeListener{make(chan net.Conn, 1), make(chan struct{})}
		client, far := net.Pipe()
		listener.conns <- far
		go func() { _ = server.Serve(listener) }()
		defer func() {
			require.NoError(t, client.Close())
			require.NoError(t, server.Close())
			time.Sleep(time.Minute) // of the bubble's time: until all goroutines have ended
		}()
		go func() {
			_, err := fmt.Fprintf(client, "POST / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\nContent-Type: %s\r\nContent-Length: 1000\r\n\r\n",
				goodToken, jsonapi.MediaType)
			for err == nil { // until the server has had enough
				time.Sleep(time.Second)
				_, err = client.Write([]byte(" "))
			}
		}()
		start := time.Now()
		resp, err := http.ReadResponse(bufio.NewReader(client), nil)
		require.NoError(t, err)
		require.Equal(t, 10*time.Second, time.Since(start), "the default")
		a := read(t, resp)
		require.Equal(t, []string{"invalid-document none"}, a.summary())
		require.Contains(t, a.errors[0].Detail, "in time")
		require.Empty(t, issuer.got)
	})
}

func TestRefusalDoesNotWaitForTheBodyForever(t *testing.T) {
	s := serverOf(t, &creator{}, jsonapi.Bearer(tokens), jsonapi.Config{BodyTimeout: 20 * time.Millisecond}, 0)
	require.Equal(t, []string{"unauthorized none"}, unfinished(t, s, "POST", "bad").summary())
	require.Equal(t, []string{"method-not-allowed none"}, unfinished(t, s, "PUT", goodToken).summary())
}

func TestShorterReadTimeoutOfTheServerStaysInForce(t *testing.T) {
	s := serverOf(t, &creator{}, jsonapi.Bearer(tokens), jsonapi.Config{BodyTimeout: time.Hour}, 20*time.Millisecond)
	require.Equal(t, []string{"invalid-document none"}, unfinished(t, s, "POST", goodToken).summary())
}

// Once the body is read, its time limit must not cut the Issuer short: the
// server watches the connection with the same deadline.
func TestBodyTimeoutDoesNotEndTheRequest(t *testing.T) {
	const bodyTimeout = 20 * time.Millisecond
	for name, body := range map[string]string{"with a body": plainBody, "without a body": ""} {
		t.Run(name, func(t *testing.T) {
			outlast := func(ctx context.Context) error {
				select {
				case <-ctx.Done():
					return ctx.Err()
				case <-time.After(4 * bodyTimeout):
					return nil
				}
			}
			auth := jsonapi.AuthenticatorFunc(func(r *http.Request) (jsonapi.Principal, error) {
				if body != "" {
					return tokens(r.Context(), goodToken)
				}
				if err := outlast(r.Context()); err != nil {
					return jsonapi.Principal{}, err
				}
				return tokens(r.Context(), goodToken)
			})
			c := &creator{answer: func(ctx context.Context, r devicetotp.CreateRequest) (devicetotp.DeviceTOTP, error) {
				return device(r.DeviceID), outlast(ctx)
			}}
			s := serverOf(t, c, auth, jsonapi.Config{BodyTimeout: bodyTimeout}, 0)
			resp, err := http.Post(s.URL, jsonapi.MediaType, strings.NewReader(body))
			require.NoError(t, err)
			want := http.StatusCreated
			if body == "" {
				want = http.StatusUnprocessableEntity
			}
			require.Equal(t, want, read(t, resp).Code)
		})
	}
}

func TestClientThatHangsUpReleasesTheAuthenticator(t *testing.T) {
	entered, released := make(chan struct{}), make(chan error, 1)
	auth := jsonapi.AuthenticatorFunc(func(r *http.Request) (jsonapi.Principal, error) {
		close(entered)
		<-r.Context().Done()
		released <- r.Context().Err()
		return jsonapi.Principal{}, r.Context().Err()
	})
	issuer := &creator{}
	s := serverOf(t, issuer, auth, jsonapi.Config{AuthTimeout: time.Hour}, 0)
	ctx, hangUp := context.WithCancel(t.Context())
	go func() {
		<-entered
		hangUp()
	}()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL, nil)
	require.NoError(t, err)
	_, err = http.DefaultClient.Do(r)
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, <-released, context.Canceled)
	require.Empty(t, issuer.got)
}

func TestHeadIsAnsweredWithoutABody(t *testing.T) {
	s := serverOf(t, &creator{}, jsonapi.Bearer(tokens), jsonapi.Config{}, 0)
	resp, err := http.Head(s.URL)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	require.Equal(t, http.StatusMethodNotAllowed, resp.StatusCode)
	require.Equal(t, "POST", resp.Header.Get("Allow"))
}

func TestTheDocumentedCurl(t *testing.T) {
	s := serverOf(t, &creator{}, jsonapi.Bearer(tokens), jsonapi.Config{}, 0)
	r, err := http.NewRequest(http.MethodPost, s.URL, strings.NewReader(plainBody))
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+goodToken)
	r.Header.Set("Content-Type", jsonapi.MediaType)
	r.Header.Set("Accept", "*/*")
	r.Header.Set("User-Agent", "curl/8.5.0")
	resp, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	require.Equal(t, http.StatusCreated, read(t, resp).Code)
}
