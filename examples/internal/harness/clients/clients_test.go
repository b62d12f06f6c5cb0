package clients

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"testing"

	datadog "github.com/DataDog/jsonapi"
	google "github.com/google/jsonapi"
	hashicorp "github.com/hashicorp/jsonapi"
	"github.com/stretchr/testify/require"

	"example.com/devicetotp/devicetotp/jsonapi"
	"example.com/devicetotp/examples/internal/contract"
	"example.com/devicetotp/examples/internal/service"
)

// deviceTOTP is the resource as all three libraries take it: pointers that are
// nil are sent as null, and what only the server sets is sent along too.
type deviceTOTP struct {
	ID        string  `jsonapi:"primary,deviceTOTP"`
	PIN       *string `jsonapi:"attr,pin"`
	Password  *string `jsonapi:"attr,password"`
	OTP       *string `jsonapi:"attr,otp"`
	Secret    string  `jsonapi:"attr,secret,omitempty"`
	Period    int     `jsonapi:"attr,period,omitempty"`
	Digits    int     `jsonapi:"attr,digits,omitempty"`
	Algorithm string  `jsonapi:"attr,algorithm,omitempty"`
}

// datadogTOTP is the same: DataDog/jsonapi has another tag.
type datadogTOTP struct {
	ID        string  `jsonapi:"primary,deviceTOTP"`
	PIN       *string `jsonapi:"attribute" json:"pin"`
	Password  *string `jsonapi:"attribute" json:"password"`
	OTP       *string `jsonapi:"attribute" json:"otp"`
	Secret    string  `jsonapi:"attribute" json:"secret,omitempty"`
	Period    int     `jsonapi:"attribute" json:"period,omitempty"`
	Digits    int     `jsonapi:"attribute" json:"digits,omitempty"`
	Algorithm string  `jsonapi:"attribute" json:"algorithm,omitempty"`
}

// problem is an error object as a client reads it.
type problem struct {
	ID, Status, Code, Title, Detail string
}

// A library writes requests and reads answers.
type library struct {
	request func(id, pin string) ([]byte, error)
	device  func(body []byte) (deviceTOTP, error)
	problem func(body []byte) (problem, error)
}

var libraries = map[string]library{
	"google/jsonapi": {
		request: func(id, pin string) ([]byte, error) {
			var body bytes.Buffer
			err := google.MarshalPayload(&body, &deviceTOTP{ID: id, PIN: &pin})
			return body.Bytes(), err
		},
		device: func(body []byte) (d deviceTOTP, err error) {
			return d, google.UnmarshalPayload(bytes.NewReader(body), &d)
		},
		problem: func(body []byte) (problem, error) {
			var errs google.ErrorsPayload
			if err := json.Unmarshal(body, &errs); err != nil || len(errs.Errors) == 0 {
				return problem{}, err
			}
			e := errs.Errors[0]
			return problem{e.ID, e.Status, e.Code, e.Title, e.Detail}, nil
		},
	},
	"hashicorp/jsonapi": {
		request: func(id, pin string) ([]byte, error) {
			var body bytes.Buffer
			err := hashicorp.MarshalPayload(&body, &deviceTOTP{ID: id, PIN: &pin})
			return body.Bytes(), err
		},
		device: func(body []byte) (d deviceTOTP, err error) {
			return d, hashicorp.UnmarshalPayload(bytes.NewReader(body), &d)
		},
		problem: func(body []byte) (problem, error) {
			var errs hashicorp.ErrorsPayload
			if err := json.Unmarshal(body, &errs); err != nil || len(errs.Errors) == 0 {
				return problem{}, err
			}
			e := errs.Errors[0]
			return problem{e.ID, e.Status, e.Code, e.Title, e.Detail}, nil
		},
	},
	"DataDog/jsonapi": {
		request: func(id, pin string) ([]byte, error) {
			return datadog.Marshal(&datadogTOTP{ID: id, PIN: &pin}, datadog.MarshalClientMode())
		},
		device: func(body []byte) (deviceTOTP, error) {
			var d datadogTOTP
			err := datadog.Unmarshal(body, &d)
			return deviceTOTP(d), err
		},
		problem: func(body []byte) (problem, error) {
			var errs struct {
				Errors []*datadog.Error `json:"errors"`
			}
			if err := json.Unmarshal(body, &errs); err != nil || len(errs.Errors) == 0 {
				return problem{}, err
			}
			e := errs.Errors[0]
			return problem{e.ID, http.StatusText(*e.Status), e.Code, e.Title, e.Detail}, nil
		},
	},
}

func TestGoClients(t *testing.T) {
	const id = "738e379f-fe30-45ab-819c-ba88804b6368"
	for name, lib := range libraries {
		t.Run(name, func(t *testing.T) {
			_, create := service.New(t)
			base := service.Start(t, create)
			client := contract.Client(t)
			post := func(id, pin string) (int, []byte) {
				t.Helper()
				body, err := lib.request(id, pin)
				require.NoError(t, err)
				r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+"/user/devices/totp", bytes.NewReader(body))
				require.NoError(t, err)
				r.Header.Set("Authorization", "Bearer "+service.Token)
				r.Header.Set("Content-Type", jsonapi.MediaType)
				r.Header.Set("Accept", jsonapi.MediaType)
				got, err := client.Do(r)
				require.NoError(t, err)
				defer got.Body.Close()
				answer, err := io.ReadAll(got.Body)
				require.NoError(t, err)
				t.Logf("%s\n%s", body, answer)
				return got.StatusCode, answer
			}

			status, body := post(id, service.PIN)
			require.Equal(t, http.StatusCreated, status, "%s", body)
			named, err := lib.device(body)
			require.NoError(t, err)
			require.Equal(t, id, named.ID)
			require.Len(t, named.Secret, 32)
			require.Equal(t, 30, named.Period)
			require.Equal(t, 6, named.Digits)
			require.Equal(t, "SHA1", named.Algorithm)

			status, body = post("", service.PIN)
			require.Equal(t, http.StatusCreated, status, "%s", body)
			unnamed, err := lib.device(body)
			require.NoError(t, err)
			require.Len(t, unnamed.ID, len(id), "the server makes an id")

			status, body = post("", "0000")
			require.Equal(t, http.StatusForbidden, status)
			p, err := lib.problem(body)
			require.NoError(t, err)
			require.Equal(t, "invalid-credentials", p.Code)
			require.Len(t, p.ID, 20)
			require.Contains(t, []string{"403", "Forbidden"}, p.Status)
			require.NotEmpty(t, p.Title)
			require.NotEmpty(t, p.Detail)
		})
	}
}
