package jsonapi_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/jsonapi"
	totperrors "example.com/devicetotp/errors"
)

// authenticating returns the Authenticator that always answers this.
func authenticating(p jsonapi.Principal, err error) jsonapi.Authenticator {
	return jsonapi.AuthenticatorFunc(func(*http.Request) (jsonapi.Principal, error) { return p, err })
}

func TestBearerTokens(t *testing.T) {
	const missing, invalid = `Bearer realm="devicetotp"`, `Bearer realm="devicetotp", error="invalid_token"`
	for _, c := range []struct {
		name      string
		headers   []string
		challenge string // "" for 201
		asked     int
	}{
		{"the token", []string{"Bearer good"}, "", 1},
		{"the scheme has no case", []string{"bEARER good"}, "", 1},
		{"several spaces", []string{"Bearer   good "}, "", 1},
		{"no header", nil, missing, 0},
		{"an empty header", []string{""}, missing, 0},
		{"another scheme is no token", []string{"Basic Z29vZDo="}, missing, 0},
		{"an unknown token", []string{"Bearer bad"}, invalid, 1},
		{"every character of a token68", []string{"Bearer azAZ09-._~+/=="}, invalid, 1},
		{"an empty token", []string{"Bearer "}, invalid, 0},
		{"nothing but padding", []string{"Bearer =="}, invalid, 0},
		{"padding in the middle", []string{"Bearer a=b"}, invalid, 0},
		{"two words", []string{"Bearer good good"}, invalid, 0},
		{"not ASCII", []string{"Bearer göod"}, invalid, 0},
		{"two headers", []string{"Bearer good", "Bearer good"}, invalid, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			asked := 0
			auth := jsonapi.Bearer(func(ctx context.Context, token string) (jsonapi.Principal, error) {
				asked++
				return tokens(ctx, token)
			})
			r := request(plainBody)
			r.Header["Authorization"] = c.headers
			a := serve(t, handlerWith(t, &creator{}, auth, jsonapi.Config{}), r)
			require.Equal(t, c.asked, asked, "how often the function was asked")
			require.Equal(t, c.challenge, a.Header().Get("WWW-Authenticate"))
			if c.challenge == "" {
				require.Equal(t, http.StatusCreated, a.Code)
			} else {
				require.Equal(t, []string{"unauthorized none"}, a.summary())
			}
		})
	}
}

func TestAuthenticatorErrors(t *testing.T) {
	var none jsonapi.Principal
	for _, c := range []struct {
		name   string
		err    error
		status int
		code   string
	}{
		{"missing token", jsonapi.ErrMissingToken, 401, "unauthorized"},
		{"invalid token, wrapped", fmt.Errorf("%w: expired", jsonapi.ErrInvalidToken), 401, "unauthorized"},
		{"missing linked identity", jsonapi.ErrMissingLinkedIdentity, 401, "missing-linked-identity"},
		{"insufficient scope", jsonapi.ErrInsufficientScope, 403, "insufficient-scope"},
		{"a broken identity provider is not the caller's fault", errors.New("innards"), 500, "internal-error"},
		{"no account and no error", nil, 500, "internal-error"},
		{"a domain error", &totperrors.Error{Code: totperrors.CodeAccountLocked}, 403, "account-locked"},
		{"a domain error that clients cannot read", &totperrors.Error{Code: totperrors.CodeNotFound}, 500, "internal-error"},
		{"unavailable", &totperrors.Error{Code: totperrors.CodeUnavailable}, 500, "unavailable"},
		{"out of time", fmt.Errorf("innards: %w", context.DeadlineExceeded), 500, "unavailable"},
		{"gone", context.Canceled, 500, "unavailable"},
	} {
		t.Run(c.name, func(t *testing.T) {
			create := &creator{}
			opts := jsonapi.Config{Logger: slog.New(slog.DiscardHandler)}
			a := serve(t, handlerWith(t, create, authenticating(none, c.err), opts), request(plainBody))
			require.Equal(t, c.status, a.Code)
			require.Equal(t, []string{c.code + " none"}, a.summary())
			require.NotContains(t, a.Body.String(), "innards")
			require.Equal(t, c.code == "unavailable", a.Header().Get("Retry-After") != "")
			require.Empty(t, create.got)
		})
	}
}

func TestMissingLinkedIdentityHasTheDocumentedTitle(t *testing.T) {
	a := serve(t, handlerWith(t, &creator{}, authenticating(jsonapi.Principal{}, jsonapi.ErrMissingLinkedIdentity), jsonapi.Config{}),
		request(plainBody))
	require.Equal(t, "Missing linked identity for authorized access", a.errors[0].Title)
	require.Equal(t, `Bearer realm="devicetotp"`, a.Header().Get("WWW-Authenticate"))
}

func TestScopes(t *testing.T) {
	create, afterLogin := jsonapi.ScopeCreate, jsonapi.ScopeCreateAfterLogin
	for _, c := range []struct {
		name    string
		ignore  bool
		scopes  []string
		status  int
		noGrace bool
	}{
		{"both scopes", false, []string{"openid", afterLogin, create}, 201, false},
		{"create alone closes grace", false, []string{create}, 201, true},
		{"after login alone is not enough", false, []string{afterLogin}, 403, false},
		{"none", false, nil, 403, false},
		{"a scope is compared with case", false, []string{"USER:device-totps:create"}, 403, false},
		{"a scope is compared whole", false, []string{create + " " + afterLogin}, 403, false},
		{"ignored: none is needed", true, nil, 201, false},
		{"ignored: grace stays open", true, []string{create}, 201, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			issuer := &creator{}
			p := jsonapi.Principal{AccountID: accountID, Scopes: c.scopes}
			a := serve(t, handlerWith(t, issuer, authenticating(p, nil), jsonapi.Config{IgnoreScopes: c.ignore}), request(plainBody))
			require.Equal(t, c.status, a.Code)
			if c.status == http.StatusCreated {
				require.Equal(t, c.noGrace, issuer.got[0].NoGrace)
			} else {
				require.Equal(t, []string{"insufficient-scope none"}, a.summary())
			}
		})
	}
}

func TestAuthenticationTimeIsHandedOn(t *testing.T) {
	at := time.Date(2025, 1, 2, 3, 4, 5, 0, time.UTC)
	issuer := &creator{}
	p := jsonapi.Principal{AccountID: accountID, AuthenticatedAt: at}
	serve(t, handlerWith(t, issuer, authenticating(p, nil), jsonapi.Config{IgnoreScopes: true}), request(plainBody))
	require.Equal(t, at, issuer.got[0].AuthenticatedAt)
}

func TestAuthenticatorCannotUseUpTheBody(t *testing.T) {
	auth := jsonapi.AuthenticatorFunc(func(r *http.Request) (jsonapi.Principal, error) {
		body, err := io.ReadAll(r.Body)
		require.NoError(t, err)
		require.Empty(t, body)
		return tokens(r.Context(), goodToken)
	})
	a := serve(t, handlerWith(t, &creator{}, auth, jsonapi.Config{}), request(plainBody))
	require.Equal(t, http.StatusCreated, a.Code)
}

func TestPanickingAuthenticator(t *testing.T) {
	var log bytes.Buffer
	auth := jsonapi.AuthenticatorFunc(func(*http.Request) (jsonapi.Principal, error) { panic(jsonapi.ErrInvalidToken) })
	issuer := &creator{}
	a := serve(t, handlerWith(t, issuer, auth, jsonapi.Config{Logger: slog.New(slog.NewJSONHandler(&log, nil))}), request(plainBody))
	require.Equal(t, []string{"internal-error none"}, a.summary())
	require.Equal(t, a.errors[0].ID, logLine(t, &log)["request_id"])
	require.Empty(t, issuer.got)
}

func TestSlowAuthenticatorRunsOutOfTime(t *testing.T) {
	for name, c := range map[string]struct{ configured, want time.Duration }{
		"5 s by default": {0, 5 * time.Second},
		"as configured":  {time.Minute, time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				slow := jsonapi.AuthenticatorFunc(func(r *http.Request) (jsonapi.Principal, error) {
					<-r.Context().Done()
					return jsonapi.Principal{}, r.Context().Err()
				})
				opts := jsonapi.Config{AuthTimeout: c.configured, Logger: slog.New(slog.DiscardHandler)}
				start := time.Now()
				a := serve(t, handlerWith(t, &creator{}, slow, opts), request(plainBody))
				require.Equal(t, c.want, time.Since(start))
				require.Equal(t, []string{"unavailable none"}, a.summary())
			})
		})
	}
}

func TestIssuerIsNotBoundByTheAuthenticatorsTime(t *testing.T) {
	var authenticating context.Context
	auth := jsonapi.AuthenticatorFunc(func(r *http.Request) (jsonapi.Principal, error) {
		authenticating = r.Context()
		return tokens(r.Context(), goodToken)
	})
	issuer := &creator{answer: func(ctx context.Context, r devicetotp.CreateRequest) (devicetotp.DeviceTOTP, error) {
		require.Error(t, authenticating.Err(), "its context has been released")
		require.NoError(t, ctx.Err())
		_, bounded := ctx.Deadline()
		require.False(t, bounded)
		return device(r.DeviceID), nil
	}}
	a := serve(t, handlerWith(t, issuer, auth, jsonapi.Config{}), request(plainBody))
	require.Equal(t, http.StatusCreated, a.Code)
}
