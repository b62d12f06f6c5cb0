package jsonapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/credential"
	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/jsonapi"
	totperrors "example.com/devicetotp/errors"
)

// A missing seed corpus would make the fuzz targets test next to nothing in an
// ordinary run, without a word.
func TestFuzzSeedsAreThere(t *testing.T) {
	for target, atLeast := range map[string]int{"FuzzHandler": 8, "FuzzAccept": 6, "FuzzList": 2, "FuzzGet": 2, "FuzzRename": 4, "FuzzRevoke": 2} {
		seeds, err := filepath.Glob(filepath.Join("testdata", "fuzz", target, "seed-*"))
		require.NoError(t, err)
		require.GreaterOrEqual(t, len(seeds), atLeast, target)
		for _, seed := range seeds {
			text, err := os.ReadFile(seed)
			require.NoError(t, err)
			require.True(t, strings.HasPrefix(string(text), "go test fuzz v1\n"), seed)
		}
	}
}

// outcomes are what the Creator under the fuzzer may answer.
func outcomes() []error {
	all := []error{nil, errors.New("innards")}
	for _, code := range totperrors.Codes() {
		all = append(all, &totperrors.Error{Code: code, Err: errors.New("innards")})
	}
	return all
}

// phrase is all that an error object says but for its id.
type phrase struct{ status, code, title, detail, pointer string }

func phrases(a []errorObject) []phrase {
	var ps []phrase
	for _, e := range a {
		ps = append(ps, phrase{e.Status, e.Code, e.Title, e.Detail, e.pointer()})
	}
	return ps
}

// vocabulary is every phrase that a few known requests are answered with. If
// all answers keep to it, none of them echoes anything.
func vocabulary(t testing.TB) map[phrase]bool {
	known := map[phrase]bool{}
	learn := func(c jsonapi.Creator, edit func(name, value string) (string, string), body string) {
		r := request(body)
		if name, value := edit("", ""); name != "" {
			r.Header.Set(name, value)
		}
		for _, p := range phrases(serve(t, handlerOf(t, c), r).errors) {
			known[p] = true
		}
	}
	header := func(name, value string) func(string, string) (string, string) {
		return func(string, string) (string, string) { return name, value }
	}
	none := header("", "")
	for _, c := range refusedBodies {
		learn(&creator{}, none, c.body)
	}
	for _, name := range []string{"otp", "password", "pin"} {
		learn(&creator{}, none, `{"data":{"type":"deviceTOTP","attributes":{"`+name+`":1}}}`)
	}
	learn(&creator{}, none, plainBody+strings.Repeat(" ", jsonapi.MaxBodyBytes))
	learn(&creator{}, none, `{"data":{"type":"deviceTOTP","\ud800":1}}`)
	learn(&creator{}, none, `{"data":{"type":"deviceTOTP","attributes":{"\ud800":1}}}`)
	learn(&creator{}, header("Authorization", "Bearer bad"), plainBody)
	learn(&creator{}, header("Authorization", "Basic bad"), plainBody)
	learn(&creator{}, header("Accept", "text/html"), plainBody)
	learn(&creator{}, header("Content-Type", "text/html"), plainBody)
	learn(&creator{}, header("Content-Encoding", "gzip"), plainBody)
	for _, err := range outcomes() {
		for _, members := range []string{``, `,"id":null`, `,"attributes":null`, `,"id":null,"attributes":{}`,
			`,"attributes":{"otp":""}`, `,"attributes":{"password":""}`, `,"attributes":{"pin":""}`} {
			if err != nil {
				learn(failing(err), none, `{"data":{"type":"deviceTOTP"`+members+`}}`)
			}
		}
	}
	return known
}

func FuzzHandler(f *testing.F) {
	add := func(body string) {
		for outcome := range outcomes() {
			f.Add("Bearer good", "*/*", jsonapi.MediaType, "", "cbgmhslmp1o9or9kh1p0", []byte(body), uint8(outcome))
		}
	}
	add(plainBody)
	add(`{"data":{"type":"deviceTOTP"}}`)
	for _, c := range acceptedBodies {
		f.Add("Bearer good", "", jsonapi.MediaType, "", "", []byte(c.body), uint8(0))
	}
	for _, c := range refusedBodies {
		f.Add("Bearer good", "", jsonapi.MediaType, "", "", []byte(c.body), uint8(0))
	}
	f.Add("", "text/html", "text/html", "gzip", "x", []byte("{"), uint8(0))
	known := vocabulary(f)
	f.Fuzz(func(t *testing.T, authorization, accept, contentType, encoding, requestID string, body []byte, outcome uint8) {
		want := outcomes()[int(outcome)%len(outcomes())]
		issuer := &creator{answer: func(_ context.Context, r devicetotp.CreateRequest) (devicetotp.DeviceTOTP, error) {
			return device(r.DeviceID), want
		}}
		r := request(string(body))
		for name, value := range map[string]string{"Authorization": authorization, "Accept": accept,
			"Content-Type": contentType, "Content-Encoding": encoding, "Request-Id": requestID} {
			r.Header[name] = strings.Split(value, "\n")
			if value == "" {
				delete(r.Header, name)
			}
		}
		a := serve(t, handlerOf(t, issuer), r)
		require.Contains(t, []int{201, 401, 403, 406, 415, 422, 500}, a.Code)
		for _, p := range phrases(a.errors) {
			require.True(t, known[p], "%+v", p)
		}
		if xid.MatchString(requestID) {
			require.Equal(t, requestID, a.Header().Get("Request-Id"))
		}
		require.LessOrEqual(t, len(issuer.got), 1)
		if len(issuer.got) == 0 {
			require.Contains(t, []int{401, 406, 415, 422}, a.Code)
			return
		}
		if devicetotp.CodeOf(want) == devicetotp.CodeNotFound {
			want = errors.New("never an answer of this operation")
		}
		require.Equal(t, jsonapi.Status(want), a.Code)
		got := issuer.got[0]
		requireRead(t, body, got)
		if a.Code == 201 {
			w := httptest.NewRecorder()
			handlerOf(t, &creator{}).ServeHTTP(w, request(`{"data":{"type":"deviceTOTP","id":"`+device(got.DeviceID).ID+`"}}`))
			require.Equal(t, w.Body.String(), a.Body.String(), "the answer holds nothing but the device")
		}
	})
}

// requireRead holds what the Issuer got against what encoding/json reads.
func requireRead(t *testing.T, body []byte, got devicetotp.CreateRequest) {
	t.Helper()
	require.True(t, utf8.Valid(body))
	require.LessOrEqual(t, len(body), jsonapi.MaxBodyBytes)
	var doc map[string]any
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber() // a number beyond every float64 is JSON all the same
	require.NoError(t, decoder.Decode(&doc))
	data := doc["data"].(map[string]any)
	require.Equal(t, "deviceTOTP", data["type"])
	id, _ := data["id"].(string)
	require.Equal(t, id, got.DeviceID)
	require.Contains(t, []int{0, 36}, len(got.DeviceID))
	attributes, _ := data["attributes"].(map[string]any)
	for name, secret := range map[string]credential.Secret{"otp": got.OTP, "password": got.Password, "pin": got.PIN} {
		value, present := attributes[name].(string)
		require.Equal(t, present, secret.Present(), name)
		require.Equal(t, value, secret.Reveal(), name)
	}
}

func FuzzAccept(f *testing.F) {
	for _, accept := range []string{"", "*/*", "application/*;q=0", `application/vnd.api+json;profile="a,b";q=0.5, text/html`,
		`application/vnd.api+json;ext="https://jsonapi.org/ext/atomic"` + "\n*/*", "application/vnd.api+json;q=0,\n,*/*", `a/b;c="\",`} {
		f.Add(accept)
	}
	f.Fuzz(func(t *testing.T, accept string) {
		lines := strings.Split(accept, "\n")
		h := handlerOf(t, &creator{})
		status := func(lines ...string) int {
			r := request(plainBody)
			r.Header["Accept"] = lines
			return serve(t, h, r).Code
		}
		with := func(more string) int { return status(append(slices.Clone(lines), more)...) }
		got := status(lines...)
		require.Contains(t, []int{201, 406}, got)

		reversed := slices.Clone(lines)
		slices.Reverse(reversed)
		require.Equal(t, got, status(reversed...), "the order of the lines means nothing")
		require.Equal(t, got, status(append(lines, lines...)...), "nor does saying it twice")
		require.Equal(t, got, status(strings.Split(swapCase(accept), "\n")...), "nor does case")
		require.Equal(t, 201, with(jsonapi.MediaType), "what is asked for by name is to be had")
		if got == 406 {
			require.Equal(t, 406, with("text/html"), "another type changes nothing")
			require.Equal(t, 406, with(jsonapi.MediaType+";version=1"), "nor does what is not there")
			require.Equal(t, 406, with("*/*;q=0"), "nor does saying no")
		}
	})
}

// swapCase turns the case of ASCII letters round.
func swapCase(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' {
			b[i] ^= 0x20
		}
	}
	return string(b)
}
