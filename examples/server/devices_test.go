package main

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// call sends any request as acct-1.
func (s *running) call(method, path, body string) answer {
	s.t.Helper()
	r, err := http.NewRequest(method, s.base+path, strings.NewReader(body))
	require.NoError(s.t, err)
	r.Header.Set("Authorization", "Bearer good")
	if body != "" {
		r.Header.Set("Content-Type", "application/vnd.api+json")
	}
	got, err := s.client.Do(r)
	require.NoError(s.t, err)
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	require.NoError(s.t, err)
	return answer{got.StatusCode, got.Header, string(text)}
}

// A device from its birth to its end, below both prefixes.
func TestDeviceIsListedRenamedAndRevoked(t *testing.T) {
	s := startInMemory(t, documentedAccount)
	d := s.create(documentedRequest).device(t)
	for _, prefix := range []string{"", "/user/2024-2"} {
		all, one := prefix+"/user/devices/totp", prefix+"/user/devices/totp/"+documentedID

		listed := s.call("GET", all, "")
		require.Equal(t, http.StatusOK, listed.status, listed.body)
		require.Contains(t, listed.body, documentedID)
		require.NotContains(t, listed.body, d.Data.Attributes.Secret)

		name := "phone of " + prefix
		renamed := s.call("PATCH", one, `{"data":{"type":"deviceTOTP","id":"`+documentedID+`","attributes":{"name":"`+strings.TrimSpace(name)+`"}}}`)
		require.Equal(t, http.StatusOK, renamed.status, renamed.body)
		require.Equal(t, renamed.body, s.call("GET", one, "").body)
	}
	one := "/user/2025-1/user/devices/totp/" + documentedID
	require.Equal(t, http.StatusNoContent, s.call("DELETE", one, "").status)
	require.Equal(t, http.StatusNoContent, s.call("DELETE", one, "").status)
	s.call("GET", one, "").refused(t, http.StatusNotFound, "not-found")
	s.call("PUT", one, "").refused(t, http.StatusMethodNotAllowed, "method-not-allowed")
}
