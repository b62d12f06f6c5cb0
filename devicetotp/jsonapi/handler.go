package jsonapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/internal/nilcheck"
)

// A Creator makes devices; *devicetotp.Issuer is one. Create gets an AccountID
// that is never empty and, if any, a DeviceID of the form 8-4-4-4-12. What it
// returns is answered by [Status]; a panic is answered with 500.
type Creator interface {
	Create(ctx context.Context, r devicetotp.CreateRequest) (devicetotp.DeviceTOTP, error)
}

// A Manager creates, shows, renames and revokes devices; *devicetotp.Issuer is
// one. What holds for a Creator holds for it.
type Manager interface {
	Creator
	Inspect(ctx context.Context, accountID string) (devicetotp.Overview, error)
	Rename(ctx context.Context, r devicetotp.RenameRequest) error
	Revoke(ctx context.Context, r devicetotp.RevokeRequest) (devicetotp.Revoked, error)
}

// Config configures the handlers. The zero value is ready to use.
type Config struct {
	// Realm is the realm of WWW-Authenticate; "devicetotp" if empty.
	// Characters other than printable ASCII are left out.
	Realm string
	// IgnoreScopes is for a service whose tokens have no scopes. Unless it is
	// set, a Principal without the scope of an operation is refused, and one
	// without ScopeCreateAfterLogin cannot use the grace window.
	IgnoreScopes bool
	// Logger gets the cause of each 500 under the request_id of the answer:
	// level Warn if it is worth trying again, else Error. What could not be
	// finished because the client hung up has a message of its own at level
	// Debug. If nil, slog.Default() is used.
	Logger *slog.Logger
	// AuthTimeout is how long the Authenticator's context lives; 0 is 5 s.
	AuthTimeout time.Duration
	// BodyTimeout is how long the body may take to arrive, from the start of
	// the handler; 0 is 10 s. A shorter http.Server.ReadTimeout stays in
	// force. It works wherever http.ResponseController can set a read
	// deadline: on a server of net/http, unless a middleware's ResponseWriter
	// hides it.
	BodyTimeout time.Duration
}

const (
	defaultRealm       = "devicetotp"
	defaultAuthTimeout = 5 * time.Second
	defaultBodyTimeout = 10 * time.Second
)

// NewHandler returns the handler of POST .../user/devices/totp alone, as the
// published description has it. The package documentation describes its
// responses. It is safe for concurrent use, and opts is copied.
//
// The error names every argument at fault at once: a nil issuer or auth, a nil
// pointer or function in the interface included, or a negative timeout.
func NewHandler(issuer Creator, auth Authenticator, opts Config) (http.Handler, error) {
	if err := checkArguments(issuer, auth, opts); err != nil {
		return nil, err
	}
	return newResource(auth, opts, create(issuer)), nil
}

// NewHandlers returns the handlers of all operations: devices serves
// .../user/devices/totp, with GET and POST, and device
// .../user/devices/totp/{id}, with GET, PATCH and DELETE. The id is the last
// segment of the path of the request, whatever router leads there. They are
// safe for concurrent use, and opts is copied. It returns the same errors as
// [NewHandler].
func NewHandlers(issuer Manager, auth Authenticator, opts Config) (devices, device http.Handler, err error) {
	if err := checkArguments(issuer, auth, opts); err != nil {
		return nil, nil, err
	}
	return newResource(auth, opts, list(issuer), create(issuer)),
		newResource(auth, opts, get(issuer), rename(issuer), revoke(issuer)), nil
}

func checkArguments(issuer any, auth Authenticator, opts Config) error {
	var faults []error
	fault := func(name, rule string) {
		faults = append(faults, fmt.Errorf("devicetotp/jsonapi: %s must not be %s", name, rule))
	}
	if nilcheck.IsNil(issuer) {
		fault("issuer", "nil")
	}
	if nilcheck.IsNil(auth) {
		fault("auth", "nil")
	}
	if opts.AuthTimeout < 0 {
		fault("Config.AuthTimeout", "negative")
	}
	if opts.BodyTimeout < 0 {
		fault("Config.BodyTimeout", "negative")
	}
	return errors.Join(faults...)
}

// boundBody limits the time that the body may take. It is called first, since
// the server reads what is left of a body also after a refusal.
//
// Without a body it must not be done: the server is then already waiting for
// the connection to close, and would take the deadline for that.
func (o *Config) boundBody(w http.ResponseWriter, r *http.Request) {
	if r.Body == nil || r.Body == http.NoBody {
		return
	}
	timeout := orDefault(o.BodyTimeout, defaultBodyTimeout)
	s, _ := r.Context().Value(http.ServerContextKey).(*http.Server)
	if s != nil && 0 < s.ReadTimeout && s.ReadTimeout <= timeout {
		return
	}
	// Not every ResponseWriter can do it; BodyTimeout says so.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(timeout))
}

// orDefault returns d, or the default if it is not positive.
func orDefault(d, otherwise time.Duration) time.Duration {
	if d <= 0 {
		return otherwise
	}
	return d
}
