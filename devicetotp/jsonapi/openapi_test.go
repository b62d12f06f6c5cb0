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

// resolved returns node, or what it refers to.
func resolved(t *testing.T, doc tree, node any) any {
	t.Helper()
	if ref, ok := node.(tree)["$ref"].(string); ok {
		return at(t, doc, strings.Split(strings.TrimPrefix(ref, "#/"), "/")...)
	}
	return node
}

func TestOpenAPIDescribesEveryStatusWithItsCodes(t *testing.T) {
	doc := openAPI(t)
	require.Equal(t, "3.1.0", doc["openapi"])
	all := at(t, doc, "components", "schemas", "ErrorCode", "enum").([]any)
	require.Len(t, all, len(allCodes()), "every code is in the one list")
	for _, code := range allCodes() {
		require.Contains(t, all, string(code))
	}
	for _, c := range []struct {
		path, method string
		want         []int
	}{
		{devicesPath, "post", []int{201, 401, 403, 406, 415, 422, 500}},
		{devicesPath, "get", listing.statuses},
		{devicesPath + "/{id}", "get", getting.statuses},
		{devicesPath + "/{id}", "patch", renaming.statuses},
		{devicesPath + "/{id}", "delete", revoking.statuses},
	} {
		var statuses []int
		for status, response := range at(t, doc, "paths", c.path, c.method, "responses").(tree) {
			n, err := strconv.Atoi(status)
			require.NoError(t, err)
			statuses = append(statuses, n)
			response = resolved(t, doc, response)
			headers := at(t, response, "headers").(tree)
			for _, name := range []string{"Request-Id", "Cache-Control", "Vary"} {
				require.Contains(t, headers, name, status)
			}
			if n < 300 {
				continue
			}
			require.Equal(t, "#/components/schemas/Errors", at(t, response, "content", jsonapi.MediaType, "schema", "$ref"),
				"one type for all errors, for what generates clients")
			codes := at(t, response, "x-codes").([]any)
			require.NotEmpty(t, codes)
			require.Subset(t, all, codes)
			require.Equal(t, n == 401, headers["WWW-Authenticate"] != nil)
		}
		slices.Sort(statuses)
		require.Equal(t, c.want, statuses, "%s %s", c.method, c.path)
	}
}

// The one status of a code, as far as it has one, is that of [jsonapi.Status].
func TestOpenAPIGivesCreateTheStatusesOfTheCodes(t *testing.T) {
	doc := openAPI(t)
	described := map[string]string{}
	for status, response := range at(t, doc, "paths", devicesPath, "post", "responses").(tree) {
		if status == "201" {
			continue
		}
		for _, code := range at(t, resolved(t, doc, response), "x-codes").([]any) {
			described[code.(string)] = status
		}
	}
	for _, code := range allCodes() {
		if code == totperrors.CodeInvalidArgument || code == totperrors.CodeNotFound || code == jsonapi.CodeMethodNotAllowed {
			require.NotContains(t, described, string(code), "never for a POST")
			continue
		}
		require.Equal(t, strconv.Itoa(jsonapi.Status(&jsonapi.Problem{Code: code})), described[string(code)], string(code))
	}
}

func TestOpenAPINamesAServer(t *testing.T) {
	servers := openAPI(t)["servers"].([]any)
	require.Equal(t, "/user/2025-1", at(t, servers[0], "url"))
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
