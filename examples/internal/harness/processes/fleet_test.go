package processes

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
)

// patience is how long a test waits for something that must come.
const patience = 2 * time.Minute

// A fleet is so many processes of a server on one store, with one key file.
type fleet struct {
	t      *testing.T
	client *http.Client
	bases  []string
}

// startFleet builds the server and starts it size times: one that makes the
// tables and loads the accounts, and then all the others at once.
func startFleet(t *testing.T, size int, store, accounts string) *fleet {
	t.Helper()
	dir := t.TempDir()
	accountsFile := filepath.Join(dir, "accounts.json")
	require.NoError(t, os.WriteFile(accountsFile, []byte(accounts), 0o600))
	return launchFleet(t, size, buildServer(t),
		"-addr", "127.0.0.1:0", "-store", store, "-accounts", accountsFile, "-key-file", writeKey(t))
}

// writeKey makes a key file.
func writeKey(t *testing.T) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "keys")
	require.NoError(t, os.WriteFile(path, []byte(credential.KeyText(credential.NewKey("k"))+"\n"), 0o600))
	return path
}

func launchFleet(t *testing.T, size int, binary string, args ...string) *fleet {
	t.Helper()
	transport := &http.Transport{MaxIdleConnsPerHost: clients}
	t.Cleanup(transport.CloseIdleConnections)
	f := &fleet{
		t: t, bases: make([]string, size),
		client: &http.Client{Transport: transport, Timeout: patience},
	}
	f.bases[0] = launchServer(t, binary, args...)()
	serving := make([]func() string, size)
	for i := range serving[1:] {
		serving[i+1] = launchServer(t, binary, args...)
	}
	for i, wait := range serving[1:] {
		f.bases[i+1] = wait()
	}
	return f
}

// binaryDir is removed by TestMain.
var binaryDir string

var serverBinary = sync.OnceValues(func() (path string, err error) {
	if binaryDir, err = os.MkdirTemp("", "server"); err != nil {
		return "", err
	}
	path = filepath.Join(binaryDir, "server")
	if out, err := exec.Command("go", "build", "-o", path, "../../../server").CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build ../../../server: %w\n%s", err, out)
	}
	return path, nil
})

// buildServer builds the example server once for all tests.
func buildServer(t *testing.T) string {
	t.Helper()
	path, err := serverBinary()
	require.NoError(t, err)
	return path
}

var serving = regexp.MustCompile(`Serving on (http://[^,]+),`)

// launchServer starts one process, which ends with the test. The returned
// function waits until it serves and returns where.
func launchServer(t *testing.T, binary string, args ...string) (wait func() string) {
	t.Helper()
	server := exec.Command(binary, args...)
	stdout, err := server.StdoutPipe()
	require.NoError(t, err)
	var log bytes.Buffer // read after the process has ended
	server.Stderr = &log
	require.NoError(t, server.Start())
	base := make(chan string, 1)
	read := make(chan struct{})
	go func() {
		defer close(read)
		defer close(base)
		lines := bufio.NewScanner(stdout)
		for lines.Scan() {
			if found := serving.FindStringSubmatch(lines.Text()); found != nil {
				base <- found[1]
			}
		}
	}()
	end := sync.OnceFunc(func() {
		_ = server.Process.Kill()
		<-read
		_ = server.Wait() // killed
	})
	t.Cleanup(func() {
		end()
		if t.Failed() {
			t.Logf("the end of a server's log:\n%s", tail(log.String()))
		}
	})
	return func() string {
		t.Helper()
		select {
		case where, ok := <-base:
			if !ok {
				end()
				t.Fatalf("the server ended:\n%s", tail(log.String()))
			}
			return where
		case <-time.After(patience):
			end()
			t.Fatalf("the server does not start:\n%s", tail(log.String()))
			return ""
		}
	}
}

func tail(text string) string { return text[max(0, len(text)-2000):] }

// An answer is what a client got in the end.
type answer struct {
	status  int
	code    string // of a refusal
	unclear int    // 500s before it
}

// create sends one request until it gets an answer other than 500, which means
// that it is unknown what became of it.
func (f *fleet) create(process int, token, deviceID, otp string) (answer, error) {
	body := fmt.Sprintf(`{"data":{"type":"deviceTOTP","id":%q,"attributes":{"otp":%q}}}`, deviceID, otp)
	for unclear := 0; ; unclear++ {
		got, err := f.post(f.bases[process]+"/user/2025-1/user/devices/totp", token, body)
		if err != nil || got.status != http.StatusInternalServerError || unclear == 20 {
			got.unclear = unclear
			return got, err
		}
	}
}

func (f *fleet) post(url, token, body string) (answer, error) {
	r, err := http.NewRequestWithContext(f.t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/vnd.api+json")
	response, err := f.client.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return answer{}, err
	}
	var document struct {
		Errors []struct {
			Code string `json:"code"`
		} `json:"errors"`
	}
	if err := json.Unmarshal(text, &document); err != nil {
		return answer{}, fmt.Errorf("%s: %w", text, err)
	}
	a := answer{status: response.StatusCode}
	if len(document.Errors) > 0 {
		a.code = document.Errors[0].Code
	}
	return a, nil
}
