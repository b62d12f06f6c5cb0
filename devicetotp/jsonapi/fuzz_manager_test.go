package jsonapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/jsonapi"
	totperrors "example.com/devicetotp/errors"
)

// operation is one of the operations beside the published one, with the statuses
// that the package documentation has for it.
type operation struct {
	name, method string
	one          bool // its address is that of one device
	statuses     []int
}

var (
	listing  = operation{"inspect", "GET", false, []int{200, 401, 403, 406, 500}}
	getting  = operation{"inspect", "GET", true, []int{200, 401, 403, 404, 406, 500}}
	renaming = operation{"rename", "PATCH", true, []int{200, 401, 403, 404, 406, 409, 415, 422, 500}}
	revoking = operation{"revoke", "DELETE", true, []int{204, 401, 403, 406, 500}}
)

// sent is one request of the fuzzer.
type sent struct {
	token, accept, contentType string
	segment                    string // the last of the path
	body                       []byte
	issuer                     *manager
}

func (o operation) send(t testing.TB, s sent) answer {
	t.Helper()
	r := calling(o.method, "x", string(s.body))
	r.URL.Path, r.URL.RawPath = devicesPath+"/"+s.segment, devicesPath+"/"+url.PathEscape(s.segment)
	for header, value := range map[string]string{"Authorization": "Bearer " + s.token, "Accept": s.accept, "Content-Type": s.contentType} {
		r.Header[header] = strings.Split(value, "\n")
		if value == "" {
			delete(r.Header, header)
		}
	}
	auth := jsonapi.Bearer(func(_ context.Context, token string) (jsonapi.Principal, error) {
		switch token {
		case goodToken:
			return jsonapi.Principal{AccountID: accountID, Scopes: allScopes}, nil
		case "narrow":
			return jsonapi.Principal{AccountID: accountID}, nil
		default:
			return jsonapi.Principal{}, jsonapi.ErrInvalidToken
		}
	})
	collection, one, err := jsonapi.NewHandlers(s.issuer, auth, jsonapi.Config{Logger: quiet})
	require.NoError(t, err)
	if o.one {
		return serve(t, one, r)
	}
	return serve(t, collection, r)
}

// managerOutcomes are what the Manager under the fuzzer may return.
func managerOutcomes() []error {
	all := append(outcomes(), &totperrors.Error{
		Code: totperrors.CodeInvalidArgument, Field: totperrors.FieldAccountID, Err: credential.ErrNotFound,
	})
	for _, code := range totperrors.Codes() {
		all = append(all, &totperrors.Error{Op: totperrors.OpRename, Code: code})
	}
	return all
}

// changes are bodies of a PATCH, good ones and bad ones.
func changes() []string {
	all := []string{naming(deviceID, "phone"), naming(deviceID, ""), `{"data":{"type":"deviceTOTP","id":"` + deviceID + `"}}`,
		naming(deviceID, "x") + strings.Repeat(" ", jsonapi.MaxBodyBytes), `{"data":{"type":"deviceTOTP","\ud800":1}}`,
		`{"data":{"type":"deviceTOTP","id":"` + deviceID + `","attributes":{"\ud800":1}}}`}
	for _, c := range refusedChanges {
		all = append(all, c.body)
	}
	for _, c := range refusedBodies {
		all = append(all, c.body)
	}
	return all
}

// vocabulary is every phrase that known requests are answered with.
func (o operation) vocabulary(t testing.TB) map[phrase]bool {
	known := map[phrase]bool{}
	learn := func(s sent) {
		for _, p := range phrases(o.send(t, s).errors) {
			known[p] = true
		}
	}
	good := sent{goodToken, "", jsonapi.MediaType, deviceID, []byte(naming(deviceID, "x")), &manager{}}
	for _, edit := range []func(*sent){
		func(s *sent) { s.token = "" }, func(s *sent) { s.token = "bad" }, func(s *sent) { s.token = "narrow" },
		func(s *sent) { s.accept = "text/html" }, func(s *sent) { s.contentType = "" }, func(*sent) {},
	} {
		s := good
		edit(&s)
		learn(s)
	}
	for _, body := range changes() {
		s := good
		s.body = []byte(body)
		learn(s)
	}
	for _, err := range managerOutcomes() {
		s := good
		s.issuer = &manager{err: err}
		learn(s)
	}
	return known
}

// fuzz lets f send requests to o, and checks what holds for every operation; check
// checks what holds for a request that was granted.
func (o operation) fuzz(f *testing.F, check func(*testing.T, sent, answer)) {
	for _, body := range changes() {
		f.Add(goodToken, "*/*", jsonapi.MediaType, deviceID, "phone", []byte(body), uint8(0))
	}
	for outcome := range managerOutcomes() {
		f.Add(goodToken, "", jsonapi.MediaType, strings.ToUpper(deviceID), "a\n\"<\xff", []byte(naming(deviceID, "x")), uint8(outcome))
	}
	f.Add(" "+goodToken+" ", "*/*", jsonapi.MediaType, deviceID, "phone", []byte(naming(deviceID, "x")), uint8(0))
	f.Add("narrow", "text/html", "", "no-uuid", "", []byte(nil), uint8(0))
	known := o.vocabulary(f)
	f.Fuzz(func(t *testing.T, token, accept, contentType, segment, name string, body []byte, outcome uint8) {
		err := managerOutcomes()[int(outcome)%len(managerOutcomes())]
		s := sent{token, accept, contentType, segment, body, &manager{err: err, overview: overviewOf(name)}}
		a := o.send(t, s)
		require.Contains(t, o.statuses, a.Code)
		for _, p := range phrases(a.errors) {
			require.True(t, known[p], "%+v", p)
		}
		for _, call := range s.issuer.calls { // for nobody else, and nothing but what was asked for
			require.True(t, call == "inspect "+accountID || strings.HasPrefix(call, o.name+" "+accountID+" "+strings.ToLower(segment)), call)
		}
		if strings.Trim(token, " ") != goodToken { // spaces around it are no part of a token
			require.Contains(t, []int{401, 403}, a.Code)
		}
		if a.Code == 401 || a.Code == 406 || a.Code == 409 || a.Code == 415 {
			require.Empty(t, s.issuer.calls)
		}
		if a.Code < 300 {
			require.True(t, err == nil || len(s.issuer.calls) == 0 || totperrors.CodeOf(err) == totperrors.CodeInvalidArgument, "%v", err)
			check(t, s, a)
		}
	})
}

// overviewOf has a device of that name which is to be listed, between two which are
// not.
func overviewOf(name string) devicetotp.Overview {
	d := devicetotp.DeviceOverview{
		ID: deviceID, Name: name, Basis: credential.BasisPIN, Algorithm: credential.AlgorithmSHA256, Digits: 8, Period: time.Minute,
		CreatedAt: madeAt, KeyID: "innards", MadeBy: secondID,
	}
	hidden := d
	hidden.ID, hidden.OpenToRetry = secondID, true
	return devicetotp.Overview{Devices: []devicetotp.DeviceOverview{hidden, d, hidden}}
}

var madeAt = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// one decodes the device of a document.
func one(t *testing.T, text []byte) shown {
	t.Helper()
	var d shown
	require.NoError(t, decodeExactly(text, &d))
	return d
}

// requireShown holds a device against what the Manager returned.
func requireShown(t *testing.T, s sent, d shown) {
	t.Helper()
	want := strings.ToValidUTF8(s.issuer.overview.Devices[1].Name, "\ufffd")
	if !utf8.ValidString(s.issuer.overview.Devices[1].Name) {
		want = *d.Attributes.Name // how many replacements there are is not promised
		require.True(t, utf8.ValidString(want))
	}
	require.Equal(t, want, *d.Attributes.Name)
	require.Equal(t, "SHA256 8 60", fmt.Sprint(d.Attributes.Algorithm, " ", d.Attributes.Digits, " ", d.Attributes.Period))
	require.True(t, d.Attributes.CreatedAt.Equal(madeAt))
	require.Nil(t, d.Attributes.LastUsedAt)
	require.Nil(t, d.Attributes.BlockedUntil)
}

func FuzzList(f *testing.F) {
	listing.fuzz(f, func(t *testing.T, s sent, a answer) {
		var doc struct {
			Data []json.RawMessage `json:"data"`
		}
		require.NoError(t, decodeExactly(a.Body.Bytes(), &doc))
		if s.issuer.err != nil {
			require.Empty(t, doc.Data, "an unknown account has no devices")
			return
		}
		require.Len(t, doc.Data, 1)
		d := one(t, doc.Data[0])
		require.Equal(t, deviceID, d.ID)
		requireShown(t, s, d)
	})
}

func FuzzGet(f *testing.F) {
	getting.fuzz(f, func(t *testing.T, s sent, a answer) { requireAsked(t, s, a) })
}

// requireAsked holds the document of one device against the address.
func requireAsked(t *testing.T, s sent, a answer) {
	t.Helper()
	var doc struct {
		Data json.RawMessage `json:"data"`
	}
	require.NoError(t, decodeExactly(a.Body.Bytes(), &doc))
	d := one(t, doc.Data)
	require.Equal(t, strings.ToLower(s.segment), d.ID)
	requireShown(t, s, d)
}

func FuzzRename(f *testing.F) {
	renaming.fuzz(f, func(t *testing.T, s sent, a answer) {
		requireAsked(t, s, a)
		require.LessOrEqual(t, len(s.body), jsonapi.MaxBodyBytes)
		var doc map[string]any
		decoder := json.NewDecoder(bytes.NewReader(s.body))
		decoder.UseNumber()
		require.NoError(t, decoder.Decode(&doc))
		data := doc["data"].(map[string]any)
		require.Equal(t, "deviceTOTP", data["type"])
		require.Equal(t, strings.ToLower(s.segment), strings.ToLower(data["id"].(string)))
		attributes, _ := data["attributes"].(map[string]any)
		name, named := attributes["name"].(string)
		want := []string{"inspect " + accountID}
		if named {
			want = []string{"rename " + accountID + " " + strings.ToLower(s.segment) + " " + name, want[0]}
		}
		require.Equal(t, want, s.issuer.calls)
	})
}

func FuzzRevoke(f *testing.F) {
	revoking.fuzz(f, func(t *testing.T, s sent, a answer) {
		var want []string
		if id := strings.ToLower(s.segment); len(s.segment) == 36 && uuid.MatchString(id) {
			want = []string{"revoke " + accountID + " " + id}
		}
		require.Equal(t, want, s.issuer.calls)
		require.Equal(t, http.StatusNoContent, a.Code)
	})
}
