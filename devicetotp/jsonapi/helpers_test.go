package jsonapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/jsonapi"
)

const (
	deviceID    = "738e379f-fe30-45ab-819c-ba88804b6368"
	plainBody   = `{"data":{"type":"deviceTOTP","id":"` + deviceID + `","attributes":{"pin":"8299"}}}`
	goodToken   = "good"
	accountID   = "alice"
	sharedBytes = "12345678901234567890"
	sharedText  = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
)

// creator is a Creator that answers as it is told and remembers what it got.
type creator struct {
	mu     sync.Mutex
	got    []devicetotp.CreateRequest
	answer func(ctx context.Context, r devicetotp.CreateRequest) (devicetotp.DeviceTOTP, error)
}

func (c *creator) Create(ctx context.Context, r devicetotp.CreateRequest) (devicetotp.DeviceTOTP, error) {
	c.mu.Lock()
	c.got = append(c.got, r)
	c.mu.Unlock()
	if c.answer != nil {
		return c.answer(ctx, r)
	}
	return device(r.DeviceID), nil
}

// failing returns a creator that always answers err.
func failing(err error) *creator {
	return &creator{answer: func(context.Context, devicetotp.CreateRequest) (devicetotp.DeviceTOTP, error) {
		return devicetotp.DeviceTOTP{}, err
	}}
}

func device(id string) devicetotp.DeviceTOTP {
	if id == "" {
		id = deviceID
	}
	return devicetotp.DeviceTOTP{
		ID: strings.ToLower(id), Secret: credential.NewSecret(sharedBytes),
		Period: 30 * time.Second, Digits: 6, Algorithm: credential.AlgorithmSHA1,
	}
}

var bothScopes = []string{jsonapi.ScopeCreate, jsonapi.ScopeCreateAfterLogin}

// tokens knows the token "good" and nothing else.
func tokens(_ context.Context, token string) (jsonapi.Principal, error) {
	if token != goodToken {
		return jsonapi.Principal{}, fmt.Errorf("%w: unknown", jsonapi.ErrInvalidToken)
	}
	return jsonapi.Principal{AccountID: accountID, Scopes: bothScopes}, nil
}

// quiet is a log that nobody reads.
var quiet = slog.New(slog.DiscardHandler)

// handlerOf returns a handler over c that logs nowhere.
func handlerOf(t testing.TB, c jsonapi.Creator) http.Handler {
	return handlerWith(t, c, jsonapi.Bearer(tokens), jsonapi.Config{Logger: quiet})
}

func handlerWith(t testing.TB, c jsonapi.Creator, auth jsonapi.Authenticator, opts jsonapi.Config) http.Handler {
	t.Helper()
	h, err := jsonapi.NewHandler(c, auth, opts)
	require.NoError(t, err)
	return h
}

// request returns a POST that is answered 201, with body as its body.
func request(body string) *http.Request { return requestFrom(strings.NewReader(body)) }

func requestFrom(body io.Reader) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/user/devices/totp", body)
	r.Header.Set("Authorization", "Bearer "+goodToken)
	r.Header.Set("Content-Type", jsonapi.MediaType)
	return r
}

// answer is an answer that has been found valid.
type answer struct {
	*httptest.ResponseRecorder
	errors []errorObject
}

type errorObject struct {
	ID     string `json:"id"`
	Status string `json:"status"`
	Code   string `json:"code"`
	Title  string `json:"title"`
	Detail string `json:"detail"`
	Source *struct {
		Pointer *string `json:"pointer,omitempty"`
		Header  *string `json:"header,omitempty"`
	} `json:"source,omitempty"`
	Meta *struct {
		RetryAfter int `json:"retryAfter"`
	} `json:"meta,omitempty"`
}

// pointer returns the pointer, or "none", or the header as "header:NAME".
func (e errorObject) pointer() string {
	switch {
	case e.Source == nil:
		return "none"
	case e.Source.Pointer != nil:
		return *e.Source.Pointer
	default:
		return "header:" + *e.Source.Header
	}
}

// summary is "code pointer" of every error.
func (a answer) summary() []string {
	var s []string
	for _, e := range a.errors {
		s = append(s, strings.TrimSpace(e.Code+" "+e.pointer()))
	}
	return s
}

// serve sends r to h and checks what holds for every answer.
func serve(t testing.TB, h http.Handler, r *http.Request) answer {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	errs, err := checkAnswer(w.Code, w.Header(), w.Body.Bytes())
	require.NoError(t, err, "%s", w.Body)
	return answer{w, errs}
}

var (
	xid  = regexp.MustCompile(`^[0-9a-v]{20}$`)
	uuid = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
)

// checkAnswer tells how an answer breaks JSON:API or the promises of the
// package, and returns its errors.
func checkAnswer(status int, h http.Header, body []byte) ([]errorObject, error) {
	must := map[string]string{"Content-Type": jsonapi.MediaType, "Cache-Control": "no-store", "Vary": "Accept"}
	if status == http.StatusNoContent {
		delete(must, "Content-Type")
	}
	for name, want := range must {
		if got := h.Values(name); len(got) != 1 || got[0] != want {
			return nil, fmt.Errorf("%s is %q", name, got)
		}
	}
	id := h.Get("Request-Id")
	if !xid.MatchString(id) {
		return nil, fmt.Errorf("Request-Id is %q", id)
	}
	if (status == http.StatusUnauthorized) != (h.Get("WWW-Authenticate") != "") {
		return nil, fmt.Errorf("%d with WWW-Authenticate %q", status, h.Get("WWW-Authenticate"))
	}
	switch status {
	case http.StatusCreated:
		return nil, checkDevice(body)
	case http.StatusOK:
		return nil, checkShown(body)
	case http.StatusNoContent:
		if len(body) > 0 || h.Get("Content-Type") != "" {
			return nil, fmt.Errorf("204 with a body of type %q: %q", h.Get("Content-Type"), body)
		}
		return nil, nil
	}
	var doc struct {
		Errors []errorObject `json:"errors"`
	}
	if err := decodeExactly(body, &doc); err != nil {
		return nil, err
	}
	if len(doc.Errors) == 0 {
		return nil, fmt.Errorf("no error object")
	}
	for _, e := range doc.Errors {
		if e.ID != id || e.Status != strconv.Itoa(status) || e.Code == "" || e.Title == "" || e.Detail == "" {
			return nil, fmt.Errorf("bad error object %+v", e)
		}
		if e.Source != nil && (e.Source.Pointer == nil) == (e.Source.Header == nil) {
			return nil, fmt.Errorf("bad source in %+v", e)
		}
	}
	return doc.Errors, nil
}

func checkDevice(body []byte) error {
	var doc struct {
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
	if err := decodeExactly(body, &doc); err != nil {
		return err
	}
	d := doc.Data
	if d.Type != "deviceTOTP" || !uuid.MatchString(d.ID) || d.Attributes.Secret == "" || d.Attributes.Period == 0 {
		return fmt.Errorf("bad device %+v", d)
	}
	return nil
}

// shown is a device without its secret.
type shown struct {
	Type       string `json:"type"`
	ID         string `json:"id"`
	Attributes struct {
		Name         *string    `json:"name"`
		Algorithm    string     `json:"algorithm"`
		Digits       int        `json:"digits"`
		Period       int        `json:"period"`
		CreatedAt    *time.Time `json:"createdAt"`
		LastUsedAt   *time.Time `json:"lastUsedAt"`
		BlockedUntil *time.Time `json:"blockedUntil"`
	} `json:"attributes"`
}

// checkShown finds what is wrong with the document of a 200, which holds one device
// or several.
func checkShown(body []byte) error {
	var doc struct {
		Data json.RawMessage `json:"data"`
	}
	if err := decodeExactly(body, &doc); err != nil {
		return err
	}
	all := make([]shown, 1)
	into := any(&all[0])
	if bytes.HasPrefix(doc.Data, []byte("[")) {
		into = &all
	}
	if err := decodeExactly(doc.Data, into); err != nil {
		return err
	}
	for _, d := range all {
		if d.Type != "deviceTOTP" || !uuid.MatchString(d.ID) || d.Attributes.Name == nil || d.Attributes.Period == 0 {
			return fmt.Errorf("bad device %+v", d)
		}
	}
	return nil
}

// decodeExactly decodes body and finds nothing in it that v does not have.
func decodeExactly(body []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if d.More() {
		return fmt.Errorf("trailing %q", body[d.InputOffset():])
	}
	return nil
}
