package jsonapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/jsonapi"
	totperrors "example.com/devicetotp/errors"
)

func TestNewHandlerNamesEveryMistakeAtOnce(t *testing.T) {
	_, err := jsonapi.NewHandler(nil, nil, jsonapi.Config{AuthTimeout: -1, BodyTimeout: -1})
	for _, name := range []string{"issuer", "auth", "Config.AuthTimeout", "Config.BodyTimeout"} {
		require.ErrorContains(t, err, name+" must not be")
	}
}

type valueAuthenticator struct{}

func (valueAuthenticator) Authenticate(*http.Request) (jsonapi.Principal, error) {
	return jsonapi.Principal{}, nil
}

func TestNewHandlerSeesNilsWithinInterfaces(t *testing.T) {
	for name, auth := range map[string]jsonapi.Authenticator{
		"nil function":      jsonapi.AuthenticatorFunc(nil),
		"bearer of nothing": jsonapi.Bearer(nil),
	} {
		_, err := jsonapi.NewHandler((*creator)(nil), auth, jsonapi.Config{})
		require.ErrorContains(t, err, "issuer must not be nil", name)
		require.ErrorContains(t, err, "auth must not be nil", name)
	}
	_, err := jsonapi.NewHandler(&creator{}, valueAuthenticator{}, jsonapi.Config{})
	require.NoError(t, err)
}

func TestCreatedIsTheDocumentedBody(t *testing.T) {
	c := &creator{}
	a := serve(t, handlerOf(t, c), request(`{"data":{"type":"deviceTOTP","id":"738E379F-fe30-45ab-819c-ba88804b6368",
		"attributes":{"pin":"8299","password":"superSecret12345!","otp":"526271"}}}`))
	require.Equal(t, http.StatusCreated, a.Code)
	require.Equal(t, `{"data":{"type":"deviceTOTP","id":"`+deviceID+`","attributes":{"secret":"`+sharedText+
		`","period":30,"digits":6,"algorithm":"SHA1"}}}`, a.Body.String())
	doc, err := os.ReadFile("doc.go")
	require.NoError(t, err)
	require.Contains(t, strings.NewReplacer("//", "", "\t", "", " ", "", "\n", "").Replace(string(doc)), a.Body.String(), "the package doc shows it")
	require.Len(t, c.got, 1)
	require.Equal(t, accountID, c.got[0].AccountID)
	require.Equal(t, "8299", c.got[0].PIN.Reveal())
	require.Equal(t, "superSecret12345!", c.got[0].Password.Reveal())
	require.Equal(t, "526271", c.got[0].OTP.Reveal())
}

// Each request breaks every rule from one on; the first that it breaks is told.
func TestRulesAreCheckedInOrder(t *testing.T) {
	broken := []struct {
		rule   string
		breaks func(*http.Request)
		status int
	}{
		{"method", func(r *http.Request) { r.Method = http.MethodGet }, 405},
		{"authentication", func(r *http.Request) { r.Header.Del("Authorization") }, 401},
		{"scope", func(r *http.Request) { r.Header.Set("X-Scope", "none") }, 403},
		{"Accept", func(r *http.Request) { r.Header.Set("Accept", "text/html") }, 406},
		{"Content-Type", func(r *http.Request) { r.Header.Set("Content-Type", "text/html") }, 415},
		{"body", func(*http.Request) {}, 422},
	}
	auth := jsonapi.AuthenticatorFunc(func(r *http.Request) (jsonapi.Principal, error) {
		if r.Header.Get("Authorization") == "" {
			return jsonapi.Principal{}, jsonapi.ErrMissingToken
		}
		if r.Header.Get("X-Scope") == "none" {
			return jsonapi.Principal{AccountID: accountID}, nil
		}
		return jsonapi.Principal{AccountID: accountID, Scopes: bothScopes}, nil
	})
	for first, rule := range broken {
		t.Run(rule.rule, func(t *testing.T) {
			c := &creator{}
			r := request(`{`)
			for _, b := range broken[first:] {
				b.breaks(r)
			}
			require.Equal(t, rule.status, serve(t, handlerWith(t, c, auth, jsonapi.Config{}), r).Code)
			require.Empty(t, c.got, "nothing may be looked at, counted or spent")
		})
	}
}

func TestOnlyPOST(t *testing.T) {
	for _, method := range []string{"GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "post", "X"} {
		c := &creator{}
		r := request(plainBody)
		r.Method = method
		a := serve(t, handlerOf(t, c), r)
		require.Equal(t, http.StatusMethodNotAllowed, a.Code, method)
		require.Equal(t, "POST", a.Header().Get("Allow"))
		require.Equal(t, []string{"method-not-allowed none"}, a.summary())
		require.Empty(t, c.got)
	}
}

func TestEveryDomainCodeHasItsAnswer(t *testing.T) {
	const pin, none = "/data/attributes/pin", "none"
	want := map[totperrors.Code]struct {
		status  int
		pointer string
	}{
		totperrors.CodeInvalidID:           {422, "/data/id"},
		totperrors.CodeIDInUse:             {422, "/data/id"},
		totperrors.CodeInvalidArgument:     {422, none},
		totperrors.CodeInvalidCredentials:  {403, pin},
		totperrors.CodeCredentialsRequired: {403, "/data/attributes"},
		totperrors.CodeTooManyAttempts:     {403, none},
		totperrors.CodeAccountLocked:       {403, none},
		totperrors.CodeDeviceLimitReached:  {403, none},
		totperrors.CodeUnavailable:         {500, none},
		totperrors.CodeInternal:            {500, none},
	}
	titles := map[string]bool{}
	for _, code := range totperrors.Codes() {
		if code == totperrors.CodeNotFound {
			continue // see TestCreateNeverAnswersNotFound
		}
		t.Run(string(code), func(t *testing.T) {
			err := error(&totperrors.Error{Op: "create", Code: code, Err: errors.New("innards")})
			a := serve(t, handlerOf(t, failing(err)), request(plainBody))
			require.Contains(t, want, code)
			require.Equal(t, want[code].status, a.Code)
			require.Equal(t, want[code].status, jsonapi.Status(err))
			require.Equal(t, []string{string(code) + " " + want[code].pointer}, a.summary())
			require.NotContains(t, a.Body.String(), "innards")
			require.False(t, titles[a.errors[0].Title], "a title of its own")
			titles[a.errors[0].Title] = true
		})
	}
}

// Clients of the documented endpoint cannot read a 404: a Creator that says so is
// at fault. Other endpoints of a service may say it.
func TestCreateNeverAnswersNotFound(t *testing.T) {
	err := error(&totperrors.Error{Op: "create", Code: totperrors.CodeNotFound})
	a := serve(t, handlerOf(t, failing(err)), request(plainBody))
	require.Equal(t, 500, a.Code)
	require.Equal(t, []string{"internal-error none"}, a.summary())
	require.Equal(t, 404, jsonapi.Status(err))
}

func TestStatusOfOtherErrors(t *testing.T) {
	for _, c := range []struct {
		name string
		err  error
		want int
	}{
		{"success", nil, 201},
		{"foreign", errors.New("x"), 500},
		{"missing token", jsonapi.ErrMissingToken, 401},
		{"wrapped invalid token", errors.Join(errors.New("x"), jsonapi.ErrInvalidToken), 401},
		{"missing linked identity", jsonapi.ErrMissingLinkedIdentity, 401},
		{"insufficient scope", jsonapi.ErrInsufficientScope, 403},
		{"a code that is not the domain's", &totperrors.Error{Code: "unauthorized"}, 500},
		{"a domain error before what it wraps", &totperrors.Error{Code: totperrors.CodeInternal, Err: jsonapi.ErrInvalidToken}, 500},
	} {
		require.Equal(t, c.want, jsonapi.Status(c.err), c.name)
	}
}

func TestCreatorErrorsAreNeverAuthentication(t *testing.T) {
	a := serve(t, handlerOf(t, failing(jsonapi.ErrInvalidToken)), request(plainBody))
	require.Equal(t, []string{"internal-error none"}, a.summary())
}

func TestRetryAfter(t *testing.T) {
	const denied, unavailable = totperrors.CodeTooManyAttempts, totperrors.CodeUnavailable
	for _, c := range []struct {
		name   string
		code   totperrors.Code
		after  time.Duration
		header string
		meta   int
	}{
		{"a known time, in seconds", denied, 30 * time.Second, "30", 30},
		{"rounded up", denied, 30*time.Second + 1, "31", 31},
		{"never 0 for less than a second", denied, 1, "1", 1},
		{"unknown: none", denied, 0, "", 0},
		{"negative: none", denied, -time.Hour, "", 0},
		{"unavailable: a second if unknown", unavailable, 0, "1", 0},
		{"unavailable: the time told", unavailable, 90 * time.Second, "90", 0},
		{"no other code has one", totperrors.CodeInvalidCredentials, time.Hour, "", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := serve(t, handlerOf(t, failing(&totperrors.Error{Code: c.code, RetryAfter: c.after})), request(plainBody))
			require.Equal(t, c.header, a.Header().Get("Retry-After"))
			if c.meta == 0 {
				require.Nil(t, a.errors[0].Meta)
			} else {
				require.Equal(t, c.meta, a.errors[0].Meta.RetryAfter)
			}
		})
	}
}

func TestPointerOfARefusalIsWhatWasPresented(t *testing.T) {
	const wrong, required = totperrors.CodeInvalidCredentials, totperrors.CodeCredentialsRequired
	for _, c := range []struct {
		code             totperrors.Code
		members, pointer string
	}{
		{wrong, `,"attributes":{"otp":"1"}`, "/data/attributes/otp"},
		{wrong, `,"attributes":{"password":"1","pin":null}`, "/data/attributes/password"},
		{wrong, `,"attributes":{"pin":""}`, "/data/attributes/pin"},
		{wrong, `,"attributes":{"otp":"1","pin":"2"}`, "/data/attributes"},
		{wrong, `,"attributes":{}`, "/data/attributes"},
		{wrong, ``, "/data"},
		{required, `,"attributes":{}`, "/data/attributes"},
		{required, `,"attributes":null`, "/data/attributes"},
		{required, ``, "/data"},
		{totperrors.CodeInvalidID, ``, "/data"},
		{totperrors.CodeIDInUse, `,"id":null`, "/data/id"},
	} {
		a := serve(t, handlerOf(t, failing(&totperrors.Error{Code: c.code})), request(`{"data":{"type":"deviceTOTP"`+c.members+`}}`))
		require.Equal(t, []string{string(c.code) + " " + c.pointer}, a.summary(), c.members)
	}
}

func TestInvalidCredentialsIsTheSameWhateverTheReason(t *testing.T) {
	var first string
	for _, reason := range []error{
		&totperrors.Error{Op: "create", Code: totperrors.CodeInvalidCredentials},
		&totperrors.Error{Code: totperrors.CodeInvalidCredentials, Field: "PIN", Err: credential.ErrNotFound, RetryAfter: time.Minute},
		errors.Join(errors.New("spent"), &totperrors.Error{Code: totperrors.CodeInvalidCredentials}),
	} {
		r := request(plainBody)
		r.Header.Set("Request-Id", "00000000000000000000")
		a := serve(t, handlerOf(t, failing(reason)), r)
		var answer bytes.Buffer
		require.NoError(t, a.Result().Write(&answer))
		if first == "" {
			first = answer.String()
		}
		require.Equal(t, first, answer.String())
	}
}

func TestIncompleteDevicesAreNotAnswered(t *testing.T) {
	for name, spoil := range map[string]func(*devicetotp.DeviceTOTP){
		"no id":            func(d *devicetotp.DeviceTOTP) { d.ID = "" },
		"upper case":       func(d *devicetotp.DeviceTOTP) { d.ID = strings.ToUpper(d.ID) },
		"another id":       func(d *devicetotp.DeviceTOTP) { d.ID = "00000000-0000-4000-8000-000000000000" },
		"no secret":        func(d *devicetotp.DeviceTOTP) { d.Secret = credential.NewSecret("") },
		"no period":        func(d *devicetotp.DeviceTOTP) { d.Period = 0 },
		"too few digits":   func(d *devicetotp.DeviceTOTP) { d.Digits = 5 },
		"digits of no app": func(d *devicetotp.DeviceTOTP) { d.Digits = 7 },
		"part of a second": func(d *devicetotp.DeviceTOTP) { d.Period = 30*time.Second + 1 },
		"too many digits":  func(d *devicetotp.DeviceTOTP) { d.Digits = 9 },
		"no algorithm":     func(d *devicetotp.DeviceTOTP) { d.Algorithm = 0 },
		"nothing whatever": func(d *devicetotp.DeviceTOTP) { *d = devicetotp.DeviceTOTP{} },
	} {
		t.Run(name, func(t *testing.T) {
			c := &creator{answer: func(_ context.Context, r devicetotp.CreateRequest) (devicetotp.DeviceTOTP, error) {
				d := device(r.DeviceID)
				spoil(&d)
				return d, nil
			}}
			a := serve(t, handlerOf(t, c), request(plainBody))
			require.Equal(t, []string{"internal-error none"}, a.summary())
		})
	}
}

func TestDevicesAtTheBoundsAreAnswered(t *testing.T) {
	for _, digits := range []int{6, 8} {
		c := &creator{answer: func(_ context.Context, r devicetotp.CreateRequest) (devicetotp.DeviceTOTP, error) {
			d := device(r.DeviceID)
			d.Digits, d.Period = digits, time.Second
			return d, nil
		}}
		require.Equal(t, http.StatusCreated, serve(t, handlerOf(t, c), request(plainBody)).Code)
	}
}

func TestPanicsAreAnsweredAndLogged(t *testing.T) {
	const secret = "not to be told" // and in no time, id or address by chance
	body := `{"data":{"type":"deviceTOTP","attributes":{"pin":"` + secret + `"}}}`
	panics := func(v any) *creator {
		return &creator{answer: func(context.Context, devicetotp.CreateRequest) (devicetotp.DeviceTOTP, error) { panic(v) }}
	}
	for name, c := range map[string]struct {
		value  any
		logged string
	}{
		"a text, which may be a secret": {"innards", "panic with a string"},
		"a refusal is still a fault":    {&totperrors.Error{Code: totperrors.CodeInvalidCredentials, Err: errors.New("innards")}, "*errors.Error"},
		"the runtime's own words":       {indexError(), "index out of range"},
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			opts := jsonapi.Config{Logger: slog.New(slog.NewJSONHandler(&log, nil))}
			a := serve(t, handlerWith(t, panics(c.value), jsonapi.Bearer(tokens), opts), request(body))
			require.Equal(t, []string{"internal-error none"}, a.summary())

			line := logLine(t, &log)
			require.Equal(t, a.Header().Get("Request-Id"), line["request_id"])
			require.Contains(t, line["error"], c.logged)
			require.Contains(t, line["stack"], "handler_test.go")
			for _, written := range []string{a.Body.String(), log.String()} {
				require.NotContains(t, written, "innards")
				require.NotContains(t, written, secret)
			}
		})
	}
	t.Run("http.ErrAbortHandler is the server's", func(t *testing.T) {
		require.PanicsWithError(t, http.ErrAbortHandler.Error(), func() {
			handlerOf(t, panics(http.ErrAbortHandler)).ServeHTTP(httptest.NewRecorder(), request(plainBody))
		})
	})
}

// brokenLog is a slog.Handler that panics.
type brokenLog struct{ slog.Handler }

func (brokenLog) Handle(context.Context, slog.Record) error { panic("innards") }

func TestCallerIsAnsweredAlsoIfTheLoggerPanics(t *testing.T) {
	opts := jsonapi.Config{Logger: slog.New(brokenLog{slog.NewJSONHandler(new(strings.Builder), nil)})}
	a := serve(t, handlerWith(t, failing(errors.New("innards")), jsonapi.Bearer(tokens), opts), request(plainBody))
	require.Equal(t, []string{"internal-error none"}, a.summary())
	require.NotContains(t, a.Body.String(), "innards")
}

// indexError returns what the runtime panics with beyond the end of a slice.
func indexError() (v any) {
	defer func() { v = recover() }()
	return []int{}[len(plainBody)]
}

func logLine(t *testing.T, log *bytes.Buffer) map[string]any {
	t.Helper()
	var line map[string]any
	require.NoError(t, json.Unmarshal(log.Bytes(), &line), "%s", log)
	return line
}

func TestCausesAreLoggedUnderTheRequestID(t *testing.T) {
	for _, c := range []struct {
		name, level string
		err         error
	}{
		{"unavailable is a warning", "WARN", &totperrors.Error{Code: totperrors.CodeUnavailable, Err: errors.New("innards")}},
		{"internal is an error", "ERROR", &totperrors.Error{Code: totperrors.CodeInternal, Err: errors.New("innards")}},
		{"foreign is an error", "ERROR", errors.New("innards")},
	} {
		t.Run(c.name, func(t *testing.T) {
			var log bytes.Buffer
			opts := jsonapi.Config{Logger: slog.New(slog.NewJSONHandler(&log, nil))}
			a := serve(t, handlerWith(t, failing(c.err), jsonapi.Bearer(tokens), opts), request(plainBody))
			line := logLine(t, &log)
			require.Equal(t, c.level, line["level"])
			require.Equal(t, a.errors[0].ID, line["request_id"])
			require.Equal(t, a.errors[0].Code, line["code"])
			require.Contains(t, line["error"], "innards")
			require.NotContains(t, a.Body.String(), "innards")
		})
	}
	t.Run("to slog.Default unless told otherwise", func(t *testing.T) {
		var log bytes.Buffer
		was := slog.Default()
		t.Cleanup(func() { slog.SetDefault(was) })
		slog.SetDefault(slog.New(slog.NewJSONHandler(&log, nil)))
		serve(t, handlerWith(t, failing(errors.New("innards")), jsonapi.Bearer(tokens), jsonapi.Config{}), request(plainBody))
		require.Contains(t, logLine(t, &log)["error"], "innards")
	})
	t.Run("a refusal is not logged", func(t *testing.T) {
		var log bytes.Buffer
		opts := jsonapi.Config{Logger: slog.New(slog.NewJSONHandler(&log, nil))}
		err := &totperrors.Error{Code: totperrors.CodeInvalidCredentials}
		serve(t, handlerWith(t, failing(err), jsonapi.Bearer(tokens), opts), request(plainBody))
		require.Empty(t, log.String())
	})
}

func TestVaryOfAMiddlewareIsKept(t *testing.T) {
	w := httptest.NewRecorder()
	w.Header().Set("Vary", "Origin")
	handlerOf(t, &creator{}).ServeHTTP(w, request(plainBody))
	require.Equal(t, []string{"Origin", "Accept"}, w.Header().Values("Vary"))
}

func TestWriteErrorServesOtherEndpoints(t *testing.T) {
	for _, c := range []struct {
		name    string
		err     error
		summary string
		header  string
	}{
		{"domain", &totperrors.Error{Code: totperrors.CodeInvalidArgument, Field: totperrors.FieldTTL}, "invalid-argument none", ""},
		{"missing token", jsonapi.ErrMissingToken, "unauthorized none", `Bearer realm="shop \"1\""`},
		{"invalid token", jsonapi.ErrInvalidToken, "unauthorized none", `Bearer realm="shop \"1\"", error="invalid_token"`},
		{"foreign", errors.New("innards"), "internal-error none", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			opts := jsonapi.Config{Realm: "shop\n \"1\"é", Logger: slog.New(slog.DiscardHandler)}
			endpoint := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				jsonapi.WriteError(w, r, c.err, opts)
			})
			a := serve(t, endpoint, httptest.NewRequest(http.MethodGet, "/elsewhere", nil))
			require.Equal(t, []string{c.summary}, a.summary())
			require.Equal(t, c.header, a.Header().Get("WWW-Authenticate"))
			require.Equal(t, jsonapi.Status(c.err), a.Code)
		})
	}
}
