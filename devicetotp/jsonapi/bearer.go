package jsonapi

import (
	"context"
	"net/http"
	"strings"
)

// Bearer returns the [Authenticator] of a service whose clients send
// "Authorization: Bearer TOKEN" (RFC 6750). verify gets the token, which is
// well-formed but otherwise unknown, and returns what an [Authenticator]
// returns.
//
// verify is not called for a request without a bearer token
// ([ErrMissingToken]), nor for one with a malformed token or with two
// Authorization headers ([ErrInvalidToken]). Tokens in a form or a query are
// ignored. [NewHandler] refuses a Bearer of nil.
func Bearer(verify func(ctx context.Context, token string) (Principal, error)) Authenticator {
	return bearer(verify)
}

type bearer func(ctx context.Context, token string) (Principal, error)

// Authenticate implements [Authenticator].
func (verify bearer) Authenticate(r *http.Request) (Principal, error) {
	token, err := bearerToken(r.Header["Authorization"])
	if err != nil {
		return Principal{}, err
	}
	return verify(r.Context(), token)
}

func bearerToken(headers []string) (string, error) {
	if len(headers) == 0 {
		return "", ErrMissingToken
	}
	if len(headers) > 1 {
		return "", ErrInvalidToken
	}
	scheme, token, _ := strings.Cut(headers[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", ErrMissingToken
	}
	token = strings.Trim(token, " ")
	if !isToken68(token) {
		return "", ErrInvalidToken
	}
	return token, nil
}

// isToken68 reports whether s is a token68 of RFC 9110 section 11.2, which is
// the b64token of RFC 6750.
func isToken68(s string) bool {
	body := strings.TrimRight(s, "=")
	for i := range len(body) {
		if c := body[i]; !isAlphaNum(c) && !strings.ContainsRune("-._~+/", rune(c)) {
			return false
		}
	}
	return body != ""
}

func isAlphaNum(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}
