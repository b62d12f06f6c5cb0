package main

import (
	"net/http"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// The published request, in the order in which somebody would try it.
func TestDocumentedRequest(t *testing.T) {
	s := startInMemory(t, documentedAccount)

	first := s.create(documentedRequest)
	d := first.device(t)
	require.Equal(t, "deviceTOTP", d.Data.Type)
	require.Equal(t, documentedID, d.Data.ID, "the id of the request comes back")
	require.Regexp(t, `^[A-Z2-7]{32}$`, d.Data.Attributes.Secret)
	require.Equal(t, 30, d.Data.Attributes.Period)
	require.Equal(t, 6, d.Data.Attributes.Digits)
	require.Equal(t, "SHA1", d.Data.Attributes.Algorithm)

	again := s.create(documentedRequest)
	require.Equal(t, http.StatusCreated, again.status)
	require.Equal(t, first.body, again.body, "the same body again: the same device again")

	other := s.create(request(otherID, `{"pin":"8299","password":"superSecret12345!","otp":"526271"}`)).device(t)
	require.Equal(t, otherID, other.Data.ID, "the OTP is spent, the password lets it through")
	require.NotEqual(t, d.Data.Attributes.Secret, other.Data.Attributes.Secret)

	s.create(request(thirdID, `{"otp":"526271"}`)).refused(t, http.StatusForbidden, "invalid-credentials")
	require.Contains(t, s.log.String(), "otp.result=spent", "the log tells what the answer does not")
	s.stop()
}

// Presenting nothing is granted up to five minutes after registration.
func TestGrace(t *testing.T) {
	s := startInMemory(t, `[
		{"id": "new", "token": "new", "registered_ago": "1m", "pin": "8299"},
		{"id": "old", "token": "old", "registered_ago": "6m", "pin": "8299"},
		{"id": "unknown", "token": "unknown", "pin": "8299"},
		{"id": "scoped", "token": "scoped", "registered_ago": "1m", "scopes": ["user:device-totps:create"]}]`)
	const path, nothing = "/user/2025-1/user/devices/totp", `{"data":{"type":"deviceTOTP","attributes":{}}}`

	s.post(path, "new", nothing).device(t)
	s.post(path, "new", request(otherID, `{"pin":"0000"}`)).refused(t, http.StatusForbidden, "invalid-credentials")
	s.post(path, "old", nothing).refused(t, http.StatusForbidden, "credentials-required")
	s.post(path, "unknown", nothing).refused(t, http.StatusForbidden, "credentials-required")
	s.post(path, "scoped", nothing).refused(t, http.StatusForbidden, "credentials-required")
}

func TestRefusals(t *testing.T) {
	s := startInMemory(t, `[
		{"id": "acct-1", "token": "good", "pin": "8299"},
		{"id": "locked", "token": "locked", "pin": "8299", "locked": true},
		{"id": "unlinked", "token": "unlinked", "linked_identity": false},
		{"id": "unscoped", "token": "unscoped", "scopes": []}]`)
	const path = "/user/2025-1/user/devices/totp"
	pin := request(otherID, `{"pin":"8299"}`)

	s.create(`{"data":{"type":"device","attributes":{}}}`).refused(t, http.StatusUnprocessableEntity, "invalid-type")
	s.create(`{"data":{"type":"deviceTOTP","id":"7"}}`).refused(t, http.StatusUnprocessableEntity, "invalid-id")
	s.create(`{`).refused(t, http.StatusUnprocessableEntity, "invalid-document")
	s.post(path, "nobody's", pin).refused(t, http.StatusUnauthorized, "unauthorized")
	s.post(path, "unlinked", pin).refused(t, http.StatusUnauthorized, "missing-linked-identity")
	s.post(path, "unscoped", pin).refused(t, http.StatusForbidden, "insufficient-scope")
	s.post(path, "locked", pin).refused(t, http.StatusForbidden, "account-locked")
}

// The published clients call it below /user and a version, and so does a host
// that mounts it at the root.
func TestMounts(t *testing.T) {
	s := startInMemory(t, `[{"id": "acct-1", "token": "good", "registered_ago": "1m"}]`)
	for _, path := range []string{"/user/devices/totp", "/user/2025-1/user/devices/totp", "/user/2024-2/user/devices/totp"} {
		s.post(path, "good", `{"data":{"type":"deviceTOTP"}}`).device(t)
		s.post(path+"/verify", "good", `{"code":"12345"}`).refused(t, http.StatusForbidden, "invalid-credentials")
	}
	require.Equal(t, http.StatusNotFound, s.post("/user/2025-1/devices/totp", "good", "").status)
	for _, path := range []string{"/openapi.json", "/healthz"} {
		got, err := s.client.Get(s.base + path)
		require.NoError(t, err)
		require.NoError(t, got.Body.Close())
		require.Equal(t, http.StatusOK, got.StatusCode, path)
	}
}

// Devices, spent codes and failures outlive the process; the accounts file does
// not bring back what was used up.
func TestRestartForgetsNothing(t *testing.T) {
	dir := t.TempDir()
	args := []string{"-store", "sqlite:" + filepath.Join(dir, "a ?#%.db"), "-key-file", filepath.Join(dir, "keys")}
	s := start(t, documentedAccount, args...)
	first := s.create(documentedRequest)
	first.device(t)
	for range 4 {
		s.create(request(otherID, `{"pin":"0000"}`)).refused(t, http.StatusForbidden, "invalid-credentials")
	}
	s.stop()

	s = start(t, documentedAccount, args...)
	require.Equal(t, first.body, s.create(documentedRequest).body, "the device is still there")
	s.create(request(documentedID, `{"pin":"8299"}`)).refused(t, http.StatusUnprocessableEntity, "id-in-use")
	s.create(request(otherID, `{"otp":"526271"}`)).refused(t, http.StatusForbidden, "invalid-credentials")
	require.Contains(t, s.log.String(), "otp.result=spent", "the code is still spent")
	s.create(request(otherID, `{"pin":"0000"}`)).refused(t, http.StatusForbidden, "invalid-credentials")
	require.Contains(t, s.log.String(), "pin.failures=5", "four failures were still counted")
	blocked := s.create(request(otherID, `{"pin":"8299"}`))
	blocked.refused(t, http.StatusForbidden, "too-many-attempts")
	require.NotEmpty(t, blocked.header.Get("Retry-After"))
	s.stop()
}

// A second start does not open grace again.
func TestRestartDoesNotOpenGrace(t *testing.T) {
	dir := t.TempDir()
	args := []string{"-store", "sqlite:" + filepath.Join(dir, "accounts.db"), "-key-file", filepath.Join(dir, "keys")}
	start(t, `[{"id": "acct-1", "token": "good", "registered_ago": "10m"}]`, args...).stop()
	s := start(t, `[{"id": "acct-1", "token": "good", "registered_ago": "0s"}]`, args...)
	s.create(`{"data":{"type":"deviceTOTP"}}`).refused(t, http.StatusForbidden, "credentials-required")
	s.stop()
}
