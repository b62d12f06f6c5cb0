package clients

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"testing"
	"time"

	datadog "github.com/DataDog/jsonapi"
	google "github.com/google/jsonapi"
	hashicorp "github.com/hashicorp/jsonapi"
	"github.com/stretchr/testify/require"

	"example.com/devicetotp/devicetotp/devicetotptest"
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

// shownTOTP is a device as it is listed; what is not set is sent along all the same.
type shownTOTP struct {
	ID           string     `jsonapi:"primary,deviceTOTP"`
	Name         string     `jsonapi:"attr,name"`
	Algorithm    string     `jsonapi:"attr,algorithm"`
	Digits       int        `jsonapi:"attr,digits"`
	Period       int        `jsonapi:"attr,period"`
	CreatedAt    time.Time  `jsonapi:"attr,createdAt,rfc3339"`
	LastUsedAt   *time.Time `jsonapi:"attr,lastUsedAt,rfc3339"`
	BlockedUntil *time.Time `jsonapi:"attr,blockedUntil,rfc3339"`
}

// datadogShown is the same: DataDog/jsonapi has another tag.
type datadogShown struct {
	ID           string     `jsonapi:"primary,deviceTOTP"`
	Name         string     `jsonapi:"attribute" json:"name"`
	Algorithm    string     `jsonapi:"attribute" json:"algorithm"`
	Digits       int        `jsonapi:"attribute" json:"digits"`
	Period       int        `jsonapi:"attribute" json:"period"`
	CreatedAt    time.Time  `jsonapi:"attribute" json:"createdAt"`
	LastUsedAt   *time.Time `jsonapi:"attribute" json:"lastUsedAt"`
	BlockedUntil *time.Time `jsonapi:"attribute" json:"blockedUntil"`
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
	change  func(d shownTOTP) ([]byte, error)
	shown   func(body []byte) (shownTOTP, error)
	list    func(body []byte) ([]shownTOTP, error)
}

var libraries = map[string]library{
	"google/jsonapi": {
		request: func(id, pin string) ([]byte, error) {
			var body bytes.Buffer
			err := google.MarshalPayload(&body, &deviceTOTP{ID: id, PIN: &pin})
			return body.Bytes(), err
		},
		change: func(d shownTOTP) ([]byte, error) {
			var body bytes.Buffer
			err := google.MarshalPayload(&body, &d)
			return body.Bytes(), err
		},
		shown: func(body []byte) (d shownTOTP, err error) {
			return d, google.UnmarshalPayload(bytes.NewReader(body), &d)
		},
		list: func(body []byte) (all []shownTOTP, err error) {
			items, err := google.UnmarshalManyPayload(bytes.NewReader(body), reflect.TypeFor[*shownTOTP]())
			for _, item := range items {
				all = append(all, *item.(*shownTOTP))
			}
			return all, err
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
		change: func(d shownTOTP) ([]byte, error) {
			var body bytes.Buffer
			err := hashicorp.MarshalPayload(&body, &d)
			return body.Bytes(), err
		},
		shown: func(body []byte) (d shownTOTP, err error) {
			return d, hashicorp.UnmarshalPayload(bytes.NewReader(body), &d)
		},
		list: func(body []byte) (all []shownTOTP, err error) {
			items, err := hashicorp.UnmarshalManyPayload(bytes.NewReader(body), reflect.TypeFor[*shownTOTP]())
			for _, item := range items {
				all = append(all, *item.(*shownTOTP))
			}
			return all, err
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
		change: func(d shownTOTP) ([]byte, error) {
			own := datadogShown(d)
			return datadog.Marshal(&own, datadog.MarshalClientMode())
		},
		shown: func(body []byte) (shownTOTP, error) {
			var d datadogShown
			err := datadog.Unmarshal(body, &d)
			return shownTOTP(d), err
		},
		list: func(body []byte) (all []shownTOTP, err error) {
			var own []datadogShown
			err = datadog.Unmarshal(body, &own)
			for _, d := range own {
				all = append(all, shownTOTP(d))
			}
			return all, err
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
			w, _ := service.New(t)
			base := service.Start(t, service.All(t, w, service.Owner()))
			client := contract.Client(t)
			call := func(method, path string, body []byte) (int, []byte) {
				t.Helper()
				r, err := http.NewRequestWithContext(t.Context(), method, base+"/user/devices/totp"+path, bytes.NewReader(body))
				require.NoError(t, err)
				r.Header.Set("Authorization", "Bearer "+service.Token)
				if body != nil {
					r.Header.Set("Content-Type", jsonapi.MediaType)
				}
				r.Header.Set("Accept", jsonapi.MediaType)
				got, err := client.Do(r)
				require.NoError(t, err)
				defer got.Body.Close()
				answer, err := io.ReadAll(got.Body)
				require.NoError(t, err)
				t.Logf("%s\n%s", body, answer)
				return got.StatusCode, answer
			}
			post := func(id, pin string) (int, []byte) {
				t.Helper()
				body, err := lib.request(id, pin)
				require.NoError(t, err)
				return call(http.MethodPost, "", body)
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

			status, body = call(http.MethodGet, "", nil)
			require.Equal(t, http.StatusOK, status, "%s", body)
			list, err := lib.list(body)
			require.NoError(t, err)
			require.Len(t, list, 2)
			d := list[0]
			require.Equal(t, id, d.ID)
			require.Equal(t, "SHA1 6 30", fmt.Sprint(d.Algorithm, " ", d.Digits, " ", d.Period))
			require.True(t, d.CreatedAt.Equal(devicetotptest.Start))
			require.Nil(t, d.LastUsedAt)
			require.Nil(t, d.BlockedUntil)

			d.Name = "Alice's \"phone\" <1>"
			changed, err := lib.change(d) // all of it is sent back
			require.NoError(t, err)
			status, body = call(http.MethodPatch, "/"+id, changed)
			require.Equal(t, http.StatusOK, status, "%s", body)
			renamed, err := lib.shown(body)
			require.NoError(t, err)
			require.Equal(t, d.Name, renamed.Name)

			status, body = call(http.MethodDelete, "/"+id, nil)
			require.Equal(t, http.StatusNoContent, status, "%s", body)
			status, body = call(http.MethodGet, "/"+id, nil)
			require.Equal(t, http.StatusNotFound, status)
			p, err = lib.problem(body)
			require.NoError(t, err)
			require.Equal(t, "not-found", p.Code)
		})
	}
}
