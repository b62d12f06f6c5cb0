// Package contract holds the requests and answers of a test against the OpenAPI
// document that package jsonapi ships, with a validator that was not written
// here.
package contract

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	"example.com/devicetotp/devicetotp/jsonapi"
)

// documented is the path that the document describes, and below which there is one
// segment more for one device.
const documented = "/user/devices/totp"

// documentedPath returns the path of the document for one that a service mounts below
// a prefix of its own; "" for what the document does not describe.
func documentedPath(path string) string {
	i := strings.LastIndex(path, documented)
	if i < 0 {
		return ""
	}
	switch rest := path[i+len(documented):]; {
	case rest == "", rest[0] == '/' && !strings.Contains(rest[1:], "/") && rest != "/verify": // which the example server adds
		return path[i:]
	default:
		return ""
	}
}

// A Validator holds exchanges against the document.
type Validator struct {
	router routers.Router
}

// New reads the document, which must itself be valid.
func New() (*Validator, error) {
	doc, err := openapi3.NewLoader().LoadFromData(jsonapi.OpenAPI())
	if err != nil {
		return nil, err
	}
	if err := doc.Validate(context.Background()); err != nil {
		return nil, err
	}
	doc.Servers = nil // a service mounts it where it likes
	router, err := gorillamux.NewRouter(doc)
	return &Validator{router}, err
}

// Check returns what is wrong with an exchange. Every answer must be one that
// the document describes. So must be a request that was granted, or refused for
// what it presents; and one whose parts were refused must not be.
func (v *Validator) Check(r *http.Request, requestBody []byte, answer *http.Response, answerBody []byte) error {
	documentedRequest := r.Clone(context.Background())
	documentedRequest.URL.Path, documentedRequest.URL.RawPath = documentedPath(r.URL.Path), ""
	documentedRequest.Body = io.NopCloser(bytes.NewReader(requestBody))
	route, params, err := v.router.FindRoute(documentedRequest)
	if err != nil {
		return fmt.Errorf("route: %w", err)
	}
	options := &openapi3filter.Options{
		IncludeResponseStatus: true,
		MultiError:            true,
		AuthenticationFunc:    openapi3filter.NoopAuthenticationFunc,
	}
	request := &openapi3filter.RequestValidationInput{
		Request: documentedRequest, PathParams: params, Route: route, Options: options,
	}
	err = openapi3filter.ValidateRequest(context.Background(), request)
	switch taken := takenFor(answer.StatusCode, answerBody); {
	case taken == good && err != nil:
		return fmt.Errorf("request %s: %w", requestBody, err)
	case taken == bad && err == nil:
		return fmt.Errorf("request %s: is as documented, but was refused: %s", requestBody, answerBody)
	}
	err = openapi3filter.ValidateResponse(context.Background(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: request,
		Status:                 answer.StatusCode,
		Header:                 answer.Header,
		Body:                   io.NopCloser(bytes.NewReader(answerBody)),
		Options:                options,
	})
	if err == nil {
		err = checkCodes(route.Operation.Responses.Status(answer.StatusCode), answerBody)
	}
	if err != nil {
		return fmt.Errorf("answer %d %s: %w", answer.StatusCode, answerBody, err)
	}
	return nil
}

// Codes returns the codes that the document lists for a response of an error.
func Codes(response *openapi3.Response) []string {
	listed, _ := response.Extensions["x-codes"].([]any)
	var codes []string
	for _, code := range listed {
		codes = append(codes, fmt.Sprint(code))
	}
	return codes
}

// checkCodes holds the codes of an answer against those that are listed for its
// status. The schema has one list for all, so that generated clients have a type.
func checkCodes(response *openapi3.ResponseRef, answer []byte) error {
	var document struct {
		Errors []struct{ Code string }
	}
	if len(answer) > 0 {
		if err := json.Unmarshal(answer, &document); err != nil {
			return err
		}
	}
	for _, e := range document.Errors {
		if !slices.Contains(Codes(response.Value), e.Code) {
			return fmt.Errorf("the code %q is not listed for this status", e.Code)
		}
	}
	return nil
}

// verdict is what an answer says of the form of the request.
type verdict int

const (
	unsaid verdict = iota // it was refused for something else
	good
	bad
)

// codes are those that say something of the form. invalid-document does not:
// the document cannot describe what is no JSON.
var codes = map[string]verdict{
	"invalid-type": bad, "invalid-attribute": bad, "invalid-id": bad,
	"invalid-credentials": good, "credentials-required": good, "too-many-attempts": good,
	"account-locked": good, "device-limit-reached": good, "id-in-use": good,
}

func takenFor(status int, answer []byte) verdict {
	if status == http.StatusConflict {
		return unsaid // the schema does not know the address
	}
	var document struct {
		Data   json.RawMessage
		Errors []struct{ Code string }
	}
	switch err := json.Unmarshal(answer, &document); {
	case err != nil:
		return unsaid // the answer itself is wrong, which is found too
	case document.Data != nil:
		return good
	case len(document.Errors) == 0:
		return unsaid
	default:
		return codes[document.Errors[0].Code]
	}
}

// Client returns a client whose exchanges with the endpoint are all checked,
// and fail t if they are not as documented. It keeps no connection open.
func Client(t testing.TB) *http.Client {
	t.Helper()
	validator, err := New()
	if err != nil {
		t.Fatal("the OpenAPI document:", err)
	}
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: checked{t, validator, transport}}
}

type checked struct {
	t         testing.TB
	validator *Validator
	next      http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (c checked) RoundTrip(r *http.Request) (*http.Response, error) {
	if documentedPath(r.URL.Path) == "" || r.Method == http.MethodHead { // which is GET's
		return c.next.RoundTrip(r)
	}
	requestBody, err := readAll(&r.Body)
	if err != nil {
		return nil, err
	}
	answer, err := c.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	answerBody, err := readAll(&answer.Body)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode == http.StatusMethodNotAllowed && r.Method != http.MethodPost {
		return answer, nil // a service need not mount every operation
	}
	if err := c.validator.Check(r, requestBody, answer, answerBody); err != nil {
		c.t.Errorf("not as documented: %v", err)
	}
	return answer, nil
}

// readAll reads body and puts an unread one with the same bytes in its place.
func readAll(body *io.ReadCloser) ([]byte, error) {
	if *body == nil {
		return nil, nil
	}
	data, err := io.ReadAll(*body)
	if err != nil {
		return nil, err
	}
	if err := (*body).Close(); err != nil {
		return nil, err
	}
	*body = io.NopCloser(bytes.NewReader(data))
	return data, nil
}
