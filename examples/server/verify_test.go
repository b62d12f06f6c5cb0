package main

import (
	"context"
	"encoding/base32"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/verifier"
)

const verifyPath = "/user/2025-1/user/devices/totp/verify"

// codeOf asks oathtool, which was not written here, for the code of a secret.
// Without it, on a laptop, the library's own generator must do.
func codeOf(t *testing.T, secret string) string {
	t.Helper()
	path, err := exec.LookPath("oathtool")
	if err == nil {
		code, err := exec.CommandContext(context.Background(), path, "--totp", "-b", secret).Output()
		require.NoError(t, err)
		return strings.TrimSpace(string(code))
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("oathtool is not installed:", err)
	}
	t.Log("oathtool is not installed: the code is the library's own")
	raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(secret)
	require.NoError(t, err)
	totp := verifier.TOTP{Secret: credential.NewSecret(string(raw)), Algorithm: credential.AlgorithmSHA1, Digits: 6, Period: 30 * time.Second}
	code, err := totp.Code(totp.Step(time.Now()))
	require.NoError(t, err)
	return code.Reveal()
}

func TestCodeIsAcceptedOnce(t *testing.T) {
	s := startInMemory(t, documentedAccount)
	d := s.create(documentedRequest).device(t)
	body := `{"code":"` + codeOf(t, d.Data.Attributes.Secret) + `"}`

	accepted := s.post(verifyPath, "good", body)
	require.Equal(t, http.StatusOK, accepted.status, accepted.body)
	require.Equal(t, "application/json", accepted.header.Get("Content-Type"))
	var match verifyAnswer
	require.NoError(t, json.Unmarshal([]byte(accepted.body), &match))
	require.Equal(t, documentedID, match.DeviceID)
	require.LessOrEqual(t, max(match.Drift, -match.Drift), 1)
	require.Positive(t, match.Step)
	require.True(t, match.ValidUntil.After(time.Now().Add(-time.Minute)))
	require.Contains(t, accepted.body, `"restsOnGrace":`)

	s.post(verifyPath, "good", body).refused(t, http.StatusForbidden, "invalid-credentials")
}

// A code is taken as apps display it, and as people type it.
func TestCodeIsTakenAsItIsTyped(t *testing.T) {
	const secret = "PBVDSNDDKZ4HGZ3UG5CHUUSEMJCTCSCU"
	s := startInMemory(t, `[{"id": "acct-1", "token": "good",
		"devices": [{"id": "738E379F-FE30-45AB-819C-BA88804B6368", "secret": "`+secret+`"}]}]`)
	code := codeOf(t, secret)
	body := `{"code":" ` + code[:3] + `\u00a0` + code[3:] + `"}`
	require.Equal(t, http.StatusOK, s.post(verifyPath, "good", body).status)
}

// A device of the accounts file works as an issued one does.
func TestImportedDevice(t *testing.T) {
	const secret = "PBVDSNDDKZ4HGZ3UG5CHUUSEMJCTCSCU"
	s := startInMemory(t, `[{"id": "acct-1", "token": "good",
		"devices": [{"id": "738E379F-FE30-45AB-819C-BA88804B6368", "secret": "`+secret+`"}]}]`)
	body := `{"code":"` + codeOf(t, secret) + `","deviceId":"` + documentedID + `"}`
	require.Equal(t, http.StatusOK, s.post(verifyPath, "good", body).status)
	s.create(request(documentedID, `{}`)).refused(t, http.StatusUnprocessableEntity, "id-in-use")
}

// The current code of a device is a user OTP.
func TestDeviceCodeMakesAnotherDevice(t *testing.T) {
	s := startInMemory(t, documentedAccount)
	d := s.create(documentedRequest).device(t)
	attributes := `{"otp":"` + codeOf(t, d.Data.Attributes.Secret) + `"}`
	s.create(request(otherID, attributes)).device(t)
	s.create(request(thirdID, attributes)).refused(t, http.StatusForbidden, "invalid-credentials")
}

func TestVerifyRefuses(t *testing.T) {
	s := startInMemory(t, documentedAccount)
	for name, c := range map[string]struct {
		token, body string
		status      int
		code        string
	}{
		"no code":          {"good", `{}`, http.StatusForbidden, "credentials-required"},
		"null":             {"good", `{"code":null}`, http.StatusForbidden, "credentials-required"},
		"a wrong code":     {"good", `{"code":"12345"}`, http.StatusForbidden, "invalid-credentials"},
		"a bad device id":  {"good", `{"code":"000000","deviceId":"7"}`, http.StatusUnprocessableEntity, "invalid-id"},
		"not JSON":         {"good", `code=000000`, http.StatusUnprocessableEntity, "invalid-argument"},
		"two values":       {"good", `{"code":"000000"}{}`, http.StatusUnprocessableEntity, "invalid-argument"},
		"an unknown field": {"good", `{"code":"000000","pin":"1"}`, http.StatusUnprocessableEntity, "invalid-argument"},
		"too long":         {"good", `{"code":"` + strings.Repeat("0", 8<<10) + `"}`, http.StatusUnprocessableEntity, "invalid-argument"},
		"a wrong token":    {"bad", `{"code":"000000"}`, http.StatusUnauthorized, "unauthorized"},
	} {
		t.Run(name, func(t *testing.T) {
			s.t = t
			s.post(verifyPath, c.token, c.body).refused(t, c.status, c.code)
		})
	}
}
