package jsonapi

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"example.com/devicetotp/devicetotp/internal/deadline"
	totperrors "example.com/devicetotp/errors"
)

// The scopes of the operation.
const (
	// ScopeCreate allows the operation.
	ScopeCreate = "user:device-totps:create"
	// ScopeCreateAfterLogin allows it without a credential while the grace
	// window is open. Without it grace is closed for the request.
	ScopeCreateAfterLogin = "user:device-totps:create-after-login"
)

// What an [Authenticator] answers when it refuses; wrap them with fmt.Errorf
// and %w to say more to your own log. Every other error is a fault of the
// service and answered with 500: an identity provider that is down must not
// make clients throw their tokens away.
var (
	// ErrMissingToken: the request brings no token. 401 unauthorized.
	ErrMissingToken = errors.New("devicetotp/jsonapi: no token")
	// ErrInvalidToken: the token is malformed, expired, revoked or unknown.
	// 401 unauthorized, with error="invalid_token" in WWW-Authenticate.
	ErrInvalidToken = errors.New("devicetotp/jsonapi: invalid token")
	// ErrMissingLinkedIdentity: the user has not logged in with a third party
	// as this resource requires. 401 missing-linked-identity.
	ErrMissingLinkedIdentity = errors.New("devicetotp/jsonapi: missing linked identity")
	// ErrInsufficientScope: the token is good, but not for this. 403
	// insufficient-scope.
	ErrInsufficientScope = errors.New("devicetotp/jsonapi: insufficient scope")
)

// Principal is the caller, as the host's authentication established it.
type Principal struct {
	// AccountID is the account that the device will belong to. An empty one
	// is a fault of the Authenticator: 500.
	AccountID string
	// Scopes are those of the token, such as [ScopeCreate], compared with
	// case. They are not looked at if Config.IgnoreScopes is set.
	Scopes []string
	// AuthenticatedAt is when the user logged in, if it is known. It is handed
	// on to the Event and decides nothing.
	AuthenticatedAt time.Time
}

// An Authenticator identifies the sender of a request. The library never
// authenticates a caller itself.
//
// Authenticate gets the request without its body, and must not alter it. It
// answers with a Principal, or with an error that wraps [ErrMissingToken],
// [ErrInvalidToken], [ErrMissingLinkedIdentity] or [ErrInsufficientScope];
// any other error is a 500, logged and not sent, and so is a panic. The context
// of the request ends after Config.AuthTimeout or when the client goes away;
// a context error is answered unavailable.
//
// It must be safe for concurrent use.
type Authenticator interface {
	Authenticate(r *http.Request) (Principal, error)
}

// AuthenticatorFunc is a function that is an [Authenticator], for services
// that know their callers by something other than a bearer token: a cookie, a
// client certificate, or what a middleware left in the context.
type AuthenticatorFunc func(r *http.Request) (Principal, error)

// Authenticate calls f.
func (f AuthenticatorFunc) Authenticate(r *http.Request) (Principal, error) { return f(r) }

var errNoAccount = errors.New("devicetotp/jsonapi: the Authenticator returned neither an account nor an error")

// authenticate asks the Authenticator and checks the scope.
func (h *handler) authenticate(ctx context.Context, r *http.Request) (Principal, error) {
	var limited deadline.Context
	limited.Start(ctx, false, time.Now().Add(h.opts.AuthTimeout))
	defer limited.End()
	bodiless := r.WithContext(&limited)
	// An Authenticator that looks for a token in a form must not use up the body.
	bodiless.Body, bodiless.ContentLength = http.NoBody, 0

	p, err := h.auth.Authenticate(bodiless)
	switch {
	case err != nil:
		return Principal{}, authProblem(err)
	case p.AccountID == "":
		return Principal{}, authProblem(errNoAccount)
	case !h.opts.IgnoreScopes && !slices.Contains(p.Scopes, ScopeCreate):
		return Principal{}, problem{code: codeInsufficientScope}
	default:
		return p, nil
	}
}

// graceClosed reports whether p may not create a device without a credential.
func (h *handler) graceClosed(p Principal) bool {
	return !h.opts.IgnoreScopes && !slices.Contains(p.Scopes, ScopeCreateAfterLogin)
}

// authProblem describes an error of the Authenticator. A domain error is none
// of its business: only unavailable is taken over.
func authProblem(err error) problem {
	if p, ok := refusal(err); ok {
		return p
	}
	var domain *totperrors.Error
	switch {
	case errors.As(err, &domain) && domain.Code == totperrors.CodeUnavailable:
		return domainProblem(err)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return problem{code: totperrors.CodeUnavailable, cause: err}
	default:
		return problem{code: totperrors.CodeInternal, cause: err}
	}
}

// refusal describes an error that wraps one of the Err variables.
func refusal(err error) (problem, bool) {
	switch {
	case errors.Is(err, ErrMissingToken):
		return problem{code: codeUnauthorized, detail: detailMissingToken}, true
	case errors.Is(err, ErrInvalidToken):
		return problem{code: codeUnauthorized, tokenSent: true}, true
	case errors.Is(err, ErrMissingLinkedIdentity):
		return problem{code: codeMissingLinkedIdentity}, true
	case errors.Is(err, ErrInsufficientScope):
		return problem{code: codeInsufficientScope}, true
	default:
		return problem{}, false
	}
}
