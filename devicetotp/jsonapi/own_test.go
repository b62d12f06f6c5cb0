package jsonapi_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/devicetotp/jsonapi"
	totperrors "example.com/devicetotp/errors"
)

// These are about what a service answers its own endpoints with.

// written is the answer to a request to an endpoint that writes err.
func written(t testing.TB, err error) answer {
	t.Helper()
	own := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		jsonapi.WriteError(w, r, err, jsonapi.Config{Logger: quiet})
	})
	return serve(t, own, httptest.NewRequest(http.MethodGet, "/own", nil))
}

func allCodes() []totperrors.Code {
	return append(totperrors.Codes(), jsonapi.CodeUnauthorized, jsonapi.CodeMissingLinkedIdentity, jsonapi.CodeInsufficientScope,
		jsonapi.CodeMethodNotAllowed, jsonapi.CodeNotAcceptable, jsonapi.CodeUnsupportedMediaType, jsonapi.CodeInvalidDocument,
		jsonapi.CodeInvalidType, jsonapi.CodeInvalidAttribute)
}

func TestProblemAnswersEveryCodeOfTheTable(t *testing.T) {
	status := map[totperrors.Code]int{
		jsonapi.CodeUnauthorized: 401, jsonapi.CodeMissingLinkedIdentity: 401, jsonapi.CodeInsufficientScope: 403,
		totperrors.CodeInvalidCredentials: 403, totperrors.CodeCredentialsRequired: 403, totperrors.CodeTooManyAttempts: 403,
		totperrors.CodeAccountLocked: 403, totperrors.CodeDeviceLimitReached: 403, totperrors.CodeNotFound: 404,
		jsonapi.CodeMethodNotAllowed: 405, jsonapi.CodeNotAcceptable: 406, jsonapi.CodeUnsupportedMediaType: 415,
		jsonapi.CodeInvalidDocument: 422, jsonapi.CodeInvalidType: 422, jsonapi.CodeInvalidAttribute: 422,
		totperrors.CodeInvalidID: 422, totperrors.CodeIDInUse: 422, totperrors.CodeInvalidArgument: 422,
		totperrors.CodeUnavailable: 500, totperrors.CodeInternal: 500,
	}
	require.Len(t, status, len(allCodes()))
	titles := map[string]bool{}
	for _, code := range allCodes() {
		for _, source := range []struct {
			given jsonapi.Source
			want  string
		}{
			{jsonapi.Source{}, "none"},
			{jsonapi.Pointer(""), ""},
			{jsonapi.Pointer(`/data/a~1"b`), `/data/a~1"b`},
			{jsonapi.Header("If-Match"), "header:If-Match"},
		} {
			p := &jsonapi.Problem{Code: code, Source: source.given, Detail: "Said \"here\".\n\xff", Err: errors.New("innards")}
			a := written(t, fmt.Errorf("innards: %w", p))
			require.Equal(t, status[code], a.Code, code)
			require.Equal(t, status[code], jsonapi.Status(p))
			require.Equal(t, string(code), a.errors[0].Code)
			require.Equal(t, source.want, a.errors[0].pointer())
			require.Equal(t, "Said \"here\".\n\ufffd", a.errors[0].Detail)
			require.NotContains(t, a.Body.String(), "innards")
			titles[a.errors[0].Title] = true
		}
		require.NotEmpty(t, written(t, &jsonapi.Problem{Code: code}).errors[0].Detail)
	}
	require.Len(t, titles, len(allCodes()), "a title for each code")
}

// What a handler answers by itself is answered the same as a Problem.
func TestProblemIsWhatTheHandlersWrite(t *testing.T) {
	for name, c := range map[string]struct {
		edit func(*http.Request)
		same *jsonapi.Problem
	}{
		"405": {func(r *http.Request) { r.Method = "PUT" }, &jsonapi.Problem{Code: jsonapi.CodeMethodNotAllowed, Allow: []string{"POST"}}},
		"406": {func(r *http.Request) { r.Header.Set("Accept", "a/b") },
			&jsonapi.Problem{Code: jsonapi.CodeNotAcceptable, Source: jsonapi.Header("Accept")}},
		"415": {func(r *http.Request) { r.Header.Set("Content-Type", "a/b") },
			&jsonapi.Problem{Code: jsonapi.CodeUnsupportedMediaType, Source: jsonapi.Header("Content-Type")}},
		"422": {func(r *http.Request) { r.Body = http.NoBody },
			&jsonapi.Problem{Code: jsonapi.CodeInvalidDocument, Detail: "The body is not one JSON value."}},
	} {
		r := request(plainBody)
		c.edit(r)
		own := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { jsonapi.WriteError(w, r, c.same, jsonapi.Config{}) })
		require.Equal(t, whole(t, own, httptest.NewRequest(http.MethodGet, "/", nil)), whole(t, handlerOf(t, &creator{}), r), name)
	}
}

func TestProblemHasItsOwnStatusAndTime(t *testing.T) {
	a := written(t, &jsonapi.Problem{Code: totperrors.CodeInvalidCredentials, Status: http.StatusNotFound})
	require.Equal(t, 404, a.Code)
	require.Equal(t, "404", a.errors[0].Status)
	a = written(t, &jsonapi.Problem{Code: totperrors.CodeTooManyAttempts, Status: http.StatusTooManyRequests, RetryAfter: time.Minute})
	require.Equal(t, 429, a.Code)
	require.Equal(t, "60", a.Header().Get("Retry-After"))
	require.Equal(t, 60, a.errors[0].Meta.RetryAfter)
	a = written(t, &jsonapi.Problem{Code: jsonapi.CodeMethodNotAllowed, Allow: []string{"GET", "HEAD", "PUT"}})
	require.Equal(t, "GET, HEAD, PUT", a.Header().Get("Allow"))
	require.Equal(t, "Only GET, HEAD and PUT are possible here.", a.errors[0].Detail)
	require.Equal(t, "This method is not allowed.", written(t, &jsonapi.Problem{Code: jsonapi.CodeMethodNotAllowed}).errors[0].Detail)
}

func TestJoinedProblemsAreOneAnswer(t *testing.T) {
	amount := &jsonapi.Problem{Code: jsonapi.CodeInvalidAttribute, Source: jsonapi.Pointer("/data/attributes/amount")}
	kind := &jsonapi.Problem{Code: jsonapi.CodeInvalidType, Source: jsonapi.Pointer("/data/type")}
	gone := &jsonapi.Problem{Code: totperrors.CodeNotFound}
	require.Equal(t, []string{"invalid-attribute /data/attributes/amount", "invalid-type /data/type"},
		written(t, errors.Join(amount, kind)).summary())
	require.Equal(t, []string{"invalid-attribute /data/attributes/amount"}, written(t, errors.Join(amount, gone)).summary(),
		"one answer has one status")
	require.Equal(t, []string{"not-found none"}, written(t, errors.Join(gone, amount)).summary())
	require.Equal(t, []string{"invalid-type /data/type"}, written(t, errors.Join(errors.New("innards"), kind)).summary())
}

func TestOfTwoThingsTheOutermostIsAnswered(t *testing.T) {
	p := &jsonapi.Problem{Code: totperrors.CodeNotFound}
	d := &totperrors.Error{Code: totperrors.CodeAccountLocked}
	require.Equal(t, 404, jsonapi.Status(&jsonapi.Problem{Code: totperrors.CodeNotFound, Err: d}))
	require.Equal(t, 403, jsonapi.Status(&totperrors.Error{Code: totperrors.CodeAccountLocked, Err: p}))
	require.Equal(t, 404, jsonapi.Status(&jsonapi.Problem{Code: totperrors.CodeNotFound, Err: jsonapi.ErrInvalidToken}))
}

func TestImpossibleProblemsAreFaultsOfTheService(t *testing.T) {
	for name, err := range map[string]error{
		"nil":                nil,
		"a nil Problem":      (*jsonapi.Problem)(nil),
		"a nil one, wrapped": fmt.Errorf("innards: %w", (*jsonapi.Problem)(nil)),
		"nils joined":        errors.Join((*jsonapi.Problem)(nil), (*jsonapi.Problem)(nil)),
		"no code":            &jsonapi.Problem{},
		"an unknown code":    &jsonapi.Problem{Code: "payment-required", Status: 402},
		"a success":          &jsonapi.Problem{Code: totperrors.CodeNotFound, Status: 200},
		"no status":          &jsonapi.Problem{Code: totperrors.CodeNotFound, Status: 999},
	} {
		require.Equal(t, []string{"internal-error none"}, written(t, err).summary(), name)
	}
	var none *jsonapi.Problem
	require.NotPanics(t, func() { _, _ = none.Error(), none.Unwrap() })
}

// An endpoint adds to an error of the Issuer what only it knows.
func TestProblemOf(t *testing.T) {
	err := &totperrors.Error{Op: totperrors.OpVerify, Code: totperrors.CodeTooManyAttempts, RetryAfter: time.Minute}
	p := jsonapi.ProblemOf(err)
	p.Source = jsonapi.Pointer("/data/attributes/code")
	a := written(t, p)
	require.Equal(t, []string{"too-many-attempts /data/attributes/code"}, a.summary())
	require.Equal(t, "60", a.Header().Get("Retry-After"))
	require.ErrorIs(t, p, err)

	shared := &jsonapi.Problem{Code: totperrors.CodeNotFound}
	jsonapi.ProblemOf(shared).Detail = "changed"
	require.Empty(t, shared.Detail, "it is a copy")
	require.Equal(t, totperrors.CodeInternal, jsonapi.ProblemOf(nil).Code)
}

func ownRequest() *http.Request { return httptest.NewRequest(http.MethodPost, "/own", nil) }

func TestAuthenticateAnswersAsTheHandlerDoes(t *testing.T) {
	for name, err := range authenticatorErrors() {
		_, got := jsonapi.Authenticate(ownRequest(), authenticating(jsonapi.Principal{}, err), "", jsonapi.Config{})
		require.Equal(t, written(t, err).summary(), written(t, got).summary(), name)
		require.Equal(t, jsonapi.Status(err), jsonapi.Status(got), name)
	}
}

func TestAuthenticateContainsPanics(t *testing.T) {
	var log bytes.Buffer
	auth := jsonapi.AuthenticatorFunc(func(*http.Request) (jsonapi.Principal, error) { panic("innards") })
	opts := jsonapi.Config{Logger: slog.New(slog.NewJSONHandler(&log, nil))}
	own := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := jsonapi.Authenticate(r, auth, "", opts)
		jsonapi.WriteError(w, r, err, opts)
	})
	require.Equal(t, []string{"internal-error none"}, serve(t, own, ownRequest()).summary())
	require.Contains(t, logLine(t, &log)["stack"], "own_test.go")
	require.NotContains(t, log.String(), "innards")
}

func TestAuthenticateChecksItsOwnScope(t *testing.T) {
	p := jsonapi.Principal{AccountID: accountID, Scopes: []string{"shop:pay"}}
	for _, c := range []struct {
		scope  string
		ignore bool
		ok     bool
	}{{"shop:pay", false, true}, {"", false, true}, {"shop:refund", true, true}, {"shop:refund", false, false}} {
		got, err := jsonapi.Authenticate(ownRequest(), authenticating(p, nil), c.scope, jsonapi.Config{IgnoreScopes: c.ignore})
		if c.ok {
			require.NoError(t, err)
			require.Equal(t, p, got)
			continue
		}
		a := written(t, err)
		require.Equal(t, []string{"insufficient-scope none"}, a.summary())
		require.Equal(t, "The access token does not have the scope shop:refund.", a.errors[0].Detail)
	}
	_, err := jsonapi.Authenticate(ownRequest(), authenticating(jsonapi.Principal{}, nil), "", jsonapi.Config{})
	require.Equal(t, []string{"internal-error none"}, written(t, err).summary(), "no account and no error")
}

func TestAuthenticateHasATimeLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := jsonapi.AuthenticatorFunc(func(r *http.Request) (jsonapi.Principal, error) {
			<-r.Context().Done()
			return jsonapi.Principal{}, context.Cause(r.Context())
		})
		start := time.Now()
		_, err := jsonapi.Authenticate(ownRequest(), slow, "", jsonapi.Config{})
		require.Equal(t, 5*time.Second, time.Since(start))
		require.Equal(t, []string{"unavailable none"}, written(t, err).summary())
	})
}

func TestNegotiateAnswersAsTheHandlersDo(t *testing.T) {
	for _, c := range []struct {
		name, accept, contentType string
		takesBody                 bool
		want                      string
	}{
		{"a document", "", jsonapi.MediaType, true, ""},
		{"no document", "*/*", "", false, ""},
		{"another type that nobody looks at", "", "text/html", false, ""},
		{"no type", "", "", true, "unsupported-media-type header:Content-Type"},
		{"a charset", "", jsonapi.MediaType + ";charset=utf-8", true, "unsupported-media-type header:Content-Type"},
		{"only HTML", "text/html", jsonapi.MediaType, true, "not-acceptable header:Accept"},
	} {
		r := ownRequest()
		for name, value := range map[string]string{"Accept": c.accept, "Content-Type": c.contentType} {
			if value != "" {
				r.Header.Set(name, value)
			}
		}
		err := jsonapi.Negotiate(r, c.takesBody)
		if c.want == "" {
			require.NoError(t, err, c.name)
			continue
		}
		require.Equal(t, []string{c.want}, written(t, err).summary(), c.name)
	}
}
