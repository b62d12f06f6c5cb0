package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/examples/internal/contract"
)

// patience is how long a test waits for something that must come.
const patience = 30 * time.Second

// documentedAccount is the account that the published request is for.
const documentedAccount = `[{"id": "acct-1", "token": "good", "registered_ago": "10m",
	"password": "superSecret12345!", "pin": "8299",
	"otps": [{"code": "526271", "kind": "account", "expires_in": "5m"}]}]`

// documentedRequest is the published one, as it stands.
const documentedRequest = `{
"data": {
"type": "deviceTOTP",
"id": "738e379f-fe30-45ab-819c-ba88804b6368",
"attributes": {
"pin": "8299",
"password": "superSecret12345!",
"otp": "526271"
}
}
}`

const (
	documentedID = "738e379f-fe30-45ab-819c-ba88804b6368"
	otherID      = "11111111-2222-4333-8444-555555555555"
	thirdID      = "22222222-2222-4333-8444-555555555555"
)

// output is a writer that can be read while it is written to.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// byChance are the attributes of a log line in which a few digits can be those
// of a PIN by chance.
var byChance = regexp.MustCompile(`\b(time|file|addr|request_id|device)=\S*`)

// chosen is what the server chose to log: all but those.
func chosen(log string) string { return byChance.ReplaceAllString(log, "$1=") }

// running is a server in this process, called over a real socket.
type running struct {
	t      *testing.T
	base   string
	client *http.Client
	stdout *output
	log    *output
	cancel context.CancelFunc
	ended  chan error
}

var serving = regexp.MustCompile(`Serving on (http://[^,]+),`)

// start runs the server with the accounts and waits until it serves.
func start(t *testing.T, accounts string, args ...string) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	s := &running{t: t, client: contract.Client(t), stdout: &output{}, log: &output{}, cancel: cancel, ended: make(chan error, 1)}
	args = append([]string{"-addr", "127.0.0.1:0", "-accounts", writeFile(t, "accounts.json", accounts)}, args...)
	go func() { s.ended <- run(ctx, args, s.stdout, s.log) }()
	t.Cleanup(cancel)
	deadline := time.Now().Add(patience)
	for {
		if found := serving.FindStringSubmatch(s.stdout.String()); found != nil {
			s.base = found[1]
			return s
		}
		select {
		case err := <-s.ended:
			t.Fatalf("the server ended: %v\n%s", err, s.log)
		case <-time.After(time.Millisecond):
		}
		require.True(t, time.Now().Before(deadline), "the server does not start:\n%s", s.log)
	}
}

// startInMemory starts a server that forgets.
func startInMemory(t *testing.T, accounts string) *running {
	t.Helper()
	return start(t, accounts, "-store", "memory", "-key-file", filepath.Join(t.TempDir(), "keys"))
}

// stop stops the server as SIGTERM does.
func (s *running) stop() {
	s.t.Helper()
	s.cancel()
	select {
	case err := <-s.ended:
		require.NoError(s.t, err)
	case <-time.After(patience):
		s.t.Fatal("the server does not stop")
	}
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
}

func (s *running) post(path, token, body string) answer {
	s.t.Helper()
	r, err := http.NewRequest(http.MethodPost, s.base+path, strings.NewReader(body))
	require.NoError(s.t, err)
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/vnd.api+json")
	r.Header.Set("Accept", "*/*")
	got, err := s.client.Do(r)
	require.NoError(s.t, err)
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	require.NoError(s.t, err)
	return answer{got.StatusCode, got.Header, string(text)}
}

// create posts to the endpoint as acct-1.
func (s *running) create(body string) answer {
	s.t.Helper()
	return s.post("/user/2025-1/user/devices/totp", "good", body)
}

// request is a body with the attributes, which are JSON.
func request(id, attributes string) string {
	return `{"data":{"type":"deviceTOTP","id":"` + id + `","attributes":` + attributes + `}}`
}

// device is the document of a 201.
type device struct {
	Data struct {
		Type       string `json:"type"`
		ID         string `json:"id"`
		Attributes struct {
			Secret    string `json:"secret"`
			Period    int    `json:"period"`
			Digits    int    `json:"digits"`
			Algorithm string `json:"algorithm"`
		} `json:"attributes"`
	} `json:"data"`
}

func (a answer) device(t *testing.T) device {
	t.Helper()
	require.Equal(t, http.StatusCreated, a.status, a.body)
	var d device
	require.NoError(t, json.Unmarshal([]byte(a.body), &d))
	return d
}

// refused requires an error document of this status and code.
func (a answer) refused(t *testing.T, status int, code string) {
	t.Helper()
	require.Equal(t, status, a.status, a.body)
	var d struct {
		Errors []struct {
			ID     string `json:"id"`
			Status string `json:"status"`
			Code   string `json:"code"`
			Title  string `json:"title"`
		} `json:"errors"`
	}
	require.NoError(t, json.Unmarshal([]byte(a.body), &d))
	require.Len(t, d.Errors, 1, a.body)
	require.Equal(t, code, d.Errors[0].Code)
	require.Equal(t, a.header.Get("Request-Id"), d.Errors[0].ID)
}

func writeFile(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}
