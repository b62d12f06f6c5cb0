package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// dial opens a connection that ends with the test.
func (s *running) dial() net.Conn {
	s.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.base, "http://"))
	require.NoError(s.t, err)
	s.t.Cleanup(func() { _ = conn.Close() })
	require.NoError(s.t, conn.SetDeadline(time.Now().Add(patience)))
	return conn
}

// A request that is in the handler when the server is told to stop is answered,
// and nobody new is let in.
func TestStopAnswersWhatIsInFlight(t *testing.T) {
	s := startInMemory(t, documentedAccount)
	conn := s.dial()
	fmt.Fprintf(conn, "POST /user/2025-1/user/devices/totp HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer good\r\n"+
		"Content-Type: application/vnd.api+json\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n", len(documentedRequest))
	reader := bufio.NewReader(conn)
	line, err := reader.ReadString('\n')
	require.NoError(t, err)
	require.Contains(t, line, "100 Continue", "the handler is waiting for the body")
	_, err = reader.ReadString('\n')
	require.NoError(t, err)

	s.cancel()
	require.Eventually(t, func() bool {
		another, err := net.Dial("tcp", strings.TrimPrefix(s.base, "http://"))
		if err == nil {
			_ = another.Close()
		}
		return err != nil
	}, patience, time.Millisecond, "the port closes")

	_, err = io.WriteString(conn, documentedRequest)
	require.NoError(t, err)
	got, err := http.ReadResponse(reader, nil)
	require.NoError(t, err)
	defer got.Body.Close()
	require.Equal(t, http.StatusCreated, got.StatusCode)
	body, err := io.ReadAll(got.Body)
	require.NoError(t, err)
	require.Contains(t, string(body), documentedID)
	s.stop()
}

func TestHugeHeadersAreRefused(t *testing.T) {
	s := startInMemory(t, documentedAccount)
	conn := s.dial()
	go func() { // the server stops reading on the way, so the rest cannot be written
		_, _ = fmt.Fprintf(conn, "GET /healthz HTTP/1.1\r\nHost: test\r\nX-Filler: %s\r\n\r\n", strings.Repeat("x", 2*maxHeaderBytes))
	}()
	got, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	defer got.Body.Close()
	require.Equal(t, http.StatusRequestHeaderFieldsTooLarge, got.StatusCode)
}

// A body of ten megabytes is refused, and reaches no credential.
func TestHugeBodiesAreRefused(t *testing.T) {
	s := startInMemory(t, documentedAccount)
	huge := request(otherID, `{"pin":"`+strings.Repeat("8", 10<<20)+`"}`)
	conn := s.dial()
	go func() {
		_, _ = fmt.Fprintf(conn, "POST /user/devices/totp HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer good\r\n"+
			"Content-Type: application/vnd.api+json\r\nContent-Length: %d\r\n\r\n%s", len(huge), huge)
	}()
	got, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	defer got.Body.Close()
	require.Equal(t, http.StatusUnprocessableEntity, got.StatusCode)
	require.NotContains(t, s.log.String(), "pin.result")
}

// Every time-out is set, and they fit each other.
func TestTimeouts(t *testing.T) {
	server := newServer(http.NotFoundHandler(), quiet())
	require.Positive(t, server.ReadHeaderTimeout)
	require.Greater(t, server.ReadTimeout, server.ReadHeaderTimeout)
	require.Greater(t, server.WriteTimeout, server.ReadTimeout, "the time to answer counts from the end of the headers")
	require.Positive(t, server.IdleTimeout)
	require.Equal(t, maxHeaderBytes, server.MaxHeaderBytes)
}
