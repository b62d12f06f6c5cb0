package jsonapi_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/devicetotp/jsonapi"
	totperrors "example.com/devicetotp/errors"
)

// tree is a decoded JSON object.
type tree = map[string]any

func openAPI(t *testing.T) tree {
	t.Helper()
	var doc tree
	require.NoError(t, json.Unmarshal(jsonapi.OpenAPI(), &doc))
	return doc
}

func at(t *testing.T, node any, path ...string) any {
	t.Helper()
	for _, name := range path {
		m, ok := node.(tree)
		require.True(t, ok, "%s of %v", name, path)
		require.Contains(t, m, name, "%v", path)
		node = m[name]
	}
	return node
}

func TestOpenAPIDescribesEveryStatusWithItsCodes(t *testing.T) {
	doc := openAPI(t)
	require.Equal(t, "3.1.0", doc["openapi"])
	responses := at(t, doc, "paths", "/user/devices/totp", "post", "responses").(tree)
	statuses := make([]string, 0, len(responses))
	described := map[string]string{} // code -> status
	for status, response := range responses {
		statuses = append(statuses, status)
		headers := at(t, response, "headers").(tree)
		for _, name := range []string{"Request-Id", "Cache-Control", "Vary"} {
			require.Contains(t, headers, name, status)
		}
		if status == "201" {
			continue
		}
		allOf := at(t, response, "content", jsonapi.MediaType, "schema", "allOf").([]any)
		for _, code := range at(t, allOf[1], "properties", "errors", "items", "properties", "code", "enum").([]any) {
			described[code.(string)] = status
		}
	}
	slices.Sort(statuses)
	require.Equal(t, []string{"201", "401", "403", "406", "415", "422", "500"}, statuses)
	require.Contains(t, at(t, responses, "401", "headers"), "WWW-Authenticate")
	require.Contains(t, at(t, responses, "403", "headers"), "Retry-After")
	require.Contains(t, at(t, responses, "500", "headers"), "Retry-After")

	for _, code := range totperrors.Codes() {
		if code == totperrors.CodeInvalidArgument || code == totperrors.CodeNotFound {
			continue // only for other endpoints of a service
		}
		require.Equal(t, strconv.Itoa(jsonapi.Status(&totperrors.Error{Code: code})), described[string(code)], string(code))
	}
	for _, code := range []string{"unauthorized", "missing-linked-identity", "insufficient-scope", "not-acceptable",
		"unsupported-media-type", "invalid-document", "invalid-type", "invalid-attribute"} {
		require.Contains(t, described, code)
	}
}

func TestOpenAPIHasNoDanglingReference(t *testing.T) {
	doc := openAPI(t)
	references := 0
	var walk func(node any)
	walk = func(node any) {
		switch n := node.(type) {
		case tree:
			if ref, ok := n["$ref"].(string); ok {
				references++
				at(t, doc, strings.Split(strings.TrimPrefix(ref, "#/"), "/")...)
			}
			for _, child := range n {
				walk(child)
			}
		case []any:
			for _, child := range n {
				walk(child)
			}
		}
	}
	walk(doc)
	require.NotZero(t, references)
}

func TestOpenAPIIsOwnedByTheCaller(t *testing.T) {
	clear(jsonapi.OpenAPI())
	openAPI(t)
}

func TestOpenAPIHandler(t *testing.T) {
	for method, want := range map[string]int{"GET": 200, "HEAD": 200, "POST": 405} {
		w := httptest.NewRecorder()
		jsonapi.OpenAPIHandler().ServeHTTP(w, httptest.NewRequest(method, "/openapi.json", nil))
		require.Equal(t, want, w.Code, method)
		if want == http.StatusOK {
			require.Equal(t, "application/vnd.oai.openapi+json;version=3.1", w.Header().Get("Content-Type"))
			require.Equal(t, jsonapi.OpenAPI(), w.Body.Bytes())
		} else {
			require.Equal(t, "GET, HEAD", w.Header().Get("Allow"))
		}
	}
}
