package openapi

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/devicetotptest"
	"example.com/devicetotp/devicetotp/jsonapi"
	"example.com/devicetotp/examples/internal/contract"
	"example.com/devicetotp/examples/internal/service"
)

const (
	id = "738e379f-fe30-45ab-819c-ba88804b6368"
)

// The operations, as the document names them.
const (
	listing  = "GET /user/devices/totp"
	creating = "POST /user/devices/totp"
	getting  = "GET /user/devices/totp/{id}"
	renaming = "PATCH /user/devices/totp/{id}"
	revoking = "DELETE /user/devices/totp/{id}"
)

// An exchange is one request, what it changes of an honest one, and the code
// that is its answer.
type exchange struct {
	name    string
	of      string // one of the operations; creating if empty
	body    string
	prepare func(w *devicetotptest.World)
	header  func(h http.Header)
	auth    func() (jsonapi.Principal, error)
	want    string // a code, or "success"
}

// onEvery are the exchanges that every operation has.
func onEvery() []exchange {
	var all []exchange
	for of, body := range map[string]string{listing: "", creating: body(`{"pin":"8299"}`), getting: "", renaming: naming(id, `"phone"`), revoking: ""} {
		prepare := func(w *devicetotptest.World) {
			if of != creating {
				take(w, id)
			}
		}
		add := func(name, want string, e exchange) {
			e.name, e.want, e.of, e.body = of+": "+name, want, of, body
			if e.prepare == nil {
				e.prepare = prepare
			}
			all = append(all, e)
		}
		add("success", "success", exchange{})
		add("no token", "unauthorized", exchange{auth: refuse(jsonapi.ErrMissingToken)})
		add("no linked identity", "missing-linked-identity", exchange{auth: refuse(jsonapi.ErrMissingLinkedIdentity)})
		add("no scope", "insufficient-scope", exchange{auth: func() (jsonapi.Principal, error) {
			return jsonapi.Principal{AccountID: service.Account}, nil
		}})
		add("only XML", "not-acceptable", exchange{header: setHeader("Accept", "application/xml")})
		add("a broken Authenticator", "internal-error", exchange{auth: refuse(errors.New("broken"))})
		add("the store is down", "unavailable", exchange{prepare: func(w *devicetotptest.World) {
			w.Store.Script(devicetotptest.Fault{Err: errors.New("down")})
		}})
	}
	return all
}

// naming is the document of a PATCH; name is JSON.
func naming(id, name string) string {
	return `{"data":{"type":"deviceTOTP","id":"` + id + `","attributes":{"name":` + name + `}}}`
}

var ofRenaming = []exchange{
	{name: "no name", body: `{"data":{"type":"deviceTOTP","id":"` + id + `"}}`, want: "success"},
	{name: "null as name", body: naming(id, `null`), want: "success"},
	{name: "plain JSON", header: setHeader("Content-Type", "application/json"), body: naming(id, `"x"`), want: "unsupported-media-type"},
	{name: "not JSON", body: `{`, want: "invalid-document"},
	{name: "no type", body: `{"data":{"id":"` + id + `"}}`, want: "invalid-type"},
	{name: "another type", body: `{"data":{"type":"device","id":"` + id + `"}}`, want: "invalid-type"},
	{name: "no id", body: `{"data":{"type":"deviceTOTP"}}`, want: "invalid-id"},
	{name: "another id", body: naming("00000000-0000-4000-8000-000000000000", `"x"`), want: "invalid-id"},
	{name: "a number as name", body: naming(id, `1`), want: "invalid-attribute"},
	{name: "a line break", body: naming(id, `"a\n"`), want: "invalid-argument"},
	{name: "no device", body: naming(id, `"x"`), prepare: func(*devicetotptest.World) {}, want: "not-found"},
	{name: "locked", body: naming(id, `"x"`), prepare: func(w *devicetotptest.World) {
		take(w, id)
		w.Account(service.Account).Locked(true)
	}, want: "account-locked"},
}

func all() []exchange {
	all := append(onEvery(), exchanges...)
	for _, e := range ofRenaming {
		e.of, e.name = renaming, "renaming: "+e.name
		if e.prepare == nil {
			e.prepare = func(w *devicetotptest.World) { take(w, id) }
		}
		all = append(all, e)
	}
	return append(all, exchange{name: "getting: no device", of: getting, want: "not-found"},
		exchange{name: "revoking: no device", of: revoking, want: "success"})
}

func body(attributes string) string {
	return `{"data":{"type":"deviceTOTP","id":"` + id + `","attributes":` + attributes + `}}`
}

func refuse(err error) func() (jsonapi.Principal, error) {
	return func() (jsonapi.Principal, error) { return jsonapi.Principal{}, err }
}

func setHeader(name string, values ...string) func(http.Header) {
	return func(h http.Header) { h[name] = values }
}

var exchanges = []exchange{
	{name: "a PIN", body: body(`{"pin":"8299"}`), want: "success"},
	{name: "nulls, no id", body: `{"data":{"type":"deviceTOTP","id":null,"attributes":{"pin":"8299","password":null,"otp":null}},"meta":{}}`, want: "success"},
	{name: "no attributes, in grace", body: `{"data":{"id":"` + id + `","type":"deviceTOTP"}}`, prepare: register, want: "success"},
	{name: "upper case id", body: strings.Replace(body(`{"pin":"8299"}`), id, strings.ToUpper(id), 1), want: "success"},
	{name: "no token", auth: refuse(jsonapi.ErrMissingToken), body: body(`{}`), want: "unauthorized"},
	{name: "a bad token", auth: refuse(jsonapi.ErrInvalidToken), body: body(`{}`), want: "unauthorized"},
	{name: "no linked identity", auth: refuse(jsonapi.ErrMissingLinkedIdentity), body: body(`{}`), want: "missing-linked-identity"},
	{name: "no scope", auth: refuse(jsonapi.ErrInsufficientScope), body: body(`{}`), want: "insufficient-scope"},
	{name: "only XML", header: setHeader("Accept", "application/xml"), body: body(`{}`), want: "not-acceptable"},
	{name: "plain JSON", header: setHeader("Content-Type", "application/json"), body: body(`{}`), want: "unsupported-media-type"},
	{name: "a charset", header: setHeader("Content-Type", jsonapi.MediaType+"; charset=utf-8"), body: body(`{}`), want: "unsupported-media-type"},
	{name: "not JSON", body: `{`, want: "invalid-document"},
	{name: "no data", body: `{}`, want: "invalid-document"},
	{name: "too long", body: body(`{"pin":"` + strings.Repeat("8", jsonapi.MaxBodyBytes) + `"}`), want: "invalid-document"},
	{name: "another type", body: `{"data":{"type":"device"}}`, want: "invalid-type"},
	{name: "no type", body: `{"data":{}}`, want: "invalid-type"},
	{name: "a number for a PIN", body: body(`{"pin":8299}`), want: "invalid-attribute"},
	{name: "three faults", body: `{"data":{"type":"device","id":7,"attributes":[]}}`, want: "invalid-type"},
	{name: "a short id", body: `{"data":{"type":"deviceTOTP","id":"7"}}`, want: "invalid-id"},
	{name: "a taken id", body: body(`{}`), prepare: func(w *devicetotptest.World) { take(w, id) }, want: "id-in-use"},
	{name: "a wrong PIN", body: body(`{"pin":"0000"}`), want: "invalid-credentials"},
	{name: "nothing", body: body(`{}`), want: "credentials-required"},
	{name: "blocked", body: body(`{"pin":"8299"}`), prepare: block, want: "too-many-attempts"},
	{name: "locked", body: body(`{"pin":"8299"}`), prepare: func(w *devicetotptest.World) {
		w.Account(service.Account).PIN(service.PIN).Locked(true)
	}, want: "account-locked"},
	{name: "full", body: body(`{"pin":"8299"}`), prepare: fill, want: "device-limit-reached"},
	{name: "the store is down", body: body(`{"pin":"8299"}`), prepare: func(w *devicetotptest.World) {
		w.Store.Script(devicetotptest.Fault{Err: errors.New("down")})
	}, want: "unavailable"},
	{name: "no secrets", body: body(`{"pin":"8299"}`), prepare: func(w *devicetotptest.World) {
		w.Secrets.Next(credential.Secret{}, errors.New("broken"))
	}, want: "internal-error"},
	{name: "a broken Authenticator", auth: refuse(errors.New("broken")), body: body(`{}`), want: "internal-error"},
}

func register(w *devicetotptest.World) { w.Account(service.Account).RegisteredAgo(time.Minute) }

func take(w *devicetotptest.World, deviceID string) {
	_, err := w.Issuer.Create(context.Background(), devicetotp.CreateRequest{
		AccountID: service.Account, DeviceID: deviceID, PIN: credential.NewSecret(service.PIN),
	})
	if err != nil {
		panic(err)
	}
}

func fill(w *devicetotptest.World) {
	for range devicetotp.DefaultPolicy().MaxDevices {
		take(w, "")
	}
}

func block(w *devicetotptest.World) {
	for range devicetotp.DefaultPolicy().PIN.BackoffFrom {
		_, err := w.Issuer.Create(context.Background(), devicetotp.CreateRequest{
			AccountID: service.Account, PIN: credential.NewSecret("0000"),
		})
		if err == nil {
			panic("a wrong PIN was right")
		}
	}
}

// Every status and code of the document is answered somewhere here, and every
// answer is as the document says.
func TestEveryAnswerIsAsDocumented(t *testing.T) {
	answered := map[string]bool{}
	for _, e := range all() {
		t.Run(e.name, func(t *testing.T) {
			status, codes := e.perform(t)
			require.Contains(t, codes, e.want)
			for _, code := range codes {
				answered[e.operation()+" "+status+" "+code] = true
			}
		})
	}
	for _, documented := range documentedCodes(t) {
		require.True(t, answered[documented], "%s is documented, but never answered", documented)
	}
}

func (e exchange) operation() string { return cmp.Or(e.of, creating) }

// perform sends the request over a real socket and returns the status and codes
// of the answer. The client holds both against the document.
func (e exchange) perform(t *testing.T) (status string, codes []string) {
	t.Helper()
	w := devicetotptest.New(t)
	w.Account(service.Account).RegisteredAgo(time.Hour).PIN(service.PIN)
	if e.prepare != nil {
		e.prepare(w)
	}
	auth := jsonapi.AuthenticatorFunc(func(*http.Request) (jsonapi.Principal, error) {
		if e.auth != nil {
			return e.auth()
		}
		return jsonapi.Principal{AccountID: service.Account, Scopes: service.Scopes}, nil
	})
	method, path, _ := strings.Cut(e.operation(), " ")
	r, err := http.NewRequestWithContext(t.Context(), method,
		service.Start(t, service.All(t, w, auth))+strings.Replace(path, "{id}", id, 1), strings.NewReader(e.body))
	require.NoError(t, err)
	if e.body != "" {
		r.Header.Set("Content-Type", jsonapi.MediaType)
	}
	r.Header.Set("Authorization", "Bearer x")
	if e.header != nil {
		e.header(r.Header)
	}
	got, err := contract.Client(t).Do(r)
	require.NoError(t, err)
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	require.NoError(t, err)
	return got.Status[:3], codesOf(t, text)
}

func codesOf(t *testing.T, text []byte) []string {
	t.Helper()
	if len(text) == 0 {
		return []string{"success"}
	}
	var document struct {
		Data   json.RawMessage
		Errors []struct{ Code string }
	}
	require.NoError(t, json.Unmarshal(text, &document), "%s", text)
	if document.Data != nil {
		return []string{"success"}
	}
	var codes []string
	for _, e := range document.Errors {
		codes = append(codes, e.Code)
	}
	return codes
}

// documentedCodes lists the operations, statuses and codes of the document.
func documentedCodes(t *testing.T) []string {
	t.Helper()
	document, err := openapi3.NewLoader().LoadFromData(jsonapi.OpenAPI())
	require.NoError(t, err)
	var documented []string
	operations := map[string][]string{}
	for path, item := range document.Paths.Map() {
		for method, operation := range item.Operations() {
			name := method + " " + path
			for status, response := range operation.Responses.Map() {
				operations[name] = append(operations[name], status)
				codes := contract.Codes(response.Value)
				if status[0] == '2' {
					codes = []string{"success"}
				}
				require.NotEmpty(t, codes, "%s %s", name, status)
				for _, code := range codes {
					documented = append(documented, name+" "+status+" "+code)
				}
			}
			slices.Sort(operations[name])
		}
	}
	require.Equal(t, map[string][]string{
		listing:  {"200", "401", "403", "406", "500"},
		creating: {"201", "401", "403", "406", "415", "422", "500"}, // of the published description
		getting:  {"200", "401", "403", "404", "406", "500"},
		renaming: {"200", "401", "403", "404", "406", "409", "415", "422", "500"},
		revoking: {"204", "401", "403", "406", "500"},
	}, operations)
	return documented
}

// The validator finds what is wrong: without this the tests above prove nothing.
func TestValidatorSeesFaults(t *testing.T) {
	validator, err := contract.New()
	require.NoError(t, err)
	request := []byte(body(`{}`))
	device := `{"data":{"type":"deviceTOTP","id":"` + id + `","attributes":{"secret":"PBVDSNDDKZ4HGZ3UG5CHUUSEMJCTCSCU","period":30,"digits":6,"algorithm":"SHA1"}}}`
	problem := `{"errors":[{"id":"cbgmhslmp1o9or9kh1p0","status":"403","code":"invalid-credentials","title":"t","detail":"d"}]}`
	check := func(status int, request []byte, answer string, change func(http.Header)) error {
		r := httptest.NewRequest(http.MethodPost, "/user/devices/totp", bytes.NewReader(request))
		r.Header.Set("Content-Type", jsonapi.MediaType)
		header := http.Header{"Content-Type": {jsonapi.MediaType}, "Cache-Control": {"no-store"}, "Vary": {"Accept"}, "Request-Id": {"cbgmhslmp1o9or9kh1p0"}}
		if change != nil {
			change(header)
		}
		return validator.Check(r, request, &http.Response{StatusCode: status, Header: header}, []byte(answer))
	}
	require.NoError(t, check(201, request, device, nil))
	require.NoError(t, check(403, request, problem, nil))

	for name, err := range map[string]error{
		"an undocumented status":   check(409, request, problem, nil),
		"a code of another status": check(422, request, problem, nil),
		"a secret in lower case":   check(201, request, strings.ToLower(device), nil),
		"MD5":                      check(201, request, strings.Replace(device, "SHA1", "MD5", 1), nil),
		"no secret":                check(201, request, strings.Replace(device, `"secret":"PBVDSNDDKZ4HGZ3UG5CHUUSEMJCTCSCU",`, "", 1), nil),
		"a status that is number":  check(403, request, strings.Replace(problem, `"403"`, `403`, 1), nil),
		"another media type":       check(403, request, problem, setHeader("Content-Type", "application/json")),
		"no request id":            check(403, request, problem, func(h http.Header) { h.Del("Request-Id") }),
		"a bad request":            check(201, []byte(body(`{"pin":8299}`)), device, nil),
		"a bad request looked at":  check(403, []byte(body(`{"pin":8299}`)), problem, nil),
		"a good request refused":   check(422, request, strings.NewReplacer("403", "422", "invalid-credentials", "invalid-type").Replace(problem), nil),
	} {
		require.Error(t, err, name)
	}
}

// The bounds that the document names are those of the code.
func TestDocumentNamesTheBounds(t *testing.T) {
	document := string(jsonapi.OpenAPI())
	require.Contains(t, document, "65536")
	require.Equal(t, 65536, jsonapi.MaxBodyBytes)
	require.NotContains(t, document, "MD5")
}
