package jsonapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/internal/pairbench"
	"example.com/devicetotp/devicetotp/jsonapi"
)

// plain is a handler that only decodes the same body and encodes the same
// answer: the least that a service could do. The benchmarks stand beside it.
func plain(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Data struct {
			Type       string `json:"type"`
			ID         string `json:"id"`
			Attributes struct {
				PIN      *string `json:"pin"`
				Password *string `json:"password"`
				OTP      *string `json:"otp"`
			} `json:"attributes"`
		} `json:"data"`
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	d := benchDevice
	type attributes struct {
		Secret    string `json:"secret"`
		Period    int    `json:"period"`
		Digits    int    `json:"digits"`
		Algorithm string `json:"algorithm"`
	}
	type data struct {
		Type       string     `json:"type"`
		ID         string     `json:"id"`
		Attributes attributes `json:"attributes"`
	}
	w.Header().Set("Content-Type", jsonapi.MediaType)
	w.WriteHeader(http.StatusCreated)
	_ = json.NewEncoder(w).Encode(struct {
		Data data `json:"data"`
	}{data{in.Data.Type, in.Data.ID, attributes{d.Base32(), int(d.Period / time.Second), d.Digits, d.Algorithm.String()}}})
}

var benchDevice = device(deviceID)

// benchCreator does nothing, so that only the transport is measured.
type benchCreator struct{}

func (benchCreator) Create(context.Context, devicetotp.CreateRequest) (devicetotp.DeviceTOTP, error) {
	return benchDevice, nil
}

const benchBody = `{"data":{"type":"deviceTOTP","id":"` + deviceID + `","attributes":{"pin":"8299","password":"superSecret12345!","otp":"526271"}}}`

func ours(b *testing.B) http.Handler {
	return handlerWith(b, benchCreator{}, jsonapi.Bearer(tokens), jsonapi.Config{})
}

// BenchmarkHandler is the handler alone, without a server.
func BenchmarkHandler(b *testing.B) {
	call := func(h http.Handler) func() {
		body := strings.NewReader(benchBody)
		r := request("")
		r.Header.Set("Accept", jsonapi.MediaType)
		w := httptest.NewRecorder()
		return func() {
			body.Reset(benchBody)
			r.Body = io.NopCloser(body)
			w.Body.Reset()
			clear(w.Header())
			h.ServeHTTP(w, r)
			require.Equal(b, http.StatusCreated, w.Code)
		}
	}
	pairbench.Pair{Calls: 100, Ours: call(ours(b)), Peer: call(http.HandlerFunc(plain))}.Run(b)
}

// BenchmarkServer is the handler behind a server of net/http, over a socket.
func BenchmarkServer(b *testing.B) {
	call := func(h http.Handler) func() {
		s := httptest.NewServer(h)
		b.Cleanup(s.Close)
		client := s.Client()
		body := []byte(benchBody)
		return func() {
			r, err := http.NewRequest(http.MethodPost, s.URL, bytes.NewReader(body))
			require.NoError(b, err)
			r.Header.Set("Authorization", "Bearer "+goodToken)
			r.Header.Set("Content-Type", jsonapi.MediaType)
			resp, err := client.Do(r)
			require.NoError(b, err)
			require.Equal(b, http.StatusCreated, resp.StatusCode)
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		}
	}
	pairbench.Pair{Calls: 20, Ours: call(ours(b)), Peer: call(http.HandlerFunc(plain))}.Run(b)
}
