package jsonapi_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/clock/clocktest"
	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/devicetotptest"
	"example.com/devicetotp/devicetotp/jsonapi"
)

// These are about the operations beside the published one, on a real Issuer unless
// they need a Manager that misbehaves.

const (
	devicesPath = "/user/devices/totp"
	secondID    = "00000000-0000-4000-8000-00000000000b"
)

var allScopes = []string{jsonapi.ScopeCreate, jsonapi.ScopeCreateAfterLogin, jsonapi.ScopeRead, jsonapi.ScopeManage}

// devices is a world whose account is served with all operations.
type devices struct {
	*devicetotptest.World
	handler http.Handler
}

func newDevices(t testing.TB) *devices {
	t.Helper()
	w := devicetotptest.New(t)
	w.Account(accountID).RegisteredAgo(time.Hour).PIN("8299")
	return &devices{w, mounted(t, w.Issuer, jsonapi.Principal{AccountID: accountID, Scopes: allScopes})}
}

// mounted serves all operations to one principal.
func mounted(t testing.TB, m jsonapi.Manager, p jsonapi.Principal) http.Handler {
	t.Helper()
	collection, one, err := jsonapi.NewHandlers(m, authenticating(p, nil), jsonapi.Config{Logger: quiet})
	require.NoError(t, err)
	mux := http.NewServeMux()
	mux.Handle(devicesPath, collection)
	mux.Handle(devicesPath+"/{id}", one)
	return mux
}

// create makes a device on the PIN.
func (d *devices) create(t testing.TB, id string) devicetotp.DeviceTOTP {
	t.Helper()
	device, err := d.Issuer.Create(t.Context(), devicetotp.CreateRequest{
		AccountID: accountID, DeviceID: id, Name: "phone", PIN: credential.NewSecret("8299"),
	})
	require.NoError(t, err)
	return device
}

func (d *devices) call(t testing.TB, method, id, body string) answer {
	t.Helper()
	return serve(t, d.handler, calling(method, id, body))
}

// calling returns a request to the address of a device; to that of all if id is "".
func calling(method, id, body string) *http.Request {
	path := devicesPath
	if id != "" {
		path += "/" + id
	}
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", jsonapi.MediaType)
	}
	return r
}

// naming is the document of a PATCH.
func naming(id, name string) string {
	quoted, _ := json.Marshal(name) //nolint:errchkjson // a string
	return `{"data":{"type":"deviceTOTP","id":"` + id + `","attributes":{"name":` + string(quoted) + `}}}`
}

func TestListShowsDevicesWithoutSecrets(t *testing.T) {
	d := newDevices(t)
	require.Equal(t, `{"data":[]}`, d.call(t, "GET", "", "").Body.String())

	first := d.create(t, deviceID)
	d.Clock.Advance(time.Minute)
	second := d.create(t, secondID)
	_, err := d.Issuer.Verify(t.Context(), devicetotp.VerifyRequest{AccountID: accountID, Code: d.Phone(second).Code()})
	require.NoError(t, err)
	_, err = d.Issuer.Import(t.Context(), devicetotp.ImportRequest{
		AccountID: accountID, DeviceID: "00000000-0000-4000-8000-00000000000c", Secret: credential.NewSecret(sharedBytes),
		Algorithm: credential.AlgorithmSHA512, Digits: 10, Period: 5 * time.Minute,
	})
	require.NoError(t, err)

	a := d.call(t, "GET", "", "")
	require.Equal(t, http.StatusOK, a.Code)
	require.JSONEq(t, `{"data":[
		{"type":"deviceTOTP","id":"`+deviceID+`","attributes":{"name":"phone","algorithm":"SHA1","digits":6,"period":30,
			"createdAt":"2026-01-02T03:04:05Z","lastUsedAt":null,"blockedUntil":null}},
		{"type":"deviceTOTP","id":"`+secondID+`","attributes":{"name":"phone","algorithm":"SHA1","digits":6,"period":30,
			"createdAt":"2026-01-02T03:05:05Z","lastUsedAt":"2026-01-02T03:05:05Z","blockedUntil":null}},
		{"type":"deviceTOTP","id":"00000000-0000-4000-8000-00000000000c","attributes":{"name":"","algorithm":"SHA512","digits":10,"period":300,
			"createdAt":"2026-01-02T03:05:05Z","lastUsedAt":null,"blockedUntil":null}}]}`, a.Body.String())
	for _, secret := range []string{first.Base32(), second.Base32(), sharedText} {
		require.NotContains(t, a.Body.String(), secret)
	}

	one := d.call(t, "GET", strings.ToUpper(secondID), "")
	require.Equal(t, http.StatusOK, one.Code)
	require.JSONEq(t, `{"data":{"type":"deviceTOTP","id":"`+secondID+`","attributes":{"name":"phone","algorithm":"SHA1","digits":6,"period":30,
		"createdAt":"2026-01-02T03:05:05Z","lastUsedAt":"2026-01-02T03:05:05Z","blockedUntil":null}}}`, one.Body.String())
}

// With the id of such a device the token alone is given its secret.
func TestListHasNoDeviceThatARetryIsGiven(t *testing.T) {
	d := newDevices(t)
	d.Account(accountID).RegisteredAgo(0)
	require.Equal(t, http.StatusCreated, d.call(t, "POST", "", asking(deviceID, "")).Code)
	require.Equal(t, `{"data":[]}`, d.call(t, "GET", "", "").Body.String())
	require.Equal(t, http.StatusOK, d.call(t, "GET", deviceID, "").Code, "who knows the id may see it")
	require.Equal(t, http.StatusOK, d.call(t, "PATCH", deviceID, naming(deviceID, "new phone")).Code)

	policy := devicetotp.DefaultPolicy()
	d.Clock.Advance(policy.RetryWindow + policy.ClockTolerance)
	require.Equal(t, `{"data":[]}`, d.call(t, "GET", "", "").Body.String())
	d.Clock.Advance(1)
	require.Contains(t, d.call(t, "GET", "", "").Body.String(), `"name":"new phone"`)
	require.Equal(t, 422, d.call(t, "POST", "", asking(deviceID, "")).Code, "and nobody is given it any more")
}

// A process whose clock is ahead lists a device that one whose clock is right still
// gives to whoever knows its id.
func TestListHasNoDeviceThatARetryIsGivenByAnotherProcess(t *testing.T) {
	d := newDevices(t)
	d.Account(accountID).RegisteredAgo(0)
	require.Equal(t, http.StatusCreated, d.call(t, "POST", "", asking(deviceID, "")).Code)
	policy := devicetotp.DefaultPolicy()
	d.Clock.Advance(policy.RetryWindow)
	ahead := clocktest.New(d.Clock.Now().Add(policy.ClockTolerance))
	other := d.NewIssuer(func(c *devicetotp.Config) { c.Clock = ahead })
	listed := serve(t, mounted(t, other, jsonapi.Principal{AccountID: accountID, Scopes: allScopes}), calling("GET", "", "")).Body.String()
	given := d.call(t, "POST", "", asking(deviceID, ""))
	require.Equal(t, http.StatusCreated, given.Code)
	require.Equal(t, `{"data":[]}`, listed, "the id is as good as the secret")
}

func TestBlockedDevicesSayUntilWhen(t *testing.T) {
	fail := func(d *devices, id string, times int) {
		for range times {
			_, err := d.Issuer.Verify(t.Context(), devicetotp.VerifyRequest{
				AccountID: accountID, DeviceID: id, Code: credential.NewSecret("000000"),
			})
			require.Error(t, err)
			d.Clock.Advance(time.Hour)
		}
		d.Clock.Advance(-time.Hour)
	}
	d := newDevices(t)
	d.create(t, deviceID)
	fail(d, deviceID, 5)
	require.Contains(t, d.call(t, "GET", deviceID, "").Body.String(), `"blockedUntil":"2026-01-02T07:04:35Z"`)
	fail(d, deviceID, 20)
	require.Contains(t, d.call(t, "GET", deviceID, "").Body.String(), `"blockedUntil":"9999-12-31T23:59:59Z"`, "until the service unblocks it")

	// Codes that do not name it, as the OTP of a POST, are counted by themselves.
	d = newDevices(t)
	d.create(t, deviceID)
	fail(d, "", 5)
	require.Contains(t, d.call(t, "GET", deviceID, "").Body.String(), `"blockedUntil":"2026-01-02T07:04:35Z"`)
	fail(d, "", 80)
	require.Contains(t, d.call(t, "GET", deviceID, "").Body.String(), `"blockedUntil":"9999-12-31T23:59:59Z"`)
}

func TestRename(t *testing.T) {
	d := newDevices(t)
	d.create(t, deviceID)
	for _, name := range []string{"Alices\u00a0 \"Telefon\" \\ </script> & Ünï 😀 \u200b", ""} {
		a := d.call(t, "PATCH", strings.ToUpper(deviceID), naming(deviceID, name))
		require.Equal(t, http.StatusOK, a.Code, "%s", a.Body)
		var got struct {
			Data struct{ Attributes struct{ Name string } }
		}
		require.NoError(t, json.Unmarshal(a.Body.Bytes(), &got))
		require.Equal(t, name, got.Data.Attributes.Name)
		require.Equal(t, a.Body.String(), d.call(t, "PATCH", deviceID, naming(deviceID, name)).Body.String(), "a repetition is harmless")
		require.Equal(t, a.Body.String(), d.call(t, "GET", deviceID, "").Body.String())
		require.NotContains(t, a.Body.String(), "</script>")
	}
}

// Clients send back what they were given, and null for what they were not.
func TestRenameIgnoresWhatIsNotANewName(t *testing.T) {
	d := newDevices(t)
	d.create(t, deviceID)
	for _, members := range []string{``, `,"attributes":{}`, `,"attributes":null`, `,"attributes":{"name":null}`,
		`,"attributes":{"Name":"x","secret":"x","digits":8,"period":"x","createdAt":1},"meta":{},"links":[]`} {
		a := d.call(t, "PATCH", deviceID, `{"data":{"type":"deviceTOTP","id":"`+deviceID+`"`+members+`}}`)
		require.Equal(t, http.StatusOK, a.Code, "%s", a.Body)
		require.Contains(t, a.Body.String(), `"name":"phone"`)
	}
}

var refusedChanges = []struct {
	rule, body string
	status     int
	want       []string
}{
	{"not JSON", `{`, 422, []string{"invalid-document none"}},
	{"no data", `{}`, 422, []string{"invalid-document"}},
	{"no type", `{"data":{"id":"` + deviceID + `"}}`, 422, []string{"invalid-type /data"}},
	{"a number as type", `{"data":{"type":1,"id":"` + deviceID + `"}}`, 422, []string{"invalid-type /data/type"}},
	{"another type", `{"data":{"type":"device","id":"` + deviceID + `"}}`, 409, []string{"invalid-type /data/type"}},
	{"no id", `{"data":{"type":"deviceTOTP"}}`, 422, []string{"invalid-id /data"}},
	{"null as id", `{"data":{"type":"deviceTOTP","id":null}}`, 422, []string{"invalid-id /data/id"}},
	{"another id", `{"data":{"type":"deviceTOTP","id":"` + secondID + `"}}`, 409, []string{"invalid-id /data/id"}},
	{"no UUID", `{"data":{"type":"deviceTOTP","id":"x"}}`, 409, []string{"invalid-id /data/id"}},
	{"another type and id", `{"data":{"type":"device","id":"x"}}`, 409, []string{"invalid-type /data/type", "invalid-id /data/id"}},
	{"another type and a fault", `{"data":{"type":"device","id":1}}`, 422, []string{"invalid-id /data/id"}},
	{"attributes are an array", `{"data":{"type":"deviceTOTP","id":"` + deviceID + `","attributes":[]}}`, 422, []string{"invalid-attribute /data/attributes"}},
	{"a number as name", `{"data":{"type":"deviceTOTP","id":"` + deviceID + `","attributes":{"name":1}}}`, 422, []string{"invalid-attribute /data/attributes/name"}},
	{"name twice", `{"data":{"type":"deviceTOTP","id":"` + deviceID + `","attributes":{"name":"a","name":"b"}}}`, 422, []string{"invalid-document /data/attributes"}},
	{"a name that is too long", naming(deviceID, strings.Repeat("x", 65)), 422, []string{"invalid-argument /data/attributes/name"}},
	{"a name with a line break", naming(deviceID, "a\nb"), 422, []string{"invalid-argument /data/attributes/name"}},
}

func TestRenameRefuses(t *testing.T) {
	d := newDevices(t)
	d.create(t, deviceID)
	for _, c := range refusedChanges {
		t.Run(c.rule, func(t *testing.T) {
			a := d.call(t, "PATCH", deviceID, c.body)
			require.Equal(t, c.status, a.Code, "%s", a.Body)
			require.Equal(t, c.want, a.summary())
			require.Contains(t, d.call(t, "GET", deviceID, "").Body.String(), `"name":"phone"`)
		})
	}
}

func TestRevoke(t *testing.T) {
	d := newDevices(t)
	device := d.create(t, deviceID)
	d.create(t, secondID)
	for range 2 { // the second time there is nothing to take away
		a := d.call(t, "DELETE", strings.ToUpper(deviceID), "")
		require.Equal(t, http.StatusNoContent, a.Code)
		require.Empty(t, a.Body.String())
	}
	_, err := d.Issuer.Verify(t.Context(), devicetotp.VerifyRequest{AccountID: accountID, Code: d.Phone(device).Code()})
	require.Error(t, err)
	require.Equal(t, []string{"not-found none"}, d.call(t, "GET", deviceID, "").summary())
	require.Equal(t, http.StatusOK, d.call(t, "GET", secondID, "").Code)
	require.Equal(t, http.StatusNoContent, d.call(t, "DELETE", "no-uuid", "").Code)
}

func TestWhatIsNotThere(t *testing.T) {
	d := newDevices(t)
	d.create(t, deviceID)
	for _, id := range []string{secondID, "no-uuid", deviceID + "%2f", "x%2f" + deviceID, "%20" + deviceID, "{" + deviceID + "}"} {
		require.Equal(t, []string{"not-found none"}, d.call(t, "GET", id, "").summary(), id)
		plain := strings.NewReplacer("%2f", "/", "%20", " ").Replace(id)
		require.Equal(t, []string{"not-found none"}, d.call(t, "PATCH", id, naming(plain, "x")).summary(), id)
		require.Equal(t, http.StatusNoContent, d.call(t, "DELETE", id, "").Code, id)
	}
	require.Equal(t, http.StatusOK, d.call(t, "GET", deviceID, "").Code)
}

// An account that the store does not know has no devices. Like Create, the list does
// not reveal that it is unknown.
func TestUnknownAccountHasNoDevices(t *testing.T) {
	d := newDevices(t)
	h := mounted(t, d.Issuer, jsonapi.Principal{AccountID: "nobody", Scopes: allScopes})
	require.Equal(t, `{"data":[]}`, serve(t, h, calling("GET", "", "")).Body.String())
	require.Equal(t, []string{"not-found none"}, serve(t, h, calling("GET", deviceID, "")).summary())
	require.Equal(t, []string{"not-found none"}, serve(t, h, calling("PATCH", deviceID, naming(deviceID, "x"))).summary())
	require.Equal(t, http.StatusNoContent, serve(t, h, calling("DELETE", deviceID, "")).Code)
}

func TestLockedAccount(t *testing.T) {
	d := newDevices(t)
	d.create(t, deviceID)
	d.Account(accountID).Locked(true)
	require.Equal(t, http.StatusOK, d.call(t, "GET", "", "").Code)
	require.Equal(t, []string{"account-locked none"}, d.call(t, "PATCH", deviceID, naming(deviceID, "x")).summary())
	require.Equal(t, http.StatusNoContent, d.call(t, "DELETE", deviceID, "").Code)
}

func TestEveryOperationHasItsScope(t *testing.T) {
	for _, c := range []struct{ method, id, body, scope string }{
		{"GET", "", "", jsonapi.ScopeRead},
		{"HEAD", "", "", jsonapi.ScopeRead},
		{"POST", "", asking(secondID, `"pin":"8299"`), jsonapi.ScopeCreate},
		{"GET", deviceID, "", jsonapi.ScopeRead},
		{"PATCH", deviceID, naming(deviceID, "x"), jsonapi.ScopeManage},
		{"DELETE", deviceID, "", jsonapi.ScopeManage},
	} {
		for _, scope := range allScopes {
			d := newDevices(t)
			d.create(t, deviceID)
			h := mounted(t, d.Issuer, jsonapi.Principal{AccountID: accountID, Scopes: []string{scope}})
			w := httptest.NewRecorder()
			h.ServeHTTP(w, calling(c.method, c.id, c.body))
			if scope == c.scope {
				require.Less(t, w.Code, 300, "%s %s: %s", c.method, c.id, w.Body)
				continue
			}
			require.Equal(t, 403, w.Code, "%s %s with %s", c.method, c.id, scope)
			require.Contains(t, w.Body.String(), c.scope, "its own scope is named, and no other")
			require.NotContains(t, w.Body.String(), scope+".")
		}
	}
}

func TestEveryAddressSaysWhatItAllows(t *testing.T) {
	d := newDevices(t)
	for id, c := range map[string]struct {
		allow, detail string
		methods       []string
	}{
		"":       {"GET, HEAD, POST", "Only GET, HEAD and POST are possible here.", []string{"PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "get", "X"}},
		deviceID: {"DELETE, GET, HEAD, PATCH", "Only DELETE, GET, HEAD and PATCH are possible here.", []string{"PUT", "POST", "OPTIONS", "TRACE", "patch"}},
	} {
		for _, method := range c.methods {
			a := d.call(t, method, id, "")
			require.Equal(t, http.StatusMethodNotAllowed, a.Code, method)
			require.Equal(t, []string{c.allow}, a.Header().Values("Allow"))
			require.Equal(t, []string{"method-not-allowed none"}, a.summary())
			require.Equal(t, c.detail, a.errors[0].Detail)
		}
	}
}

func TestOnlyWhatTakesABodyAsksForItsType(t *testing.T) {
	d := newDevices(t)
	d.create(t, deviceID)
	for _, c := range []struct {
		method, id, body string
		takes            bool
	}{
		{"GET", "", "", false}, {"GET", deviceID, "", false}, {"DELETE", secondID, "", false},
		{"PATCH", deviceID, naming(deviceID, "x"), true}, {"POST", "", asking(secondID, `"pin":"8299"`), true},
	} {
		r := calling(c.method, c.id, c.body)
		r.Header.Set("Content-Type", "text/plain")
		a := serve(t, d.handler, r)
		require.Equal(t, c.takes, a.Code == http.StatusUnsupportedMediaType, "%s %s: %d", c.method, c.id, a.Code)

		r = calling(c.method, c.id, c.body)
		r.Header.Set("Accept", "text/html")
		require.Equal(t, []string{"not-acceptable header:Accept"}, serve(t, d.handler, r).summary())
	}
}

func TestHeadIsGetWithoutTheBody(t *testing.T) {
	d := newDevices(t)
	d.create(t, deviceID)
	s := httptest.NewServer(d.handler)
	defer s.Close()
	for path, want := range map[string]int{"": 200, "/" + deviceID: 200, "/" + secondID: 404} {
		get, err := http.Get(s.URL + devicesPath + path)
		require.NoError(t, err)
		require.NoError(t, get.Body.Close())
		head, err := http.Head(s.URL + devicesPath + path)
		require.NoError(t, err)
		require.NoError(t, head.Body.Close())
		require.Equal(t, want, head.StatusCode)
		require.Equal(t, get.StatusCode, head.StatusCode)
		require.Equal(t, get.ContentLength, head.ContentLength)
		require.Equal(t, get.Header.Get("Content-Type"), head.Header.Get("Content-Type"))
	}
}

// manager is a Manager whose results the test sets.
type manager struct {
	creator
	overview devicetotp.Overview
	err      error
	calls    []string
}

func (m *manager) Inspect(_ context.Context, accountID string) (devicetotp.Overview, error) {
	m.calls = append(m.calls, "inspect "+accountID)
	return m.overview, m.err
}

func (m *manager) Rename(_ context.Context, r devicetotp.RenameRequest) error {
	m.calls = append(m.calls, "rename "+r.AccountID+" "+r.DeviceID+" "+r.Name)
	return m.err
}

func (m *manager) Revoke(_ context.Context, r devicetotp.RevokeRequest) (devicetotp.Revoked, error) {
	m.calls = append(m.calls, "revoke "+r.AccountID+" "+strings.Join(r.DeviceIDs, ","))
	return devicetotp.Revoked{}, m.err
}

func TestNewHandlersNamesEveryMistakeAtOnce(t *testing.T) {
	_, _, err := jsonapi.NewHandlers((*manager)(nil), nil, jsonapi.Config{AuthTimeout: -1, BodyTimeout: -1})
	for _, name := range []string{"issuer", "auth", "Config.AuthTimeout", "Config.BodyTimeout"} {
		require.ErrorContains(t, err, name+" must not be")
	}
	var _ jsonapi.Manager = (*devicetotp.Issuer)(nil)
}
