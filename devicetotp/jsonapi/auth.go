package jsonapi

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"example.com/devicetotp/devicetotp/internal/deadline"
)

// The scopes of the operations. The published description has the first two; the
// others are of this package, as the operations are that they allow.
const (
	// ScopeCreate allows creating a device.
	ScopeCreate = "user:device-totps:create"
	// ScopeCreateAfterLogin allows it without a credential while the grace
	// window is open. Without it grace is closed for the request.
	ScopeCreateAfterLogin = "user:device-totps:create-after-login"
	// ScopeRead allows listing the devices of the account and getting one.
	ScopeRead = "user:device-totps:read"
	// ScopeManage allows renaming and revoking a device.
	ScopeManage = "user:device-totps:manage"
)

// What an [Authenticator] returns when it refuses; wrap them with fmt.Errorf
// and %w to say more to your own log. An error of the domain, such as one with the
// code account-locked, and a *[Problem] are answered as [WriteError] has it. Every
// other error is a fault of the service and answered with 500: an identity provider
// that is down must not make clients throw their tokens away.
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
	// AccountID is the account that the devices belong to. An empty one is a
	// fault of the Authenticator: 500.
	AccountID string
	// Scopes are the scopes of the token, such as [ScopeCreate]; case matters.
	// Without the scope of its operation a request is refused with
	// insufficient-scope, unless Config.IgnoreScopes is set.
	Scopes []string
	// AuthenticatedAt is when the user logged in, if it is known. It is handed
	// on to the Event and decides nothing.
	AuthenticatedAt time.Time
}

// An Authenticator identifies the sender of a request. The library never
// authenticates a caller itself.
//
// Authenticate gets the request without its body, and must not alter it. It
// returns a Principal, or an error that wraps [ErrMissingToken], [ErrInvalidToken],
// [ErrMissingLinkedIdentity] or [ErrInsufficientScope], or that is an error of the
// domain or a *[Problem]; any other error is a 500, logged and not sent, and so is a
// panic. The context of the request ends after Config.AuthTimeout or when the client
// goes away; return an error that wraps the context's, which is answered unavailable.
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

// Authenticate asks auth about a request to one of a service's own endpoints as the
// handlers do: within opts.AuthTimeout, without the body, and with a panic made an
// error. It then checks that the Principal has the scope, unless that is "" or
// opts.IgnoreScopes is set. Its error is for [WriteError].
//
// Call [WithRequestID] first, so that auth and WriteError see the same id.
func Authenticate(r *http.Request, auth Authenticator, scope string, opts Config) (p Principal, err error) {
	defer contain(&err)
	return opts.authenticate(r.Context(), r, auth, scope)
}

// authenticate asks the Authenticator and checks the scope.
func (o *Config) authenticate(ctx context.Context, r *http.Request, auth Authenticator, scope string) (Principal, error) {
	var limited deadline.Context
	limited.Start(ctx, false, time.Now().Add(orDefault(o.AuthTimeout, defaultAuthTimeout)))
	defer limited.End()
	bodiless := r.WithContext(&limited)
	// An Authenticator that looks for a token in a form must not use up the body.
	bodiless.Body, bodiless.ContentLength = http.NoBody, 0

	p, err := auth.Authenticate(bodiless)
	switch {
	case err != nil:
		return Principal{}, ProblemOf(err)
	case p.AccountID == "":
		return Principal{}, ProblemOf(errNoAccount)
	case scope != "" && !o.IgnoreScopes && !slices.Contains(p.Scopes, scope):
		return Principal{}, &Problem{Code: CodeInsufficientScope, Detail: "The access token does not have the scope " + scope + "."}
	default:
		return p, nil
	}
}

// refusal describes an error that wraps one of the Err variables; nil for any other.
func refusal(err error) *Problem {
	switch {
	case errors.Is(err, ErrMissingToken):
		return &Problem{Code: CodeUnauthorized, Detail: detailMissingToken}
	case errors.Is(err, ErrInvalidToken):
		return &Problem{Code: CodeUnauthorized, tokenSent: true}
	case errors.Is(err, ErrMissingLinkedIdentity):
		return &Problem{Code: CodeMissingLinkedIdentity}
	case errors.Is(err, ErrInsufficientScope):
		return &Problem{Code: CodeInsufficientScope}
	default:
		return nil
	}
}
