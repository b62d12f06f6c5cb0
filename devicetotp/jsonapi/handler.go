package jsonapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"example.com/devicetotp/devicetotp"
	"example.com/devicetotp/devicetotp/internal/deviceid"
	"example.com/devicetotp/devicetotp/internal/nilcheck"
	totperrors "example.com/devicetotp/errors"
)

// A Creator makes devices; *devicetotp.Issuer is one. Create gets an AccountID
// that is never empty and, if any, a DeviceID of the form 8-4-4-4-12. What it
// returns is answered by [Status]; a panic is answered with 500.
type Creator interface {
	Create(ctx context.Context, r devicetotp.CreateRequest) (devicetotp.DeviceTOTP, error)
}

// Config are what a service may set. The zero value is ready to use.
type Config struct {
	// Realm is the realm of WWW-Authenticate; "devicetotp" if empty.
	// Characters other than printable ASCII are left out.
	Realm string
	// IgnoreScopes is for a service whose tokens have no scopes. Unless it is
	// set, a Principal without ScopeCreate is refused, and one without
	// ScopeCreateAfterLogin cannot use the grace window.
	IgnoreScopes bool
	// Logger gets the cause of each 500 under the request_id of the answer:
	// level Warn if it is worth trying again, else Error. nil: slog.Default().
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

// NewHandler returns the handler of POST .../user/devices/totp. The package
// documentation describes its responses. It is safe for concurrent use, and opts
// is copied.
//
// The error names every argument at fault at once: a nil issuer or auth, a nil
// pointer or function in the interface included, or a negative timeout.
func NewHandler(issuer Creator, auth Authenticator, opts Config) (http.Handler, error) {
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
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	if opts.AuthTimeout == 0 {
		opts.AuthTimeout = defaultAuthTimeout
	}
	if opts.BodyTimeout == 0 {
		opts.BodyTimeout = defaultBodyTimeout
	}
	return &handler{issuer, auth, opts}, nil
}

type handler struct {
	issuer Creator
	auth   Authenticator
	opts   Config
}

// ServeHTTP answers one request.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx := identified(r)
	device, err := h.guardedCreate(ctx, w, r)
	if err != nil {
		h.opts.writeProblems(ctx, w, problemsOf(err))
		return
	}
	write(w, RequestID(ctx), http.StatusCreated, appendDevice(make([]byte, 0, 256), device))
}

// guardedCreate is create with panics made errors, so that a collaborator's
// panic is answered and logged under the request id. http.ErrAbortHandler is
// the one that is meant for the server.
func (h *handler) guardedCreate(ctx context.Context, w http.ResponseWriter, r *http.Request) (_ devicetotp.DeviceTOTP, err error) {
	defer func() {
		if v := recover(); v != nil {
			if v == http.ErrAbortHandler {
				panic(v)
			}
			err = domainProblem(&panicError{v, debug.Stack()})
		}
	}()
	return h.create(ctx, w, r)
}

// create refuses what can be refused without a credential, in the order of the
// package documentation, and then asks the Issuer.
func (h *handler) create(ctx context.Context, w http.ResponseWriter, r *http.Request) (devicetotp.DeviceTOTP, error) {
	var none devicetotp.DeviceTOTP
	h.boundBody(w, r)
	if r.Method != http.MethodPost {
		return none, problem{code: codeMethodNotAllowed}
	}
	principal, err := h.authenticate(ctx, r)
	if err != nil {
		return none, err
	}
	if err := negotiate(r.Header); err != nil {
		return none, err
	}
	doc, err := readDocument(w, r)
	if err != nil {
		return none, err
	}
	device, err := h.issuer.Create(ctx, doc.request(principal, h.graceClosed(principal)))
	if err != nil {
		p := domainProblem(err)
		if p.code == totperrors.CodeNotFound { // never an answer of this operation
			p.code = totperrors.CodeInternal
		}
		p.source = doc.sourceOf(p.code)
		return none, p
	}
	if !complete(device, doc.id) {
		return none, problem{code: totperrors.CodeInternal, cause: errIncompleteDevice}
	}
	return device, nil
}

var errIncompleteDevice = errors.New("devicetotp/jsonapi: the Creator returned neither a complete device nor an error")

// complete reports whether d can be answered to a request for the id asked, which
// may be "". A client that is given an empty secret would generate codes that
// anyone can compute.
func complete(d devicetotp.DeviceTOTP, asked string) bool {
	_, isUUID := deviceid.Parse(d.ID)
	return isUUID && (asked == "" || d.ID == strings.ToLower(asked)) &&
		d.Secret.Reveal() != "" && d.Period >= time.Second && d.Period%time.Second == 0 && (d.Digits == 6 || d.Digits == 8) &&
		d.Algorithm.SecretSize() > 0
}

// boundBody limits the time that the body may take. It is called first, since
// the server reads what is left of a body also after a refusal.
//
// Without a body it must not be done: the server is then already waiting for
// the connection to close, and would take the deadline for that.
func (h *handler) boundBody(w http.ResponseWriter, r *http.Request) {
	if r.Body == nil || r.Body == http.NoBody {
		return
	}
	s, _ := r.Context().Value(http.ServerContextKey).(*http.Server)
	if s != nil && 0 < s.ReadTimeout && s.ReadTimeout <= h.opts.BodyTimeout {
		return
	}
	// Not every ResponseWriter can do it; BodyTimeout says so.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(h.opts.BodyTimeout))
}

// panicError is the panic of a collaborator. It is not unwrapped: a panic is a
// fault of the service even if it panicked with a refusal.
type panicError struct {
	value any
	stack []byte
}

// Error names the type, but not the value, which may hold a token or a
// credential, unless the runtime itself made it. The stack shows where it was.
func (e *panicError) Error() string {
	if err, ok := e.value.(runtime.Error); ok {
		return "devicetotp/jsonapi: " + err.Error()
	}
	return fmt.Sprintf("devicetotp/jsonapi: panic with a %T", e.value)
}
