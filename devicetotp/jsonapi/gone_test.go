package jsonapi_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/jsonapi"
	totperrors "example.com/devicetotp/errors"
	"example.com/devicetotp/verifier"
)

// These are about clients that go away, and what the log says of them.

// lines is a log that counts its lines by level and message.
type lines struct {
	mu    sync.Mutex
	count map[string]int
}

func (l *lines) Enabled(context.Context, slog.Level) bool { return true }
func (l *lines) WithAttrs([]slog.Attr) slog.Handler       { return l }
func (l *lines) WithGroup(string) slog.Handler            { return l }

func (l *lines) Handle(_ context.Context, r slog.Record) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.count == nil {
		l.count = map[string]int{}
	}
	l.count[r.Level.String()+" "+r.Message]++
	return nil
}

const hungUp = "DEBUG devicetotp: the client hung up"

// serving serves h and returns its address, and a channel that receives when a
// request has been answered.
func serving(t *testing.T, h http.Handler) (address string, answered <-chan struct{}) {
	t.Helper()
	done := make(chan struct{}, 1000)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(w, r)
		done <- struct{}{}
	}))
	t.Cleanup(s.Close)
	return s.Listener.Addr().String(), done
}

// A client that hangs up is no failure of the service, wherever its request is then:
// being authenticated, hashed, or waiting for another of the same account.
func TestClientsThatHangUpLeaveNoWarnings(t *testing.T) {
	const requests = 60 // a line for one account holds 64
	entered := make(chan struct{}, requests+1)
	waitForClient := func(ctx context.Context) error {
		entered <- struct{}{}
		<-ctx.Done()
		return fmt.Errorf("looking up: %w", ctx.Err())
	}
	hashing := verifier.Func(func(ctx context.Context, _ verifier.Query) (verifier.Verdict, error) {
		return verifier.Verdict{}, waitForClient(ctx)
	})
	good := jsonapi.Bearer(tokens)
	slow := jsonapi.AuthenticatorFunc(func(r *http.Request) (jsonapi.Principal, error) {
		return jsonapi.Principal{}, waitForClient(r.Context())
	})
	hangUp := func(t *testing.T, auth jsonapi.Authenticator, body string, enter int) {
		s := newService(t, func(s *service) { s.config.PIN, s.config.Observer = hashing, nil })
		var log lines
		address, answered := serving(t, handlerWith(t, s.issuer, auth, jsonapi.Config{Logger: slog.New(&log)}))
		var conns []net.Conn
		for range requests {
			conn, err := net.Dial("tcp", address)
			require.NoError(t, err)
			_, err = fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer good\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s",
				jsonapi.MediaType, len(body), body)
			require.NoError(t, err)
			conns = append(conns, conn)
		}
		for range enter {
			<-entered
		}
		for _, conn := range conns {
			require.NoError(t, conn.Close())
		}
		for range requests {
			<-answered
		}
		for range len(entered) {
			<-entered // of those that had their turn before they were seen to be gone
		}
		require.Equal(t, map[string]int{hungUp: requests}, log.count)
	}
	// net/http does not see that a client is gone before the body has been read.
	t.Run("being authenticated", func(t *testing.T) { hangUp(t, slow, "", requests) })
	t.Run("being hashed, or in line", func(t *testing.T) {
		hangUp(t, good, `{"data":{"type":"deviceTOTP","attributes":{"pin":"8299"}}}`, 1)
	})
}

// What else goes wrong while a client hangs up is said as ever: a database that is
// down makes all clients give up.
func TestFailuresAreLoggedAlsoIfTheClientHungUp(t *testing.T) {
	for _, c := range []struct {
		name string
		err  error
		gone bool
		want string
	}{
		{"the client hung up", &totperrors.Error{Code: totperrors.CodeUnavailable, Err: context.Canceled}, true, hungUp},
		{"the database is down", &totperrors.Error{Code: totperrors.CodeUnavailable, Err: errors.New("down")}, true, "WARN devicetotp: request failed"},
		{"the database was late", &totperrors.Error{Code: totperrors.CodeUnavailable, Err: context.DeadlineExceeded}, true, "WARN devicetotp: request failed"},
		{"a fault", &totperrors.Error{Code: totperrors.CodeInternal, Err: context.Canceled}, true, "ERROR devicetotp: request failed"},
		{"cancelled, and nobody hung up", &totperrors.Error{Code: totperrors.CodeUnavailable, Err: context.Canceled}, false, "WARN devicetotp: request failed"},
	} {
		var log lines
		opts := jsonapi.Config{Logger: slog.New(&log)}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		if c.gone {
			cancel()
		}
		serve(t, handlerWith(t, failing(c.err), authenticating(jsonapi.Principal{AccountID: accountID, Scopes: bothScopes}, nil), opts),
			request(plainBody).WithContext(ctx))
		jsonapi.WriteError(httptest.NewRecorder(), request(plainBody).WithContext(ctx), c.err, opts)
		require.Equal(t, map[string]int{c.want: 2}, log.count, c.name)
	}
}

// A client that shuts down its sending half counts as gone: net/http cannot tell the
// two apart. It is answered if it still listens.
func TestHalfClosedConnectionCountsAsHungUp(t *testing.T) {
	var log lines
	issuer := &creator{answer: func(ctx context.Context, _ devicetotp.CreateRequest) (devicetotp.DeviceTOTP, error) {
		<-ctx.Done()
		return devicetotp.DeviceTOTP{}, &totperrors.Error{Code: totperrors.CodeUnavailable, Err: ctx.Err()}
	}}
	address, answered := serving(t, handlerWith(t, issuer, jsonapi.Bearer(tokens), jsonapi.Config{Logger: slog.New(&log)}))
	conn, err := net.Dial("tcp", address)
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	_, err = fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer good\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s",
		jsonapi.MediaType, len(plainBody), plainBody)
	require.NoError(t, err)
	require.NoError(t, conn.(*net.TCPConn).CloseWrite())
	<-answered
	require.Equal(t, map[string]int{hungUp: 1}, log.count)
	text, err := io.ReadAll(conn)
	require.NoError(t, err)
	require.True(t, bytes.HasPrefix(text, []byte("HTTP/1.1 500 ")), "%s", text)
	require.Contains(t, string(text), "unavailable")
}
