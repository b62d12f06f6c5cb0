package main

import (
	"encoding/base64"
	"encoding/json"
	"image/png"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
)

func startDemo(t *testing.T, accounts string) *running {
	t.Helper()
	return start(t, accounts, "-store", "memory", "-key-file", filepath.Join(t.TempDir(), "keys"), "-demo")
}

func (s *running) get(path string) answer {
	s.t.Helper()
	got, err := s.client.Get(s.base + path)
	require.NoError(s.t, err)
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	require.NoError(s.t, err)
	return answer{got.StatusCode, got.Header, string(text)}
}

func TestDemoPageIsBehindItsFlag(t *testing.T) {
	s := startInMemory(t, documentedAccount)
	for _, path := range []string{"/demo", "/demo/page.js", "/demo/page.css", "/demo/devices", "/demo/recovery-codes"} {
		require.Equal(t, http.StatusNotFound, s.get(path).status, path)
	}
	require.Equal(t, http.StatusNotFound, s.post("/demo/devices", "good", `{"pin":"8299"}`).status)
	require.NotContains(t, s.stdout.String(), "/demo")
}

// Nothing of the page comes from anywhere else, and its policy allows nothing
// that the page does not need.
func TestDemoPageStandsAlone(t *testing.T) {
	s := startDemo(t, documentedAccount)
	for path, kind := range map[string]string{
		"/demo":          "text/html; charset=utf-8",
		"/demo/page.css": "text/css; charset=utf-8",
		"/demo/page.js":  "text/javascript; charset=utf-8",
	} {
		t.Run(path, func(t *testing.T) {
			s.t = t
			got := s.get(path)
			require.Equal(t, http.StatusOK, got.status)
			require.Equal(t, kind, got.header.Get("Content-Type"))
			policy := got.header.Get("Content-Security-Policy")
			require.Contains(t, policy, "default-src 'none'")
			require.Contains(t, policy, "form-action 'none'", "no form may put what was typed into an address")
			require.NotContains(t, policy, "unsafe")
			require.Equal(t, "nosniff", got.header.Get("X-Content-Type-Options"))
			require.Equal(t, "no-referrer", got.header.Get("Referrer-Policy"))
			require.NotRegexp(t, regexp.MustCompile(`https?:|"//|url\(|@import|<style|\sstyle=|\son\w+=`), got.body)
		})
	}
	s.t = t
	for _, link := range regexp.MustCompile(`(?:src|href)="([^"]*)"`).FindAllStringSubmatch(s.get("/demo").body, -1) {
		if link[1] != "data:," {
			require.Equal(t, http.StatusOK, s.get(link[1]).status, link[1])
		}
	}
	// Only now: the server has printed everything before it answers anything.
	require.Contains(t, s.stdout.String(), s.base+"/demo\n")
}

// The answer has the QR code as a picture, and the secret is in nothing that is
// logged.
func TestDemoPageEnrols(t *testing.T) {
	s := startDemo(t, documentedAccount)
	got := s.post("/demo/devices", "good", `{"otp":"000000","pin":"8299"}`)
	require.Equal(t, http.StatusCreated, got.status, got.body)
	require.Equal(t, "no-store", got.header.Get("Cache-Control"))
	var device enrolAnswer
	require.NoError(t, json.Unmarshal([]byte(got.body), &device))
	require.Equal(t, "pin", device.Basis)
	require.Regexp(t, `^[A-Z2-7]{32}$`, device.Secret)

	uri, err := url.Parse(device.URI)
	require.NoError(t, err)
	require.Equal(t, "otpauth", uri.Scheme)
	require.Equal(t, device.Secret, uri.Query().Get("secret"))

	data, found := strings.CutPrefix(device.QR, "data:image/png;base64,")
	require.True(t, found)
	picture, err := png.Decode(base64.NewDecoder(base64.StdEncoding, strings.NewReader(data)))
	require.NoError(t, err)
	require.Equal(t, qrPixels, picture.Bounds().Dx(), "what it says is read in the test in a browser")

	code := codeOf(t, device.Secret)
	verify := `{"code":"` + code + `","deviceId":"` + device.DeviceID + `"}`
	require.Equal(t, http.StatusOK, s.post(verifyPath, "good", verify).status)
	s.post(verifyPath, "good", verify).refused(t, http.StatusForbidden, "invalid-credentials")
	s.stop()
	require.NotContains(t, s.log.String(), device.Secret)
	for _, secret := range []string{"8299", code, "otpauth", "base64"} {
		require.NotContains(t, chosen(s.log.String()), secret)
	}
}

// It refuses as the documented endpoint does.
func TestDemoPageRefuses(t *testing.T) {
	s := startDemo(t, `[
		{"id": "acct-1", "token": "good", "registered_ago": "10m", "pin": "8299"},
		{"id": "acct-2", "token": "no-scope", "registered_ago": "1m", "scopes": []},
		{"id": "acct-3", "token": "no-grace", "registered_ago": "1m", "scopes": ["user:device-totps:create"]},
		{"id": "acct:4", "token": "new", "registered_ago": "0s"}]`)
	for name, c := range map[string]struct {
		token, body string
		status      int
		code        string
	}{
		"nothing presented":  {"good", `{}`, http.StatusForbidden, "credentials-required"},
		"a wrong PIN":        {"good", `{"pin":"0000"}`, http.StatusForbidden, "invalid-credentials"},
		"an unknown field":   {"good", `{"PIM":"8299"}`, http.StatusUnprocessableEntity, "invalid-argument"},
		"not JSON":           {"good", `pin=8299`, http.StatusUnprocessableEntity, "invalid-argument"},
		"too long":           {"good", `{"pin":"` + strings.Repeat("8", maxDemoInput) + `"}`, http.StatusUnprocessableEntity, "invalid-argument"},
		"a wrong token":      {"bad", `not JSON`, http.StatusUnauthorized, "unauthorized"},
		"no scope":           {"no-scope", `{}`, http.StatusForbidden, "insufficient-scope"},
		"no scope for grace": {"no-grace", `{}`, http.StatusForbidden, "credentials-required"},
	} {
		t.Run(name, func(t *testing.T) {
			s.t = t
			s.post("/demo/devices", c.token, c.body).refused(t, c.status, c.code)
			if name != "no scope for grace" {
				s.post("/demo/recovery-codes", c.token, c.body).refused(t, c.status, c.code)
			}
		})
	}
	s.t = t
	require.Equal(t, http.StatusCreated, s.post("/demo/devices", "new", `{}`).status, "grace, and a colon in the id")
}

// The accounts of the example are named only where they are.
func TestDemoPageNamesTheDemoAccounts(t *testing.T) {
	own := startDemo(t, documentedAccount).get("/demo").body
	for _, hint := range []string{"8299", `"good"`, "demo accounts"} {
		require.NotContains(t, own, hint)
	}
	page, err := demoPage(true)
	require.NoError(t, err)
	require.Contains(t, string(page), `value="8299"`)
	require.Contains(t, string(page), `value="good"`)
	require.Contains(t, string(page), "The demo accounts")
}

// Recovery codes are given against a credential, and each makes one device. One
// that the access token alone could have made is no credential.
func TestDemoPageMakesRecoveryCodes(t *testing.T) {
	s := startDemo(t, `[
		{"id": "acct-1", "token": "good", "registered_ago": "10m", "pin": "8299"},
		{"id": "acct-2", "token": "new", "registered_ago": "0s"},
		{"id": "acct-3", "token": "reader", "registered_ago": "10m", "pin": "8299", "scopes": ["user:device-totps:create"]}]`)
	made := s.post("/demo/recovery-codes", "good", `{"pin":"8299"}`)
	require.Equal(t, http.StatusCreated, made.status, made.body)
	require.Equal(t, "no-store", made.header.Get("Cache-Control"))
	var answer struct{ Codes []string }
	require.NoError(t, json.Unmarshal([]byte(made.body), &answer))
	require.Len(t, answer.Codes, 10)
	otp := `{"otp":"` + strings.ToUpper(answer.Codes[3]) + `"}`
	require.Equal(t, http.StatusCreated, s.post("/demo/devices", "good", otp).status)
	s.post("/demo/devices", "good", otp).refused(t, http.StatusForbidden, "invalid-credentials")

	s.post("/demo/recovery-codes", "reader", `{"pin":"8299"}`).refused(t, http.StatusForbidden, "insufficient-scope")
	s.post("/demo/recovery-codes", "new", `{}`).refused(t, http.StatusForbidden, "credentials-required")
	var device enrolAnswer
	require.NoError(t, json.Unmarshal([]byte(s.post("/demo/devices", "new", `{}`).body), &device))
	onGrace := s.post("/demo/recovery-codes", "new", `{"otp":"`+codeOf(t, device.Secret)+`"}`)
	onGrace.refused(t, http.StatusForbidden, "credentials-required")
	require.Contains(t, onGrace.body, "created without a credential")
	s.stop()
	require.NotContains(t, s.log.String(), answer.Codes[3])
}

// The page distinguishes a used code from a wrong one where the library does, for
// codes that were sent. For codes of devices it says only that they were refused.
func TestDemoPageTellsOfAUsedCode(t *testing.T) {
	s := startDemo(t, documentedAccount)
	var device enrolAnswer
	require.NoError(t, json.Unmarshal([]byte(s.post("/demo/devices", "good", `{"otp":"526271"}`).body), &device))
	const used = "This one-time code was right, and has been used."
	again := s.post("/demo/devices", "good", `{"otp":"526271"}`)
	again.refused(t, http.StatusForbidden, "invalid-credentials")
	require.Contains(t, again.body, used)
	require.NotContains(t, s.post("/demo/devices", "good", `{"otp":"526272"}`).body, used)
	require.NotContains(t, s.create(request(otherID, `{"otp":"526271"}`)).body, used, "the documented endpoint answers all alike")

	code := codeOf(t, device.Secret)
	require.Equal(t, http.StatusCreated, s.post("/demo/devices", "good", `{"otp":"`+code+`"}`).status)
	ofDevice := s.post("/demo/devices", "good", `{"otp":"`+code+`"}`)
	ofDevice.refused(t, http.StatusForbidden, "invalid-credentials")
	require.NotContains(t, ofDevice.body, "has been used")
}

// A code and a PIN are taken as they are typed; neither is a guess.
func TestDemoPageTakesWhatIsMeant(t *testing.T) {
	s := startDemo(t, documentedAccount)
	require.Equal(t, http.StatusCreated, s.post("/demo/devices", "good", `{"otp":"526 271"}`).status)
	require.Equal(t, http.StatusCreated, s.post("/demo/devices", "good", `{"pin":" 82\u00a099"}`).status)
	require.Equal(t, http.StatusCreated, s.post("/demo/recovery-codes", "good", `{"pin":"８２９９"}`).status)
	s.post("/demo/devices", "good", `{"password":"superSecret 12345!"}`).refused(t, http.StatusForbidden, "invalid-credentials")
}

func TestQRCodeWithoutALabel(t *testing.T) {
	_, err := qrCode(devicetotp.DeviceTOTP{Secret: credential.NewSecret("12345678901234567890")}, "")
	require.Error(t, err)
}
